"""A thread of the program says nothing when it ends; under control that is noticed all the same."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from running import DEADLINE, tell, wait_for
from test_monitored_runs import Watch, watch  # noqa: F401

from syncsim.checking.replay import confirm
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Diagnosed, Mode
from syncsim.core.steps import Step
from syncsim.explore.request import Found
from syncsim.program.source import load
from syncsim.real import kernel
from syncsim.real.run import RealRun

pytestmark = pytest.mark.once

#: Only the thread could have helped main.
PROGRAM = """\
import multiprocessing, threading
lock = multiprocessing.Lock()
def work():
    with lock:
        pass
if __name__ == "__main__":
    threading.Thread(target=work, name="Ada").start()
    {then}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(then="multiprocessing.Semaphore(0).acquire()"))
    return path


def test_a_controlled_run_is_decided_once_the_last_helper_has_ended(program: Path) -> None:
    told = tell(program, "--scheduler", "round-robin", "--timeout", 2 * DEADLINE)
    assert told.verdict["verdict"] == Verdict.DEADLOCK
    assert told.process("Ada")["state"] == "done"
    again = tell(program, "--timeout", 2 * DEADLINE, "--schedule", told.verdict["schedule"])
    for one in (told, again):
        for process in one.verdict["processes"]:
            del process["pid"]
    assert again.verdict == told.verdict


def test_on_the_stage(watch: Watch, program: Path) -> None:  # noqa: F811
    run = watch(program)
    run.monitor.speed(None)
    run.monitor.play()
    wait_for(lambda: run.mode is Mode.OVER)
    assert run.all(Diagnosed)[-1].diagnosis.verdict is Verdict.DEADLOCK
    assert [actor.ended for actor in run.state.actors] == [False, True]


def test_a_thread_has_no_exit_code_however_late_its_end_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(then="raise SystemExit(3)"))
    told = tell(path, "--scheduler", "round-robin", "--timeout", 2 * DEADLINE)
    assert told.process("main")["exitcode"] == 3
    assert told.process("Ada")["exitcode"] is None


#: The thread takes the lock, for the last time, when the file is there.
LATER = """\
import ctypes, multiprocessing, os, sys, threading
lock = multiprocessing.Lock()
def work():
{before}
    while not os.path.exists(sys.argv[1]):
        ctypes.CDLL(None).usleep(1000)
    with lock:
        pass
if __name__ == "__main__":
    threading.Thread(target=work, name="Ada").start()
    multiprocessing.Semaphore(0).acquire()
"""


def test_its_last_words_are_heard_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    path.write_text(LATER.format(before="    with lock: pass"))

    def end_at_once(pid: int, tid: int) -> bool:
        """The thread ends while it is looked at: nothing of that has been read."""
        sign.touch()
        wait_for(lambda: not os.path.exists(f"/proc/{pid}/task/{tid}"))
        return True

    def heard(step: Step) -> None:
        told.append((step.process, world.state.actors[step.actor].ended))

    told: list[tuple[str, bool]] = []
    world = RealRun(load(path, [str(sign)]), controlled=False, on_step=heard)
    try:
        wait_for(lambda: world.pump(0.05) and told == [("Ada", False)] * 2)
        monkeypatch.setattr(kernel, "thread_has_ended", end_at_once)
        end = time.monotonic() + DEADLINE
        while not world.state.actors[1].ended:
            assert time.monotonic() < end
            world.pump(0.05)
        assert told == [("Ada", False)] * 4
    finally:
        world.close()


def test_a_replay_waits_for_a_thread_that_comes_unannounced(tmp_path: Path) -> None:
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    path.write_text(LATER.format(before=""))
    found = Found(Verdict.DEADLOCK, "b2", 2)
    # (It is looked at when everybody who is owed has come, just before the first choice.)
    failure = confirm(load(path, [str(sign)]), found, look=lambda world: sign.touch())
    assert failure.confirmed, failure.explanation
    assert [step.process for step in failure.steps] == ["Ada", "Ada"]
