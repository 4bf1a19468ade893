"""The driver: one loop over a run of either world, and when it declares that nothing moves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Choice, Move
from syncsim.core.scheduler import Replay, ReplayError, RoundRobin
from syncsim.core.state import State
from syncsim.driver import Driver, OutOfTimeError, Rest
from syncsim.program.source import load
from syncsim.real.run import RealRun
from syncsim.virtual.run import VirtualRun

pytestmark = pytest.mark.once

PUZZLES = Path(__file__).parents[1] / "puzzles"
AB_BA = PUZZLES / "ab-ba" / "program.py"
#: Main waits at a Pipe for a process that is stopped, beside the threads of a Manager's server.
STOPPED = """\
import multiprocessing

def answer(end, noted):
    end.send(noted.get("word"))

if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    with multiprocessing.Manager() as manager:
        here, there = multiprocessing.Pipe()
        child = multiprocessing.Process(target=answer, args=(there, manager.dict()), name="Ada")
        child.start()
        here.recv()
"""


class Eldest(RoundRobin):
    """The first that can go goes."""

    def choose(self, state: State, choices: Sequence[Choice]) -> Choice | None:
        return choices[0] if choices else None


class Doubtful(VirtualRun):
    """A run that believes no deadlock before it was asked so many times."""

    def __init__(self, asked: int) -> None:
        super().__init__(load(AB_BA))
        self.asked = asked
        self.listened = 0

    def is_final(self, stuck: object) -> bool:
        self.asked -= 1
        return self.asked < 0

    def may_still_move(self) -> bool:
        return True

    def pump(self, timeout: float) -> bool:
        self.listened += 1
        return False


def test_a_run_is_followed_to_its_end() -> None:
    run, taken, quiet = VirtualRun(load(AB_BA)), list[Choice](), list[int]()
    driver = Driver(run, on_choice=taken.append, on_quiet=lambda: quiet.append(len(taken)))
    standing = driver.follow(Eldest())
    assert standing.rest is Rest.OVER
    assert standing.believed.verdict is Verdict.FINISHED
    assert quiet == list(range(len(taken) + 1))
    run.close()


def test_a_deadlock_is_proven_where_the_run_confirms_it() -> None:
    run = VirtualRun(load(AB_BA))
    standing = Driver(run).follow(Replay("a2b3c3"))
    assert standing.rest is Rest.PROVEN
    assert standing.believed.verdict is Verdict.DEADLOCK
    run.close()


def test_a_deadlock_that_is_not_confirmed_yet_is_waited_for() -> None:
    run = Doubtful(asked=3)
    standing = Driver(run).follow(Replay("a2b3c3"))
    assert standing.rest is Rest.PROVEN
    assert run.listened == 3
    run.close()


def test_a_deadlock_that_is_never_confirmed_is_a_suspicion_and_no_verdict() -> None:
    run = Doubtful(asked=10_000_000)
    standing = Driver(run).follow(Replay("a2b3c3"), patience=0.01)
    assert standing.rest is Rest.OPEN
    assert standing.is_suspicion
    assert standing.diagnosis.verdict is Verdict.DEADLOCK
    assert standing.believed.verdict is None
    run.close()


def test_a_wait_ends_with_the_time_there_is() -> None:
    run = Doubtful(asked=10_000_000)
    with pytest.raises(OutOfTimeError):
        Driver(run, deadline=time.monotonic()).follow(Replay("a2b3c3"))
    run.close()


def test_a_wait_ends_when_it_is_interrupted() -> None:
    run = Doubtful(asked=10_000_000)
    with pytest.raises(OutOfTimeError):
        Driver(run, interrupted=lambda: run.listened > 2).follow(Replay("a2b3c3"))
    run.close()


def test_a_schedule_of_another_program_is_refused() -> None:
    run = VirtualRun(load(AB_BA))
    with pytest.raises(ReplayError, match="its choice 1 is b"):
        Driver(run).follow(Replay("b"))
    run.close()


def test_a_run_that_only_a_person_can_continue_is_halted(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(STOPPED)
    run = RealRun(load(path), patience=30.0)
    try:
        driver = Driver(run, deadline=time.monotonic() + 50)
        driver.settle()
        scheduler = RoundRobin()
        while not any(actor.name == "Ada" and actor.pending for actor in run.state.actors):
            choice = scheduler.choose(run.state, run.choices())
            assert choice is not None
            run.take(choice)
        ada = next(actor.id for actor in run.state.actors if actor.name == "Ada")
        driver.follow(Replay([Choice(ada, Move.STOP)]))
        standing = driver.follow(scheduler)
        assert standing.rest is Rest.HALTED
        assert standing.halted == (ada,)
    finally:
        run.close()


def test_a_deadlock_at_a_pipe_is_proven_beside_threads_that_wait(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(STOPPED.replace('end.send(noted.get("word"))', "end.recv()"))
    run = RealRun(load(path), patience=30.0)
    try:
        standing = Driver(run, deadline=time.monotonic() + 50).follow(RoundRobin())
        assert standing.rest is Rest.PROVEN
        assert standing.believed.verdict is Verdict.DEADLOCK
    finally:
        run.close()


def test_a_stopped_process_is_named_beside_a_proven_deadlock(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "from multiprocessing import Lock, get_context\n"
        "def twice(lock): lock.acquire(); lock.acquire()\n"
        "def once(lock): lock.acquire()\n"
        "if __name__ == '__main__':\n"
        "    context = get_context('fork')\n"
        "    every = [context.Process(target=t, args=(context.Lock(),)) for t in (twice, once)]\n"
        "    for each in every: each.start()\n"
        "    for each in every: each.join()\n"
    )
    run = VirtualRun(load(path))
    driver = Driver(run)
    driver.follow(Replay("a2"))
    driver.follow(Replay([Choice(2, Move.STOP)]))
    standing = driver.follow(RoundRobin())
    assert (standing.rest, standing.diagnosis.verdict) == (Rest.PROVEN, Verdict.DEADLOCK)
    assert standing.halted == (2,)
    run.close()
