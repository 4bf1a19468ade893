"""However late somebody is on a busy machine: what it owes comes, and nothing is told wrongly.

Each test holds one process up at one place for longer than anybody has patience, and then lets it
go on.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from running import DEADLINE, Run, wait_for, world
from test_hangs import free

from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.scheduler import RoundRobin
from syncsim.real.kernel import stat

pytestmark = pytest.mark.once

#: It announces its first operation, and comes to its gate a second later.
LATE_AT_ITS_GATE = """\
import sys, time
from multiprocessing import Lock, Process, Semaphore
from syncsim.instrument.gate import Gate

def connect(gate):
    if not gate.here.knocked:
        end = now() + 1
        while now() < end:
            pass
    return in_time(gate)

def take():
    print(Lock().acquire())

def start():
    print(Process(target=int).start())

def time_out():
    print(Semaphore(0).acquire(timeout=3600))

now = time.monotonic
in_time, Gate._connect = Gate._connect, connect
if __name__ == "__main__":
    globals()[sys.argv[1]]()
"""

#: Between its word that it waits for the lock, and the wait, it is neither asleep nor at work: it
#: has a program started, and that comes about only once somebody opens the FIFO.
LATE_TO_SLEEP = """\
import os, posix, sys
from multiprocessing import Lock
from syncsim.instrument.gate import Gate

def late(gate, *what):
    with gate.silence():
        opened = (os.POSIX_SPAWN_OPEN, 9, sys.argv[1], os.O_WRONLY, 0)
        posix.posix_spawn("/bin/true", ["true"], {}, file_actions=[opened])
    return in_time(gate, *what)

in_time, Gate._really = Gate._really, late
lock = Lock()
lock.acquire()
lock.acquire()
"""

AT_A_GATE = "from multiprocessing import Lock\nlock = Lock()\nlock.acquire()\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program.py"


@pytest.mark.parametrize(
    ("what", "call", "printed"),
    [
        ("take", "Lock.acquire", "True"),
        ("start", "Process.start", "None"),
        ("time_out", "Semaphore.acquire", "False"),
    ],
)
def test_who_is_late_at_its_gate_is_let_go_when_it_comes(
    program: Path, what: str, call: str, printed: str
) -> None:
    program.write_text(LATE_AT_ITS_GATE)
    run = Run()
    with world(program, what, run=run, patience=0.2) as real:
        end = time.monotonic() + DEADLINE
        scheduler = RoundRobin()
        while not real.over:
            assert time.monotonic() < end, real.state
            choice = scheduler.choose(real.state, real.choices())
            if choice is None:
                real.pump(0.05)
            else:
                real.take(choice, end)
    own = [step.call for step in run.steps if step.process == "main"]
    assert own[:2] == [call, "print"]
    assert own[-1] == "exit"
    assert run.text("stdout") == [printed]


def test_who_is_late_to_answer_has_answered(program: Path) -> None:
    program.write_text(AT_A_GATE)
    with world(program) as real:
        real.settle(time.monotonic() + DEADLINE)
        assert real.inspection.inspect(0).frames  # it has come to its gate
        pid = real.state.actors[0].pid
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(1.5, os.kill, (pid, signal.SIGCONT)).start()
        inspected = real.inspection.inspect(0)
        assert inspected.note == ""
        assert [frame.line for frame in inspected.frames] == [3]


def test_who_is_late_to_sleep_is_not_said_to_be_awake(program: Path, tmp_path: Path) -> None:
    program.write_text(LATE_TO_SLEEP)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with free(program, str(fifo)) as real:
        wait_for(lambda: (real.pump(0.05), real.state.actors[0].pending)[1])
        wait_for(lambda: not real.inspection.inspect(0).kernel.startswith("running"))
        threading.Timer(1, os.close, (os.open(fifo, os.O_RDONLY | os.O_NONBLOCK),)).start()
        (main,) = real.inspection.report(diagnose(real.state), [], "a command").processes
        assert main.doubt == ""
        assert main.kernel.startswith("sleeping in futex")


@pytest.mark.parametrize(
    ("ticks", "asleep"), [([0, 0, 0, 0], True), ([0, 1, 2, 3], True), ([0, 100, 200, 300], False)]
)
def test_who_does_not_get_the_processor_is_waited_for_and_who_has_it_is_not(
    monkeypatch: pytest.MonkeyPatch, ticks: list[int], asleep: bool
) -> None:
    seen = [["R", *"0123456789", str(used), "0"] for used in ticks] + [["S"]]
    monkeypatch.setattr(stat, "_stat", lambda pid: seen.pop(0))
    assert stat.falls_asleep(1) is asleep
