"""Who is about to die does not wait for ever, and whoever waits for its end neither.

Between a signal and the death that it brings some time may pass on a busy machine.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from running import Hearing, each_scheduler, tell_here, tell_of, wait_for
from test_monitored_runs import Watch, watch  # noqa: F401

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Diagnosed, Mode, ModeChanged, Printed, Stepped
from syncsim.core.schedule import Move
from syncsim.core.scheduler import Scheduler

pytestmark = pytest.mark.once

#: The lock's holder has died, so the second child waits for ever; main ends it, and waits for that.
#: The signal does not arrive by itself: it is sent from here, when a while has passed.
PROGRAM = """\
import multiprocessing, os, signal, sys
from multiprocessing.popen_fork import Popen
Popen._send_signal = lambda popen, number: None
def take(lock):
    lock.acquire()
    if sys.argv[1] == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
def started(lock):
    process = multiprocessing.Process(target=take, args=(lock,))
    process.start()
    return process
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock = multiprocessing.Lock()
    started(lock).join()
    stuck = started(lock)
    stuck.join(0.2)
    print(stuck.pid)
    getattr(stuck, sys.argv[2])()
    stuck.join()
    print("it went on")
"""
SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM}
#: Seconds; far more than it takes to be told that nobody can go on.
A_WHILE = 1.0
VERDICTS = {"crash": Verdict.CRASH, "exit": Verdict.FINISHED}

first_child = pytest.mark.parametrize("first", VERDICTS)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@first_child
@pytest.mark.parametrize("how", SIGNALS)
def test_headless(program: Path, first: str, how: str) -> None:
    out = Hearing("", lambda pid: os.kill(int(pid), SIGNALS[how]), A_WHILE)
    told = tell_here(program, first, how, out=out)
    assert told.text("stdout").splitlines()[1:] == ["it went on"]
    assert told.verdict["verdict"] == VERDICTS[first]


@first_child
def test_on_the_stage(watch: Watch, program: Path, first: str) -> None:  # noqa: F811
    run = watch(program, None, first, "kill")
    run.begin()
    run.monitor.free()
    threading.Timer(A_WHILE, os.kill, (int(run.wait(Printed).text), signal.SIGKILL)).start()
    run.wait(Printed, lambda printed: "it went on" in printed.text)
    wait_for(lambda: run.mode is Mode.OVER)
    assert all(actor.ended for actor in run.state.actors)
    assert run.all(Diagnosed)[-1].diagnosis.verdict is VERDICTS[first]


#: There is no handler: the alarm ends the one who waits for ever.
ALARM = """\
import multiprocessing, signal
def take(lock):
    signal.alarm(3600)
    signal.setitimer(signal.ITIMER_REAL, 0.7)
    lock.acquire()
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock = multiprocessing.Lock()
    lock.acquire()
    child = multiprocessing.Process(target=take, args=(lock,))
    child.start()
    child.join()
    print("it went on")
    signal.alarm(3600)
    signal.alarm(0)
    lock.acquire()
"""


@each_scheduler
def test_whoever_has_asked_for_an_alarm_does_not_wait_for_ever(
    tmp_path: Path, scheduler: Scheduler | None
) -> None:
    path = tmp_path / "program.py"
    path.write_text(ALARM)
    told = tell_here(path, scheduler=scheduler)
    assert "it went on" in told.text("stdout").splitlines()
    assert told.verdict["verdict"] == Verdict.CRASH
    states = [(process["state"], process["exitcode"]) for process in told.verdict["processes"]]
    assert states == [("stuck", None), ("killed", -signal.SIGALRM)]


#: Nobody tells of this signal, and what it does takes its time.
UNTOLD = """\
import ctypes, multiprocessing, os, signal, sys
def end(number, frame):
    while not os.path.exists(sys.argv[1]):
        if sys.argv[2] == "sleeps":
            ctypes.CDLL(None).sleep(3)
    os._exit(0)
def take(lock):
    signal.signal(signal.SIGUSR1, end)
    lock.acquire()
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock = multiprocessing.Lock()
    lock.acquire()
    child = multiprocessing.Process(target=take, args=(lock,))
    child.start()
    child.join(0.5)
    print("now")
    os.kill(child.pid, signal.SIGUSR1)
    child.join()
    print("it went on")
"""


@each_scheduler
@pytest.mark.parametrize("handler", ["runs", "sleeps"])
def test_who_has_met_a_signal_that_nobody_tells_of_does_not_wait_for_ever(
    tmp_path: Path, scheduler: Scheduler | None, handler: str
) -> None:
    path, sign = tmp_path / "program.py", tmp_path / "sign"
    path.write_text(UNTOLD)
    out = Hearing("now", lambda _: sign.touch(), A_WHILE)
    told = tell_here(path, str(sign), handler, scheduler=scheduler, out=out)
    assert "it went on" in told.text("stdout").splitlines()
    assert told.verdict["verdict"] == Verdict.FINISHED


#: Main waits for ever; the child goes on, and tells of it without a break.
BESIDE = """\
import multiprocessing
def work(gate):
    while True:
        with gate:
            pass
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock, gate = multiprocessing.Lock(), multiprocessing.Lock()
    multiprocessing.Process(target=work, args=(gate,)).start()
    lock.acquire()
    lock.acquire()
"""


def test_who_waits_for_ever_beside_one_who_goes_on_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(BESIDE)
    told = tell_of(lambda told: told.verdict["verdict"] == Verdict.DEADLOCK, path)
    assert "Process-1 goes on" in told.verdict["findings"][-1]["explanation"]


def test_on_the_stage_whoever_goes_on_beside_a_deadlock_goes_on(
    watch: Watch,  # noqa: F811
    tmp_path: Path,
) -> None:
    path = tmp_path / "program.py"
    path.write_text(BESIDE)
    run = watch(path)
    run.begin()
    run.monitor.free()
    assert run.wait(Diagnosed).diagnosis.verdict is Verdict.DEADLOCK
    for _ in range(3):
        run.wait(Stepped, after=len(run.listen()))
    run.monitor.fault(1, Move.KILL)
    wait_for(lambda: run.mode is Mode.OVER)
    assert [changed.mode for changed in run.all(ModeChanged)] == [Mode.FREE, Mode.OVER]
    assert len(run.all(Diagnosed)) == 1
