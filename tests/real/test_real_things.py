"""The processes are real, and the primitives are CPython's own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, METHODS, control, is_alive, parent_of, state_of, tell, wait_for, world

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Choice
from syncsim.core.scheduler import RoundRobin
from syncsim.puzzles.catalogue import Puzzle, catalogue

each_puzzle = pytest.mark.parametrize("puzzle", catalogue(), ids=lambda puzzle: puzzle.slug)
each_method = pytest.mark.parametrize("method", METHODS)

PRIVATE = """\
import multiprocessing, sys
import multiprocessing.connection, multiprocessing.queues, multiprocessing.sharedctypes
import multiprocessing.synchronize, multiprocessing.pool
import _multiprocessing

def kinds():
    c = multiprocessing
    s, q, m = c.synchronize, c.queues, c.sharedctypes
    return [
        (c.Lock(), s.Lock), (c.RLock(), s.RLock), (c.Semaphore(2), s.Semaphore),
        (c.BoundedSemaphore(2), s.BoundedSemaphore), (c.Condition(), s.Condition),
        (c.Event(), s.Event), (c.Barrier(2), s.Barrier), (c.Queue(), q.Queue),
        (c.JoinableQueue(), q.JoinableQueue), (c.SimpleQueue(), q.SimpleQueue),
        (c.Value("i", 1), m.Synchronized), (c.Array("i", 2), m.SynchronizedArray),
        (c.Array("c", b"text"), m.SynchronizedString),
        (c.Pipe()[0], c.connection.Connection), (c.Process(), c.process.BaseProcess),
        (c.Lock()._semlock, _multiprocessing.SemLock),
    ]

def check():
    for thing, kind in kinds():
        assert isinstance(thing, kind), (thing, kind)
        assert not type(thing).__module__.startswith("syncsim") or "SemLock" in repr(kind)
    assert multiprocessing.Lock().__class__.__module__ == "multiprocessing.synchronize"

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    check()
    process = multiprocessing.Process(target=check)
    process.start()
    process.join()
    assert process.exitcode == 0, process.exitcode
"""


@each_method
@either("scheduler", ["os", "round-robin"])
def test_every_primitive_is_one_of_cpython(method: str, scheduler: str, tmp_path: Path) -> None:
    program = tmp_path / "own.py"
    program.write_text(PRIVATE)
    told = tell(program, "--scheduler", scheduler, "--", method)
    assert told.verdict["verdict"] == "finished", told.verdict["explanation"]
    assert told.exitcode == 0


@each_puzzle
def test_every_process_of_the_record_is_a_child_process_while_the_run_lasts(
    puzzle: Puzzle,
) -> None:
    with world(puzzle.program) as real:
        real.settle(time.monotonic() + DEADLINE)
        seen: set[int] = set()
        scheduler = RoundRobin()
        while not real.over and (choices := real.choices()):
            for actor in real.state.actors:
                if actor.ended:
                    continue
                os.kill(actor.pid, 0)
                above = os.getpid() if actor.is_main else real.state.actors[0].pid
                parent = parent_of(actor.pid)
                assert above == (parent_of(parent) if actor.method == "forkserver" else parent)
                assert actor.parent == (None if actor.is_main else 0)
                seen.add(actor.pid)
            real.take(scheduler.choose(real.state, choices), time.monotonic() + DEADLINE)
        pids = [actor.pid for actor in real.state.actors]
    assert seen == set(pids)
    wait_for(lambda: not any(is_alive(pid) for pid in pids))


def test_a_finished_child_is_a_zombie_to_the_kernel_as_to_us(tmp_path: Path) -> None:
    program = tmp_path / "zombie.py"
    program.write_text(
        "from multiprocessing import Process, set_start_method\n"
        "if __name__ == '__main__':\n"
        "    set_start_method('fork')\n"
        "    child = Process(target=int)\n"
        "    child.start()\n"
        "    print('busy')\n"
        "    child.join()\n"
    )
    with world(program) as real:
        real.settle(time.monotonic() + DEADLINE)
        for choice in (Choice(0), Choice(1)):
            real.take(choice, time.monotonic() + DEADLINE)
        child = real.state.actors[1]
        assert (child.ended, child.reaped, child.exitcode) == (True, False, 0)
        assert wait_for(lambda: state_of(child.pid) == "Z")
        for choice in (Choice(0), Choice(0)):
            real.take(choice, time.monotonic() + DEADLINE)
        assert real.state.actors[1].reaped
        assert state_of(child.pid) == "X"


def test_a_lock_that_is_held_in_the_state_is_held_for_real(tmp_path: Path) -> None:
    program = tmp_path / "held.py"
    program.write_text(
        "from multiprocessing import Lock\n"
        "gate = Lock()\n"
        "gate.acquire()\n"
        "print(gate)\n"
        "gate.release()\n"
        "print(gate)\n"
    )
    told = tell(program, "--scheduler", "round-robin")
    assert told.text("stdout") == "<Lock(owner=MainProcess)>\n<Lock(owner=None)>\n"


def test_who_was_granted_and_has_not_reported_yet_is_not_granted_again(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import multiprocessing, time\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.Process(target=time.sleep, args=(0,))\n"
        "    child.start()\n"
        "    child.join()\n"
    )
    with world(path) as real:
        real.settle()
        assert real.choices() == (Choice(0),)
        real.grant(Choice(0))
        assert real.choices() == ()
        real.settle()
        assert Choice(0) not in real.choices()  # joins
        assert Choice(1) in real.choices()


SLOW_END = """\
import multiprocessing, select
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
def give(gate, verb, *args, **options):
    given = at_once(gate, verb, *args, **options)
    if verb is Verb.EXIT:
        select.select([], [], [], 0.7)
    return given
at_once, Gate.give = Gate.give, give
if __name__ == "__main__":
    child = multiprocessing.Process(target=int, name="Ada")
    child.start()
    child.join()
    print(child.exitcode)
"""
SLOW_START = """\
import multiprocessing, select
class Slow(multiprocessing.Process):
    @staticmethod
    def _Popen(process):
        select.select([], [], [], 0.7)  # as where the fork server is busy
        return multiprocessing.Process._Popen(process)
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    gate = multiprocessing.Lock()
    child = Slow(target=gate.acquire, name="Ada")
    child.start()
    gate.acquire(timeout=1)
    child.join()
"""


SLOW_JOIN = """\
import multiprocessing, select
from multiprocessing.popen_fork import Popen
def wait(popen, timeout=None):
    select.select([], [], [], 0.7)  # as where the kernel is busy
    return at_once(popen, timeout)
at_once, Popen.wait = Popen.wait, wait
if __name__ == "__main__":
    child = multiprocessing.Process(target=int, name="Ada")
    child.start()
    child.join()
    print(child.exitcode)
"""


@pytest.mark.parametrize("text", [SLOW_JOIN, SLOW_END], ids=["join", "end"])
def test_who_is_slow_to_join_who_has_ended_or_to_end_is_waited_for(
    text: str, tmp_path: Path
) -> None:
    program = tmp_path / "slow.py"
    program.write_text(text)
    run = control(program, RoundRobin())
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert len(run.steps) == len(run.chosen)
    assert run.text("stdout") == ["0"]


def test_who_is_slow_to_start_a_process_is_not_granted_that_twice(tmp_path: Path) -> None:
    program = tmp_path / "slow.py"
    program.write_text(SLOW_START)
    run = control(program, RoundRobin())
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert len(run.steps) == len(run.chosen)
    assert [step.call for step in run.steps].count("Process.start") == 1
