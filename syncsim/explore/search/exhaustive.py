"""Two searches side by side, because neither wins everywhere; the first to finish is right.

One visits states, the other executions.  Philosophers that eat once have few executions and
many states; ten writers of one value have few states and very many executions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from syncsim.explore.bounds import SAMPLERS, Bounds, search_for
from syncsim.explore.properties.judging import Judge
from syncsim.explore.results import SearchResult
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.forever import livelock, waiting_for_ever
from syncsim.explore.search.graph import GraphSearch
from syncsim.explore.search.jobs import Jobs
from syncsim.explore.search.parallel import ParallelSearch
from syncsim.explore.search.sampling import SampleSearch
from syncsim.virtual.model.system import System

#: Steps between two looks at the clock.
SLICE = 2_000


class Search(Protocol):
    """Something that can be advanced until it is done."""

    outcome: SearchResult

    @property
    def frontier(self) -> int:
        """Return how much is known and not visited."""
        ...

    def advance(self, steps: int, bounds: Bounds) -> bool:
        """Take about so many steps; whether there is more to do."""
        ...


_SEARCHES: dict[str, tuple[Callable[[System], Search], ...]] = {
    "graph": (GraphSearch,),
    "dpor": (DPORSearch,),
    "exhaustive": (DPORSearch, GraphSearch),
}


def _begin(
    system: System, kind: str, seed: int, judge: Judge | None, jobs: Jobs | None
) -> list[Search]:
    see = None
    if judge is not None:
        judge.begin()
        kind, see = search_for(kind), judge.see
    if kind in SAMPLERS:
        return [SampleSearch(system, kind, seed, see)]
    if see is not None:
        return [GraphSearch(system, see=see)]
    searches = [make(system) for make in _SEARCHES[kind]]
    if jobs is not None and jobs.number > 1 and kind != "graph":
        # Another search that there may be keeps us busy.
        searches[0] = ParallelSearch(system, jobs, jobs.number + 1 - len(searches))
    return searches


def _look_at_the_whole(search: Search, judge: Judge | None) -> None:
    """Judge what can be said only once all states are known: runs, above all those without end."""
    if not isinstance(search, GraphSearch):
        return
    graph, outcome = search.graph, search.outcome
    if graph.system.body_cache.cyclic:
        for path in (waiting_for_ever(graph), livelock(graph)):
            if path is not None:
                outcome.found(path)
    if judge is not None:
        judge.finish(graph)


def search(
    system: System,
    kind: str,
    bounds: Bounds,
    *,
    first: bool = False,
    seed: int = 0,
    judge: Judge | None = None,
    jobs: Jobs | None = None,
) -> Iterator[tuple[SearchResult, int]]:
    """Run that search; the outcome and the frontier now and then, the last time at the end.

    With two searches, each gets the same number of steps in turn.  A ``judge`` is shown the
    states, which takes a search by states.  Of several ``jobs``, all visit executions, but for
    the one that visits states if that is done, too; states and samples are a matter of one.
    """
    began = time.monotonic()
    running = _begin(system, kind, seed, judge, jobs)
    discovered = system.discovered
    steps = SLICE // 8
    while True:
        for current in list(running):
            goes_on = current.advance(steps, bounds)
            outcome = current.outcome
            outcome.seconds = time.monotonic() - began
            if system.discovered == discovered and outcome.complete:
                _look_at_the_whole(current, judge)
            if system.discovered != discovered:
                # The end of a process turned out to be a step of its own, or a property asks for
                # more than the states hold: begin again.
                discovered = system.discovered
                running = _begin(system, kind, seed, judge, jobs)
                break
            running = _exact_ones(system, running)
            if current not in running:
                continue
            _admit_what_is_not_exact(system, outcome)
            failed = bool(outcome.failures) or (judge is not None and judge.broken)
            done = outcome.complete or (first and failed)
            if not goes_on and not done and len(running) > 1:
                running.remove(current)
                continue
            over = bounds.gone + outcome.seconds > bounds.seconds
            if done or not goes_on or over:
                if not outcome.complete and not outcome.limit:
                    outcome.limit = (
                        "the first failure" if first and failed else f"{bounds.seconds:g} seconds"
                    )
                yield outcome, current.frontier
                return
            yield outcome, current.frontier
        steps = min(steps * 2, SLICE)


def _exact_ones(system: System, running: list[Search]) -> list[Search]:
    """Return the searches that can exhaust the program, of several.

    Where some execution never ends, or threads of a Pool take part, for which the reduction is not
    shown to be exact, only the states can be exhausted.
    """
    if len(running) < 2 or not (system.body_cache.cyclic or system.helped):
        return running
    return [search for search in running if search.outcome.search == "graph"]


def _admit_what_is_not_exact(system: System, outcome: SearchResult) -> None:
    """Call a search by executions incomplete where threads of a Pool take part."""
    if system.helped and outcome.complete and outcome.search == "dpor":
        outcome.complete = False
        outcome.limit = "the search by executions; that by states is exact for a Pool, too"
