"""What the kernel says of processes that really sleep, and whether it agrees with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import DEADLINE, PROJECT, wait_for, world
from test_hangs import free

from syncsim.core.live import Inspected
from syncsim.core.schedule import Choice
from syncsim.real.kernel import python_stack, sleeping_on
from syncsim.real.kernel.sleep import Sleep, look, look_at_all
from syncsim.real.kernel.syscalls import is_timed, name_of
from syncsim.real.run import RealRun

FORKED = """
from multiprocessing import Lock, Process, Queue, set_start_method
import sys

def take(lock):
    lock.acquire()

def get(inbox):
    inbox.get()

if __name__ == "__main__":
    set_start_method(sys.argv[1])
    lock, inbox = Lock(), Queue()
    lock.acquire()
    children = [
        Process(target=take, args=(lock,), name="Ada"),
        Process(target=get, args=(inbox,), name="Bob"),
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
"""


@contextmanager
def sleeper(code: str) -> Iterator[subprocess.Popen[str]]:
    """A Python that says something and then sleeps."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def asleep(pid: int, call: str) -> Sleep:
    """Its account once it sleeps in that system call."""

    def found() -> Sleep | None:
        sleep = look(pid)
        return sleep if sleep is not None and sleep.asleep and sleep.call == call else None

    sleep: Sleep = wait_for(found)
    return sleep


# -- system calls --------------------------------------------------------------------------


def test_a_sleep_is_timed_and_a_lock_is_not() -> None:
    with sleeper("import time; time.sleep(1000)") as process:
        assert asleep(process.pid, "clock_nanosleep").timed
    code = "import threading as t; lock = t.Lock(); lock.acquire(); lock.acquire({})"
    with sleeper(code.format("")) as process:
        sleep = asleep(process.pid, "futex")
        assert not sleep.timed
        assert sleep.words.startswith("sleeping in futex")
    with sleeper(code.format("timeout=1000")) as process:
        assert asleep(process.pid, "futex").timed


def test_who_sleeps_on_is_not_switched_to() -> None:
    with sleeper("import signal; signal.sigwait([10])") as process:
        asleep(process.pid, "rt_sigtimedwait")
        wait_for(lambda: look(process.pid) == look(process.pid))
        before = look(process.pid)
        sum(range(1_000_000))
        assert look(process.pid) == before
        process.send_signal(10)
        wait_for(lambda: process.poll() is not None)


@pytest.mark.parametrize("how", ["poll", "select", "epoll"])
def test_the_files_that_are_waited_for_are_found(how: str) -> None:
    code = f"""
import os, select
pipes = [os.pipe() for _ in range(3)]
ends = [end for end, _ in pipes][:2]
print(*ends, flush=True)
if {how!r} == "select":
    select.select(ends, [], [])
waiting = getattr(select, {how!r})()
for end in ends:
    waiting.register(end, select.POLLIN)
waiting.poll()
"""
    poll = "ppoll" if sys.version_info >= (3, 15) else "poll"
    call = {"poll": poll, "select": "pselect6", "epoll": "epoll_wait"}[how]
    with sleeper(code) as process:
        assert process.stdout is not None
        ends = sorted(map(int, process.stdout.readline().split()))
        found = sleeping_on.slept_on(process.pid, asleep(process.pid, call))
        assert sorted(found or ()) == ends
        assert sleeping_on.target_of(process.pid, ends[0]).startswith("pipe:[")


def test_every_thread_is_looked_at() -> None:
    code = (
        "import threading, time; threading.Thread(target=time.sleep, args=(99,)).start(); input()"
    )
    with sleeper(code) as process:
        wanted = ["clock_nanosleep", "read"]
        wait_for(lambda: sorted(one.call for one in look_at_all(process.pid).values()) == wanted)


def test_of_who_is_gone_nothing_is_known() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert look(process.pid) is None
    assert look_at_all(process.pid) == {}
    assert python_stack.stack_of(process.pid, 4096) == ()
    assert sleeping_on.target_of(process.pid, 0) == ""
    assert sleeping_on.mapping_at(process.pid, 4096) == ""


def test_bounds_of_time_are_read_as_the_kernel_reads_them() -> None:
    assert is_timed("poll", (1, 1, 1000, 0, 0, 0))
    assert not is_timed("poll", (1, 1, 0xFFFFFFFF, 0, 0, 0))
    assert not is_timed("poll", (1, 1, (1 << 64) - 1, 0, 0, 0))
    assert is_timed("futex", (1, 0, 0, 0x7FFF, 0, 0))
    assert not is_timed("read", (1, 0, 0, 1, 1, 1))


def test_an_unknown_system_call_is_told_by_its_number() -> None:
    assert name_of(999) == "system call 999"


# -- the Python stack -----------------------------------------------------------------------


def test_the_stack_of_another_process_is_read_without_its_help() -> None:
    code = """
from syncsim.instrument.anchor import thread_state
def größer(n):
    if n == 0:
        print(thread_state(), flush=True)
        input()
    sorted([n], key=lambda _: größer(
        n - 1))
größer(2)
"""
    with sleeper(code) as process:
        assert process.stdout is not None
        state = int(process.stdout.readline())
        asleep(process.pid, "read")
        stack = python_stack.stack_of(process.pid, state)
        assert [(level.function, level.line) for level in stack] == [
            ("<module>", 9),
            ("größer", 7),
            ("<lambda>", 7),
            ("größer", 7),
            ("<lambda>", 7),
            ("größer", 6),
        ]
        assert {level.file for level in stack} == {"<string>"}
        # It has noticed nothing: it reads on.
        process.communicate("x\n")


@pytest.mark.parametrize("address", [0, 1, 4096, 1 << 62, (1 << 64) - 8])
def test_a_wrong_address_leads_to_no_stack(address: int) -> None:
    assert python_stack.stack_of(os.getpid(), address) == ()


# -- beside our own account --------------------------------------------------------------------


def inspected(real: RealRun, actor: int, call: str) -> Inspected:
    """The look at an actor once the kernel says that it sleeps in that call."""

    def found() -> Inspected | None:
        real.pump(0.01)
        if len(real.state.actors) <= actor:
            return None
        seen = real.inspection.inspect(actor)
        return seen if f"sleeping in {call}" in seen.kernel else None

    seen: Inspected = wait_for(found)
    return seen


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_futex_and_pipe_are_told_by_the_name_of_the_primitive(tmp_path: Path, method: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(FORKED)
    with free(program, method) as real:
        names = {"Ada": 0, "Bob": 0}

        def all_wait() -> bool:
            real.pump(0.01)
            names.update({actor.name: actor.id for actor in real.state.actors})
            pending = all(actor.pending for actor in real.state.actors)
            return pending and names["Ada"] > 0 and names["Bob"] > 0

        wait_for(all_wait)
        ada = inspected(real, names["Ada"], "futex")
        bob = inspected(real, names["Bob"], "read")
        assert ada.kernel.endswith("on the semaphore of lock")
        assert bob.kernel.endswith(", the pipe of inbox")
        assert ada.doubt == bob.doubt == ""
        assert [(f.function, f.line) for f in ada.frames] == [("take", 6)]
        assert [(f.function, f.line) for f in bob.frames] == [("get", 9)]


def test_at_its_gate_a_process_sleeps_at_its_gate(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from multiprocessing import Lock\nwith Lock():\n    pass\n")
    with world(program) as real:
        real.settle(time.monotonic() + DEADLINE)
        # (It answers what it is asked, and sleeps again a moment later.)
        seen: list[Inspected] = []

        def sleeps() -> bool:
            seen[:] = [real.inspection.inspect(0)]
            kernel = seen[0].kernel
            return kernel.startswith("sleeping in read") and kernel.endswith("on its gate")

        wait_for(sleeps)
        assert seen[0].doubt == ""
        assert seen[0].frames


def test_where_the_kernel_disagrees_it_is_said(tmp_path: Path) -> None:
    # A handler of the program's own runs in the middle of the wait, and does not come back.
    program = tmp_path / "program.py"
    program.write_text(
        "import signal\n"
        "from multiprocessing import Lock\n"
        "def spin(*_):\n"
        "    while True:\n"
        "        pass\n"
        "lock = Lock()\n"
        "lock.acquire()\n"
        "signal.signal(signal.SIGALRM, spin)\n"
        "lock.acquire()\n"
    )
    with free(program) as real:

        def waits() -> bool:
            real.pump(0.01)
            return real.state.actors[0].pending is not None

        wait_for(waits)
        os.kill(real.state.actors[0].pid, signal.SIGALRM)
        seen = wait_for(lambda: real.inspection.inspect(0).doubt)
        assert seen == "we say that main waits for lock, the kernel that it is running"


def test_a_choice_leads_on_after_a_look(tmp_path: Path) -> None:
    """Looking changes nothing."""
    program = tmp_path / "program.py"
    program.write_text("from multiprocessing import Lock\nwith Lock():\n    print(1)\n")
    with world(program) as real:
        real.settle(time.monotonic() + DEADLINE)
        for _ in range(4):
            real.inspection.inspect(0)
            assert real.take(Choice(0), time.monotonic() + DEADLINE)
            if real.over:
                break
