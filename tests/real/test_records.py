"""Records in an order that threads make, told to the record interpreter alone."""

from __future__ import annotations

import signal

import pytest

from syncsim import wire
from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.operation import Verb
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor
from syncsim.real import kernel
from syncsim.real.interpreter.processes import ProcessRegistry
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.interpreter.signals import Signals
from syncsim.real.quiescence import Quiescence

pytestmark = pytest.mark.once

MAIN, WORKER = 4711, 4712
STARTER, ENDER = 1, 2  # two threads of main's Pool


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(lambda step: None)


@pytest.fixture
def interpreter(recorder: Recorder) -> RecordInterpreter:
    quiescence = Quiescence()
    interpreter = RecordInterpreter(
        recorder,
        quiescence,
        Signals(recorder, quiescence),
        ProcessRegistry(recorder, "no directory", 0),
        on_print=lambda actor, stream, text: None,
        watch=lambda pid: None,
        main_code=lambda: 0,
    )
    interpreter.actors.add(Actor(id=0, name="main", pid=MAIN))
    interpreter.take_in([wire.Born(MAIN, 0, 0, "main", False, "")])
    return interpreter


def point(n: int, verb: Verb, atom: str, call: str) -> wire.Point:
    return wire.Point(MAIN, n, verb, atom, call, "", False, "", 0, "")


def started() -> list[wire.Record]:
    return [
        point(1, Verb.START, "", "Process.start"),
        wire.Op(MAIN, STARTER, 1, str(WORKER), "Worker"),
    ]


@pytest.mark.parametrize("early", [True, False])
def test_a_worker_that_its_pool_ends_while_it_is_being_started_has_not_crashed(
    interpreter: RecordInterpreter,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    early: bool,
) -> None:
    ends = [
        point(2, Verb.TERMINATE, str(WORKER), "Process.terminate"),
        wire.Op(MAIN, ENDER, 2, "None", "Worker"),
    ]
    interpreter.take_in([*ends, *started()] if early else [*started(), *ends])
    monkeypatch.setattr(kernel, "exit_code", lambda pid: -signal.SIGTERM)
    interpreter.actors.died(WORKER)
    assert recorder.state.actors[1].exitcode == -signal.SIGTERM
    assert diagnose(recorder.state).verdict is not Verdict.CRASH


def test_a_worker_that_nobody_of_the_program_ends_has_crashed(
    interpreter: RecordInterpreter, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter.take_in(started())
    monkeypatch.setattr(kernel, "exit_code", lambda pid: -signal.SIGTERM)
    interpreter.actors.died(WORKER)
    assert diagnose(recorder.state).verdict is Verdict.CRASH
