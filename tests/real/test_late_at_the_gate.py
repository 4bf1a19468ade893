"""A busy machine: who comes late to its gate, or back from outside, goes on all the same."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from running import Run, wait_for, world
from test_monitored_runs import Watch, Watcher, watch  # noqa: F401

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Diagnosed, Mode, Printed

pytestmark = pytest.mark.once

#: The process has announced itself; it knocks when the file is there, as if preempted before.
SLOW = """\
import ctypes, os, sys
from syncsim.instrument.gate import Gate
connect = Gate._connect
def late(gate):
    while not (gate.here.knocked or os.path.exists(sys.argv[1])):
        ctypes.CDLL(None).usleep(1000)
    return connect(gate)
Gate._connect = late
import multiprocessing
def work():
    pass
"""

#: On its way to the gate it thinks better of it, and wants something else.
THINKS_BETTER = f"""\
{SLOW}
import signal
def handle(number, frame):
    raise KeyError
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    signal.signal(signal.SIGUSR1, handle)
    lock, child = multiprocessing.Lock(), multiprocessing.Process(target=work)
    try:
        lock.acquire()
    except KeyError:
        child.start()
    lock.acquire()
    lock.release()
"""


def test_who_wanted_something_else_when_it_was_let_go_is_let_through_once(tmp_path: Path) -> None:
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    path.write_text(THINKS_BETTER)
    run = Run()
    with world(path, str(sign), run=run) as real:
        wait_for(lambda: (real.pump(0.01), real.choices())[1])
        real.patience = 0.0
        real.grant(real.choices()[0])
        real.patience = 60.0
        os.kill(real.state.actors[0].pid, signal.SIGUSR1)
        wait_for(lambda: (real.pump(0.01), real.choices())[1])
        sign.touch()
        while choices := real.choices():
            real.grant(choices[0])
            real.settle()
        assert real.over
    made = [step.verb for step in run.steps if step.actor == 0]
    assert made == ["start", "acquire", "release", "join", "exit"]


#: Main is outside until the file is there.
OUTSIDE = """\
import ctypes, multiprocessing, os, sys
def work(crashes):
    assert not crashes
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    child = multiprocessing.Process(target=work, args=(sys.argv[2] == "crash",))
    child.start()
    while not os.path.exists(sys.argv[1]):
        ctypes.CDLL(None).usleep(1000)
    child.join()
    print("it went on")
"""


def play(watch: Watch, folder: Path, how: str) -> tuple[Watcher, Path]:  # noqa: F811
    """The run, being played, and the file that lets main come back."""
    path, sign = folder / "program.py", folder / "sign"
    path.write_text(OUTSIDE)
    run = watch(path, None, str(sign), how)
    run.monitor.speed(None)
    run.monitor.play()
    return run, sign


def come_back(run: Watcher, sign: Path) -> None:
    """Main is outside when all others have ended; then it comes back."""
    wait_for(lambda: [actor.outside or actor.ended for actor in run.state.actors] == [True, True])
    sign.touch()
    run.wait(Printed, lambda printed: "it went on" in printed.text)


def test_playing_goes_on_when_somebody_comes_back_from_outside(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
) -> None:
    run, sign = play(watch, tmp_path, "")
    come_back(run, sign)
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.FINISHED


def test_after_a_crash_it_is_not_over_while_somebody_is_outside(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
) -> None:
    run, sign = play(watch, tmp_path, "crash")
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.ASSERTION
    wait_for(lambda: run.mode is Mode.PAUSED)  # to look at it
    run.monitor.play()
    come_back(run, sign)
    wait_for(lambda: run.mode is Mode.OVER)
    assert all(actor.ended for actor in run.state.actors)
