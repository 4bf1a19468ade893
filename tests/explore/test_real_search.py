"""The search on real processes, beside the one in the virtual world and beyond it."""

from __future__ import annotations

import glob
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from commands import check

import syncsim
from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.schedule import Grain, parse_schedule
from syncsim.explore.real.system import RealSystem
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.explore.worker import schedule_of
from syncsim.program.source import Program, load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System
from syncsim.virtual.run import VirtualRun

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
REFUSED = HERE / "refused"


def virtual_schedules(program: Program, *, by_call: bool) -> list[str]:
    system = System(VirtualProgram(program).main(), by_call=by_call)
    try:
        search, found = DPOR(VirtualSystem(system)), []
        for execution in search.executions():
            did = list(search.begun.did)
            for event in execution.events:
                did += event.did
            found.append(schedule_of(system, did, by_call=by_call))
        return found
    finally:
        system.close()


def real_schedules(program: Program, grain: Grain) -> list[str]:
    system, found = RealSystem(program, grain, time.monotonic() + 300), []
    try:
        killable = -1
        while len(system.killable) > killable:
            killable = len(system.killable)
            ends = [execution.state for execution in DPOR(system).executions()]
            assert not any(end.lost for end in ends)
            found = [end.schedule for end in ends]
        assert (system.astray, system.unseen) == (0, "")
        return found
    finally:
        system.close()


def end_of(program: Program, schedule: str) -> object:
    """What a schedule leads to, in the virtual world."""
    world = VirtualRun(program)
    try:
        for choice in parse_schedule(schedule):
            world.take(choice)
        state = world.state
        diagnosis = diagnose(state)
        return (
            diagnosis.verdict,
            diagnosis.cycle,
            frozenset((actor.name, actor.exitcode, actor.error) for actor in state.actors),
            tuple(
                str(getattr(state.atoms[atom], "value", ""))
                for primitive in state.primitives.values()
                for atom in primitive.parts.values()
            ),
        )
    finally:
        world.close()


def program_of(command: str) -> Program:
    name, *arguments = command.split()
    return load(str(HERE / name), tuple(arguments))


@pytest.mark.parametrize(
    "command",
    [
        "programs/philosophers.py 2 1",
        pytest.param("programs/philosophers.py 3 1", marks=pytest.mark.slow),
        "programs/lost_update.py 2",
        "programs/slot.py 1 1 1",
        "checked/lost_wakeup.py",
        "checked/killed_holder.py",
        "checked/empty_lies.py",
        "checked/copies.py",
    ],
)
def test_the_same_executions_and_the_same_ends_as_in_the_virtual_world(command: str) -> None:
    program = program_of(command)
    virtual = virtual_schedules(program, by_call=True)
    real = real_schedules(program, Grain.CALL)
    assert len(real) == len(virtual)
    assert {end_of(program, one) for one in real} == {end_of(program, one) for one in virtual}


@pytest.mark.parametrize(
    "command", ["programs/philosophers.py 2 1 lefty", "programs/locked_counter.py 2"]
)
def test_as_many_executions_by_the_atom(command: str) -> None:
    program = program_of(command)
    assert len(real_schedules(program, Grain.ATOM)) == len(
        virtual_schedules(program, by_call=False)
    )


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("runs_a_program", "deadlock", "Neither can go on"),
        ("served_lost_update", "assertion", "AssertionError"),
        pytest.param("pool_of_lockers", "deadlock", "Neither can go on", marks=pytest.mark.slow),
        ("eats_for_ever", "deadlock", "Neither can go on"),
    ],
)
def test_what_cannot_be_virtual_is_found_and_confirmed(name: str, verdict: str, words: str) -> None:
    checked = syncsim.check(REFUSED / f"{name}.py", real=True, first=True, timeout=240)
    assert checked.verdict == verdict, checked.explanation
    assert checked.confirmed
    assert words in checked.explanation


def test_what_is_right_is_proven() -> None:
    checked = syncsim.check(REFUSED / "runs_one_under_a_lock.py", real=True, timeout=240)
    assert (checked.verdict, checked.complete) == ("finished", True), checked.explanation
    assert "on real processes: no process can wait for ever" in checked.explanation


def test_who_is_held_up_outside_our_view_is_waited_for(tmp_path: Path) -> None:
    program, ran = REFUSED / "runs_a_slow_one.py", str(tmp_path / "ran")
    checked = syncsim.check(program, arguments=(ran,), real=True, timeout=240)
    assert (checked.verdict, checked.complete) == ("finished", True), checked.explanation


def test_failures_of_two_kinds_are_both_found() -> None:
    checked = syncsim.check(REFUSED / "fails_in_two_ways.py", real=True, timeout=240)
    assert [failure.verdict for failure in checked.failures] == ["deadlock", "assertion"]
    assert all(failure.confirmed for failure in checked.failures)
    assert checked.complete


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tosses_a_coin", "the program is not deterministic"),
        ("answers_a_socket", "is outside our view, asleep in accept"),
        ("ends_by_a_signal", "it goes on by what is not seen"),
    ],
)
def test_what_does_not_repeat_or_is_not_seen_is_never_called_proven(name: str, words: str) -> None:
    checked = syncsim.check(REFUSED / f"{name}.py", real=True, timeout=240)
    assert (checked.verdict, checked.complete) == ("undecided", False), checked.explanation
    assert words in checked.explanation


def test_the_time_is_kept() -> None:
    began = time.monotonic()
    checked = syncsim.check(HERE / "programs/lastzero.py", arguments=("4",), real=True, timeout=3)
    assert time.monotonic() - began < 120
    assert checked.verdict is Verdict.UNDECIDED
    assert "3 seconds" in checked.explanation


def test_other_bounds_are_named() -> None:
    program = HERE / "programs/philosophers.py"
    checked = syncsim.check(program, arguments=("2", "1", "lefty"), real=True, max_states=5)
    assert "5 states" in checked.explanation
    checked = syncsim.check(program, arguments=("2", "1", "lefty"), real=True, max_depth=3)
    assert "executions of 3 steps" in checked.explanation


def test_who_is_refused_is_told_of_the_real_processes() -> None:
    found = check(REFUSED / "runs_a_program.py")
    assert found.returncode == 3
    assert "subprocess" in found.stdout
    assert "--real" in found.stdout


def test_the_command_says_the_same_and_leaves_nothing(tmp_path: Path) -> None:
    places = [f"{tempfile.gettempdir()}/syncsim-*", "/dev/shm/sem.mp*"]
    before = {path for place in places for path in glob.glob(place)}
    ran = tmp_path / "ran"
    found = check(REFUSED / "writes_down_that_it_ran.py", "--real", "--json", "--", ran)
    told = json.loads(found.stdout)
    assert found.returncode == 1
    assert told["verdict"] == "deadlock"
    assert told["confirmed"] is told["complete"] is True
    assert told["search"] == "real"
    # One to find it (the other way round is the same but for who is who), one to confirm it.
    assert len(ran.read_text().splitlines()) >= told["executions"] + 1

    def left() -> list[str]:
        after = {path for place in places for path in glob.glob(place)}
        ours = [path for path in after - before if _was_ours(path, str(ran))]
        return ours + [line for line in _command_lines() if str(ran) in line]

    # Who was killed has gone as soon as it gets the processor.
    deadline = time.monotonic() + 60
    while still := left():
        assert time.monotonic() < deadline, still
        time.sleep(0.01)


def _was_ours(path: str, mark: str) -> bool:
    """Whether what was left behind is of a run of that program, and not of a neighbour's."""
    return any(mark in line and os.path.basename(path) in line for line in _command_lines())


def _command_lines() -> list[str]:
    lines = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            lines.append(Path(path).read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return lines


def test_a_search_that_there_is_not_on_real_processes_is_refused() -> None:
    found = check(REFUSED / "runs_a_program.py", "--real", "--search", "pct")
    assert found.returncode == 2
    assert "real has no search pct" in found.stderr


#: Whoever waits for the lock has met a signal of which nobody tells, and never says what it does.
AWAKE = """\
import multiprocessing, os, signal
def spin(number, frame):
    while True:
        pass
def take(lock, ready):
    signal.signal(signal.SIGUSR1, spin)
    ready.release()
    lock.acquire()
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock, ready = multiprocessing.Lock(), multiprocessing.Semaphore(0)
    lock.acquire()
    child = multiprocessing.Process(target=take, args=(lock, ready))
    child.start()
    ready.acquire()
    os.kill(child.pid, signal.SIGUSR1)
    child.join()
"""


def test_who_is_awake_is_never_said_to_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncsim.explore.real.system._AWAY", 1.0)
    path = tmp_path / "program.py"
    path.write_text(AWAKE)
    system = RealSystem(load(path, ()), Grain.CALL, time.monotonic() + 300)
    try:
        [execution] = DPOR(system).executions()
        assert execution.state.verdict is Verdict.UNDECIDED
        assert system.unseen == "it hangs where we do not see"
    finally:
        system.close()


@pytest.mark.parametrize("before", ["pass", "sum(range(3_000_000))"], ids=["at once", "late"])
def test_a_thread_is_waited_for_when_it_begins_and_not_when_it_has_ended(
    tmp_path: Path, before: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import threading\n"
        "from multiprocessing import Semaphore, Value\n"
        "value = Value('i', 0)\n"
        "def add():\n"
        f"    {before}\n"
        "    value.value += 1\n"
        "threading.Thread(target=add).start()\n"
        "Semaphore(0).acquire()\n"
    )
    checked = syncsim.check(path, real=True, timeout=240)
    assert (checked.verdict, checked.confirmed) == ("deadlock", True), checked.explanation


def test_it_is_the_same_run_whichever_process_is_heard_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "from multiprocessing import get_context\n"
        "get_context('fork').Process(target=print).start()\n"
    )
    system = RealSystem(load(path), Grain.CALL, time.monotonic() + 60)
    try:
        state = system.start().state
        state = system.take(state, system.moves(state)[0]).state  # the start, and what is printed
        execution = system._running
        assert execution is not None
        assert {step.verb for step in execution._steps} == {"start", "print"}
        execution._steps.reverse()
        assert execution._signs() in state.signs  # type: ignore[operator]
    finally:
        system.close()
