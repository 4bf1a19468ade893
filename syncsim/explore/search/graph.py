"""The graph of all states, breadth first: the first path to a failure is a shortest one.

Two ways that lead to the same state are one from there on (design, law 5), so a program with
finitely many states is searched wholly, however many interleavings it has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import TypeAlias

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.transition_system import Move
from syncsim.core.words.listing import counted
from syncsim.explore.bounds import Bounds
from syncsim.explore.results import Path, SearchResult, See, failure_in, verdict_at_the_end
from syncsim.virtual.model.states import Did, State, Taken
from syncsim.virtual.model.system import System

#: What leads to a state, or from one: the number of the other one, the move, what was done.
Edge: TypeAlias = tuple[int, Move, tuple[Did, ...]]
#: Whether a step, to that state, is the one that is looked for.
Wanted: TypeAlias = Callable[[Move, int], bool]


class Graph:
    """The states of a system that are known, numbered from the nearest on, and their edges.

    Those that were visited, one after the other, have ``edges``: what leads from them.
    """

    def __init__(self, system: System, start: Taken | None = None) -> None:
        self.system = system
        self.start = start = start or system.start()
        self.states: list[State] = [start.state]
        self.edges: list[list[Edge]] = []
        self.depths: list[int] = [0]
        self._came_by: list[Edge | None] = [None]
        self._numbers: dict[Hashable, int] = {start.state.key: 0}

    def visit(self, moves: tuple[Move, ...]) -> None:
        """Visit the next state, in which those may happen."""
        at = len(self.edges)
        state, system, numbers = self.states[at], self.system, self._numbers
        out: list[Edge] = []
        for move in moves:
            after, did = system.take(state, move)
            key = after.key
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(self.states)
                self.states.append(after)
                self.depths.append(self.depths[at] + 1)
                self._came_by.append((at, move, did))
            out.append((number, move, did))
        self.edges.append(out)

    def moves_to(self, number: int) -> tuple[Move, ...]:
        """The moves of a shortest way to that state."""
        return self.path_to(number, Verdict.UNDECIDED).moves

    def path_to(self, number: int, verdict: Verdict) -> Path:
        """A shortest way to that state."""
        moves: list[Move] = []
        done: list[tuple[Did, ...]] = []
        while (step := self._came_by[number]) is not None:
            number, move, did = step
            moves.append(move)
            done.append(did)
        every = [*self.start.did]
        for did in reversed(done):
            every += did
        return Path(verdict, tuple(reversed(moves)), tuple(every))

    def leading_to(self, targets: Iterable[int]) -> set[int]:
        """The states from which one of the targets can be reached."""
        before: list[list[int]] = [[] for _ in self.states]
        for number, out in enumerate(self.edges):
            for after, _, _ in out:
                before[after].append(number)
        found = set(targets)
        todo = list(found)
        while todo:
            for number in before[todo.pop()]:
                if number not in found:
                    found.add(number)
                    todo.append(number)
        return found

    def circle(
        self, number: int, members: set[int], through: Iterable[set[int]] = ()
    ) -> tuple[tuple[Move, ...], tuple[Did, ...]]:
        """A way from that state back to it within the members, by all actors that move there.

        It comes through at least one state of each of the sets ``through``.
        """
        wanted = {
            move.actor
            for member in members
            for after, move, _ in self.edges[member]
            if after in members
        }
        moves: list[Move] = []
        every: list[Did] = []
        at = number
        while wanted:
            at, leg = self._leg(at, members, _by(frozenset(wanted)))
            wanted -= {move.actor for move, _ in leg}
            moves += [move for move, _ in leg]
            every += [one for _, did in leg for one in did]
        for goal in (*(some for some in through if number not in some), {number}):
            if at not in goal:
                at, leg = self._leg(at, members, _to(goal))
                moves += [move for move, _ in leg]
                every += [one for _, did in leg for one in did]
        return tuple(moves), tuple(every)

    def _leg(
        self, start: int, members: set[int], wanted: Wanted
    ) -> tuple[int, list[tuple[Move, tuple[Did, ...]]]]:
        came: dict[int, Edge] = {}
        todo = deque([start])
        while todo:
            at = todo.popleft()
            for after, move, did in self.edges[at]:
                if after not in members:
                    continue
                if wanted(move, after):
                    leg = [(move, did)]
                    while at != start:
                        at, move, did = came[at]
                        leg.append((move, did))
                    return after, leg[::-1]
                if after not in came and after != start:
                    came[after] = at, move, did
                    todo.append(after)
        raise AssertionError("the members are not strongly connected")


def _by(actors: frozenset[int]) -> Wanted:
    return lambda move, _: move.actor in actors


def _to(states: set[int]) -> Wanted:
    return lambda _, after: after in states


class GraphSearch:
    """A breadth-first visit of all states; ``advance`` goes on with it for a while.

    It ends early when a failure of each of the ``wanted`` kinds was found.  ``see`` is shown each
    state that is visited, and what makes a shortest way to it.
    """

    def __init__(
        self,
        system: System,
        wanted: frozenset[Verdict] | None = None,
        see: See | None = None,
        start: Taken | None = None,
    ) -> None:
        self.outcome = SearchResult("graph")
        self.graph = Graph(system, start)
        self._wanted = wanted
        self._see = see

    @property
    def frontier(self) -> int:
        """Return how many states are known and not yet visited."""
        return len(self.graph.states) - len(self.graph.edges)

    def advance(self, steps: int, bounds: Bounds) -> bool:
        """Take about so many steps; whether there is more to do."""
        outcome, graph = self.outcome, self.graph
        system = graph.system
        until = outcome.transitions + steps
        while self.frontier and outcome.transitions < until:
            if outcome.states >= bounds.states:
                outcome.limit = counted(bounds.states, "state")
                return False
            number = outcome.states
            state, depth = graph.states[number], graph.depths[number]
            outcome.states += 1
            outcome.depth = max(outcome.depth, depth)
            if self._see is not None:
                self._see(state, partial(graph.path_to, number, Verdict.ASSERTION))
            failure = failure_in(state)
            moves = system.moves(state)
            if not moves:
                outcome.ends += 1
                outcome.endings.note(state, partial(graph.moves_to, number))
                verdict = verdict_at_the_end(system, state)
                failure = verdict if verdict is not Verdict.FINISHED else None
            if failure is not None and failure not in outcome.failures:
                outcome.found(graph.path_to(number, failure))
                if self._wanted is not None and self._wanted <= outcome.failures.keys():
                    outcome.limit = "the first failure"
                    return False
            if depth >= bounds.depth and moves:
                outcome.limit = f"a depth of {bounds.depth:,}"
                moves = ()
            outcome.transitions += len(moves)
            graph.visit(moves)
            if len(moves) > 1:
                outcome.races.among(graph.edges[number], partial(graph.moves_to, number))
        if not self.frontier:
            outcome.complete = not outcome.limit
        return bool(self.frontier)
