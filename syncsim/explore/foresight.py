"""Foresight: what may still come of each state, known from the graph of all states.

A state has a set of *ends*: the ways in which the runs through it can come to an end, to end
well or to fail in one way or the other.  A failure is an end, whatever comes after it.  Runs
that never end count as ``forever`` judges them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.outlook import Foreseen, Outlook
from syncsim.core.schedule import Choice, Grain
from syncsim.explore.bounds import Bounds
from syncsim.explore.following import Follower, Position
from syncsim.explore.results import failure_in, verdict_at_the_end
from syncsim.explore.search.forever import circles, hopeless_waits
from syncsim.explore.search.graph import Graph, GraphSearch
from syncsim.virtual.model.states import Taken
from syncsim.virtual.model.system import System

#: Each end is a bit of a number.
_BITS = {verdict: 1 << at for at, verdict in enumerate(Verdict)}
_WELL = _BITS[Verdict.FINISHED]


def ends_of(graph: Graph) -> list[int]:
    """For each state of a whole graph its ends, one bit for each."""
    system = graph.system
    ends = [0] * len(graph.states)
    over = [False] * len(graph.states)
    for number, (state, out) in enumerate(zip(graph.states, graph.edges, strict=True)):
        verdict = failure_in(state) if out else verdict_at_the_end(system, state)
        if verdict is not None:
            ends[number], over[number] = _BITS[verdict], True
    if system.body_cache.cyclic:
        for _, hopeless in hopeless_waits(graph):
            for number in hopeless:
                if not over[number]:
                    ends[number], over[number] = _BITS[Verdict.DEADLOCK], True
        for some, bit in zip(circles(graph), (_BITS[Verdict.LIVELOCK], _WELL), strict=True):
            for members in some:
                for number in members:
                    if not over[number]:
                        ends[number] |= bit
    before: list[list[int]] = [[] for _ in graph.states]
    for number, out in enumerate(graph.edges):
        if not over[number]:
            for after, _, _ in out:
                before[after].append(number)
    todo = [number for number, bits in enumerate(ends) if bits]
    while todo:
        number = todo.pop()
        for earlier in before[number]:
            both = ends[earlier] | ends[number]
            if both != ends[earlier]:
                ends[earlier] = both
                todo.append(earlier)
    return ends


def outlook_of(ends: int) -> Outlook:
    """Return what all of the ends have in common."""
    if ends == _WELL:
        return Outlook.SAFE
    return Outlook.OPEN if ends & _WELL else Outlook.DOOMED


def failures_among(ends: int) -> tuple[Verdict, ...]:
    """Return the verdicts of the ends that are failures."""
    return tuple(verdict for verdict, bit in _BITS.items() if ends & bit and bit != _WELL)


def whole_graph(system: System, states: int, start: Taken | None = None) -> Graph | None:
    """The graph of all states (that follow from that start); None if it has more than so many."""
    while True:
        known = system.discovered
        search = GraphSearch(system, start=start)
        while search.advance(10_000, Bounds(states=states, depth=states)):
            pass
        if system.discovered == known:  # else the end of a process turned out to be a step
            return search.graph if search.outcome.complete else None


class Foresight:
    """The outlook of a run of the program, after the choices that were made.

    Of the graphs that it needs it keeps so many ``states`` each.
    """

    def __init__(self, graph: Graph, states: int = 200_000) -> None:
        self._system = graph.system
        self._states = states
        self._ends: dict[Hashable, int] = {}
        self._learn(graph)
        self._follower = Follower(graph.system)
        self._places: list[Position | None] = [self._follower.start()]

    def foresee(self, keep: int, then: Sequence[Choice], grain: Grain) -> Foreseen | None:
        """Return the outlook after the first ``keep`` of the choices of before, and the new ones.

        The next choices are those at that grain.  None where nothing is known: the run cannot
        be followed.
        """
        places = self._places
        del places[keep + 1 :]
        for choice in then:
            last = places[-1]
            places.append(self._follower.after(last, choice) if last is not None else None)
        here = places[-1]
        if here is None:
            return None
        ends, offered = self._of(here), self._follower.choices(here, grain)
        if not ends or offered is None:
            return None
        choices = []
        for choice in offered:
            after = self._of(self._follower.after(here, choice))
            if not after:
                return None
            choices.append((choice, outlook_of(after)))
        return Foreseen(
            outlook_of(ends), failures_among(ends), self._doomed_after(), tuple(choices)
        )

    def _learn(self, graph: Graph) -> None:
        for state, ends in zip(graph.states, ends_of(graph), strict=True):
            self._ends[state.key] = ends

    def _of(self, place: Position | None) -> int:
        """The ends of that place; 0 where they are not known."""
        if place is None:
            return 0
        # What nobody can tell the time of has happened there at once, as in the graph.
        state = self._system.settled(place.state).state
        ends = self._ends.get(state.key)
        if ends is None:
            # A process that starts another looks, unseen, who of its children has ended: a
            # person can let that be otherwise than the search, for which a start takes no time.
            graph = whole_graph(self._system, self._states, Taken(state, ()))
            if graph is not None:
                self._learn(graph)
            ends = self._ends.setdefault(state.key, 0)
        return ends

    def _doomed_after(self) -> int | None:
        """After how many choices every continuation fails."""
        first = None
        for made in range(len(self._places) - 1, -1, -1):
            ends = self._of(self._places[made])
            if not ends or ends & _WELL:
                break
            first = made
        return first
