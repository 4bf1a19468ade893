"""A search in pieces visits what one alone does, however they are lent and come back."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable

import pytest
from either import either
from hypothesis import given
from hypothesis import strategies as st
from test_brute_force import (
    _CELLS,
    _CLOSES,
    _PIPES,
    _SEMAPHORES,
    _TRIES,
    Plan,
    _programs,
    _settings,
    exhausted,
    traces,
)
from test_counts import PROGRAMS, system_of

from syncsim.explore.bounds import Bounds
from syncsim.explore.results import SearchResult
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.jobs import Jobs, processes
from syncsim.explore.search.leases import Asked, Borrower, Names, Returned, add
from syncsim.explore.search.parallel import Frontier, LeaseTree, ParallelSearch
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

WITHOUT_END = Bounds(states=2**62)


def in_pieces(
    make: Callable[[], System], seed: int, *, jobs: int = 3, steps: int = 1
) -> SearchResult:
    """A search by so many who take turns at random; each piece is ``steps`` long, or a little more.

    Each of them learns the program for itself.
    """
    system = make()
    borrowers = [Borrower(make(), steps) for _ in range(jobs)]
    while True:
        found = _once(system, borrowers, random.Random(seed))
        if found is not None:
            return found


def _once(system: System, borrowers: list[Borrower], source: random.Random) -> SearchResult | None:
    """None if somebody turned out to be of interest meanwhile."""
    discoveries, names = system.named_discoveries, Names(system)
    alone = DPORSearch(system)
    goes_on = alone.advance(1, WITHOUT_END)
    frontier = Frontier(names, [names.level(place) for place in alone.dpor.rest()])
    out: list[tuple[LeaseTree, Returned]] = []
    while goes_on and system.named_discoveries == discoveries:
        found = frontier.lend() if source.random() < 0.6 or not out else None
        if found is not None:
            leaf, lease = found
            sent = pickle.dumps(lease._replace(seconds=0.0))
            returned = source.choice(borrowers).explore(pickle.loads(sent))
            out.append((leaf, pickle.loads(pickle.dumps(returned))))
        elif out:
            leaf, returned = out.pop(source.randrange(len(out)))
            system.expect(returned.discoveries)
            if returned.discoveries == discoveries:
                add(alone.outcome, returned, names)
                frontier.take_back(leaf, returned)
        else:
            goes_on = False
    return alone.outcome if system.named_discoveries == discoveries else None


def alone(make: Callable[[], System]) -> SearchResult:
    """A search in one piece."""
    system = make()
    while True:
        discoveries = system.named_discoveries
        search = DPORSearch(system)
        assert not search.advance(10**9, WITHOUT_END)
        if system.named_discoveries == discoveries:
            return search.outcome


@either("steps", [1, 300])
@pytest.mark.parametrize(
    "command",
    [
        "philosophers 5 1",
        "philosophers 3 2",
        "lost_update 4",
        "locked_counter 4",
        "indexer 12",
        "filesystem 16",
        "lastzero 6",
        "readers 5",
        "slot 1 1 4",
        "slot 2 2 1",
    ],
)
def test_pieces_are_as_many_executions_and_none_in_vain(command: str, steps: int) -> None:
    whole = alone(lambda: system_of(command))
    pieces = in_pieces(lambda: system_of(command), 1, steps=steps)
    assert (pieces.executions, pieces.blocked) == (whole.executions, 0)
    assert pieces.endings.ways.keys() == whole.endings.ways.keys()
    assert pieces.failures.keys() == whole.failures.keys()
    assert pieces.races.data.keys() == whole.races.data.keys()
    assert pieces.races.contested == whole.races.contested


@pytest.mark.parametrize("command", ["lost_update 4", "philosophers 3 2"])
def test_processes_visit_as_many_executions(command: str) -> None:
    name, *arguments = command.split()
    asked = Asked(str(PROGRAMS / f"{name}.py"), tuple(arguments), "", False)
    whole = alone(lambda: system_of(command))
    with processes(2, 4 << 30) as executor:
        search = ParallelSearch(system_of(command), Jobs(2, asked, lambda: executor), 2, alone=0.0)
        while search.advance(1, WITHOUT_END):
            assert search.frontier
    assert search.outcome.complete
    assert (search.outcome.executions, search.outcome.blocked) == (whole.executions, 0)
    assert search.outcome.failures.keys() == whole.failures.keys()


def compare(plan: Plan, seed: int, *, by_call: bool = False, optimal: bool = True) -> None:
    """Hold a search in pieces to one alone and to brute force."""

    def make() -> System:
        return System(plan.seed(), by_call=by_call)

    whole, pieces = alone(make), in_pieces(make, seed)
    assert pieces.endings.ways.keys() == whole.endings.ways.keys()
    assert pieces.failures.keys() == whole.failures.keys()
    if optimal:
        every = exhausted(make())
        assert pieces.executions == len(traces(events for events, _ in every))
        assert pieces.blocked == 0


_seeds = st.integers(0, 10**6)


@pytest.mark.parametrize("by_call", [False, True])
@given(plan=_programs(7, _SEMAPHORES, _CELLS, _TRIES), seed=_seeds)
@_settings
def test_semaphores_and_cells(plan: Plan, seed: int, by_call: bool) -> None:
    compare(plan, seed, by_call=by_call)


@given(plan=_programs(5, _PIPES, _CELLS), seed=_seeds)
@_settings
def test_pipes_and_queues(plan: Plan, seed: int) -> None:
    compare(plan, seed)


@given(plan=_programs(3, _SEMAPHORES, _CELLS, _TRIES, _PIPES, lives=True), seed=_seeds)
@_settings
def test_lives(plan: Plan, seed: int) -> None:
    compare(plan, seed, optimal=False)


@given(plan=_programs(5, _CLOSES, _PIPES[:4], _CELLS), seed=_seeds)
@_settings
def test_ends_of_pipes(plan: Plan, seed: int) -> None:
    compare(plan, seed, optimal=False)
