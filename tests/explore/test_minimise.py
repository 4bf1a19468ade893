"""The smallest counterexample: none has fewer steps, and none of as many has fewer switches."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from either import either
from hypothesis import assume, given
from hypothesis import strategies as st
from made_up import Act, program

from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.explore.bounds import Bounds
from syncsim.explore.results import Path as Way
from syncsim.explore.results import failure_in, verdict_at_the_end
from syncsim.explore.search import minimise
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.graph import GraphSearch
from syncsim.explore.search.minimise import in_single_steps, minimised, size
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System
from syncsim.virtual.run import VirtualRun

pytestmark = pytest.mark.once

PROGRAMS = Path(__file__).parent / "programs"


def systems(command: str, *, by_call: bool = False) -> tuple[System, System]:
    """One that takes what is local at once, as the searches do, and one that does not."""
    name, *arguments = command.split()
    loaded = load(str(PROGRAMS / f"{name}.py"), tuple(arguments))
    eager, fine = (
        System(VirtualProgram(loaded).main(), by_call=by_call, eager=eager)
        for eager in (True, False)
    )
    return eager, fine


def smallest(eager: System, fine: System, verdict: Verdict) -> Way:
    search = GraphSearch(eager)
    while search.advance(10**6, Bounds()):
        pass
    single = in_single_steps(fine, eager, search.outcome.failures[verdict])
    assert single is not None
    return list(minimised(fine, single))[-1]


@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_philosophers(count: int, by_call: bool) -> None:
    """2n steps and n switches, at either grain.

    In a deadlock each of the n waits for a fork that another holds, so each has made one step, to
    take its first fork, and before it main one, to start it: fewer than 2n cannot do.  And n + 1
    processes have made steps, so that somebody else is chosen n times at least.
    """
    eager, fine = systems(f"philosophers {count} 1", by_call=by_call)
    found = smallest(eager, fine, Verdict.DEADLOCK)
    assert size(found) == (2 * count, count)


def by_brute_force(fine: System, fails: Callable[[State, tuple[Move, ...]], bool]) -> list[Way]:
    """The ways to all failures, in any order of single steps."""
    found = []

    def below(state: State, moves: tuple[Move, ...], done: tuple[Did, ...]) -> None:
        if fails(state, moves):
            found.append(Way(Verdict.DEADLOCK, moves, done))
            return
        for move in fine.moves(state):
            after, did = fine.take(state, move)
            below(after, (*moves, move), done + did)

    start = fine.start()
    below(start.state, (), start.did)
    return found


_ACT = st.sampled_from(
    [Act(verb, lock) for lock in ("lock", "other") for verb in (Verb.ACQUIRE, Verb.RELEASE)]
    + [Act(Verb.ACQUIRE, "signal"), Act(Verb.RELEASE, "signal"), Act(Verb.READ, "cell")]
)
_PROCESS = st.lists(_ACT, max_size=4).map(tuple)


@given(st.tuples(_PROCESS, _PROCESS))
def test_no_deadlock_is_smaller(processes: tuple[tuple[Act, ...], ...]) -> None:
    """The searches know a deadlock where nothing goes on, a person knows one a little earlier.

    So what is found is at least as small as the smallest of the first kind, and where these two
    are the same there is no way around it.
    """
    fine = System(program(*processes), eager=False)

    def stands_still(state: State, moves: tuple[Move, ...]) -> bool:
        return not fine.moves(state) and verdict_at_the_end(fine, state) is Verdict.DEADLOCK

    def is_said(state: State, moves: tuple[Move, ...]) -> bool:
        world = VirtualRun(fine)
        for move in moves:
            world.make(move)
        return diagnose(world.state).verdict is Verdict.DEADLOCK

    ways = by_brute_force(fine, stands_still)
    assume(ways)
    least = min(map(size, by_brute_force(fine, is_said)))
    *_, found = minimised(fine, max(ways, key=size))
    assert least <= size(found) <= min(map(size, ways))
    assert is_said(fine.start().state, found.moves)
    # Whoever has visited every execution has met one with the fewest steps.
    search = DPORSearch(eager := System(program(*processes)))
    assert not search.advance(10**6, Bounds())
    single = in_single_steps(fine, eager, search.outcome.failures[Verdict.DEADLOCK])
    assert single is not None
    assert single.length == min(way.length for way in ways)
    *_, short = minimised(fine, single, shortest=True)
    assert size(short) == size(found)


LOST = """
from multiprocessing import Process, RawValue

def count(counter):
    counter.value += 1

if __name__ == "__main__":
    counter = RawValue("i", 0)
    both = [Process(target=count, args=(counter,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert counter.value == 2
"""
LATE = """
from multiprocessing import Lock, Process

def fail(lock, first):
    with lock:
        if first.acquire(block=False):
            return
    with lock:
        raise ValueError("second")

if __name__ == "__main__":
    lock, first = Lock(), Lock()
    for _ in range(2):
        Process(target=fail, args=(lock, first)).start()
    print("both are started")
"""


@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize(
    ("text", "verdict"), [(LOST, Verdict.ASSERTION), (LATE, Verdict.CRASH)], ids=["lost", "late"]
)
def test_no_failure_is_smaller(tmp_path: Path, text: str, verdict: Verdict, by_call: bool) -> None:
    (tmp_path / "program.py").write_text(text)
    eager, fine = systems(str(tmp_path / "program"), by_call=by_call)
    found = smallest(eager, fine, verdict)
    ways = by_brute_force(fine, lambda state, moves: failure_in(state) is not None)
    assert size(found) == min(map(size, ways))
    assert len({size(way) for way in ways}) > 3


def a_random_deadlock(fine: System, seed: int) -> Way:
    source = random.Random(seed)
    (state, did), made = fine.start(), []
    done = [*did]
    while moves := fine.moves(state):
        made.append(source.choice(moves))
        state, did = fine.take(state, made[-1])
        done += did
    ended = verdict_at_the_end(fine, state) is Verdict.FINISHED
    return Way(Verdict.DEADLOCK, tuple(made), () if ended else tuple(done))


@pytest.mark.parametrize("states", [0, 2_000])
def test_what_is_too_large_is_made_smaller_step_by_step(
    states: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks are left out and put together; and with some states to spare, preemptions are few."""
    _, fine = systems("philosophers 3 2")
    long = next(way for seed in count() if (way := a_random_deadlock(fine, seed)).length > 12)
    monkeypatch.setattr(minimise, "MOST_STATES", states)
    *_, found = minimised(fine, long)
    assert size(found) < size(long)
    assert states == 0 or size(found) == (6, 3)
    state = fine.start().state
    for move in found.moves:
        assert move in fine.moves(state)
        state = fine.take(state, move).state
    assert verdict_at_the_end(fine, state) is Verdict.DEADLOCK
