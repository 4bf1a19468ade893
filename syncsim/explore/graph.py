"""The graph of all states, breadth first: the first path to a failure is a shortest one.

Two ways that lead to the same state are one from there on (design, law 5), so a program with
finitely many states is searched wholly, however many interleavings it has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from syncsim.core.diagnosis import Verdict
from syncsim.explore.findings import Bounds, Outcome, Path, failure_in, verdict_at_the_end
from syncsim.virtual.system import Did, Move, System


class GraphSearch:
    """A breadth-first visit of all states; ``advance`` goes on with it for a while.

    It ends early when a failure of each of the ``wanted`` kinds was found.
    """

    def __init__(self, system: System, wanted: frozenset[Verdict] | None = None) -> None:
        self.outcome = Outcome("graph")
        self._system = system
        self._wanted = wanted
        self._start = start = system.start()
        self._came_by: dict[Hashable, tuple[Hashable, Move, tuple[Did, ...]] | None] = {
            start.state.key: None
        }
        self._todo = deque([(start.state, 0)])

    @property
    def frontier(self) -> int:
        """How many states are known and not yet visited."""
        return len(self._todo)

    def advance(self, steps: int, bounds: Bounds) -> bool:
        """Take about so many steps; whether there is more to do."""
        outcome, system, todo = self.outcome, self._system, self._todo
        until = outcome.transitions + steps
        while todo and outcome.transitions < until:
            if outcome.states >= bounds.states:
                outcome.limit = f"{bounds.states:,} states"
                return False
            state, depth = todo.popleft()
            outcome.states += 1
            outcome.depth = max(outcome.depth, depth)
            failure = failure_in(system, state)
            moves = system.moves(state)
            if not moves:
                outcome.ends += 1
                verdict = verdict_at_the_end(system, state)
                failure = verdict if verdict is not Verdict.FINISHED else None
                outcome.finishes = outcome.finishes or failure is None
            if failure is not None and failure not in outcome.failures:
                outcome.found(self._path_to(state.key, failure))
                if self._wanted is not None and self._wanted <= outcome.failures.keys():
                    outcome.limit = "the first failure"
                    return False
            if depth >= bounds.depth and moves:
                outcome.limit = f"a depth of {bounds.depth:,}"
                continue
            for move in moves:
                outcome.transitions += 1
                after, did = system.take(state, move)
                key = after.key
                if key not in self._came_by:
                    self._came_by[key] = (state.key, move, did)
                    todo.append((after, depth + 1))
        if not todo:
            outcome.complete = not outcome.limit
        return bool(todo)

    def _path_to(self, key: Hashable, verdict: Verdict) -> Path:
        moves: list[Move] = []
        done: list[tuple[Did, ...]] = []
        while (step := self._came_by[key]) is not None:
            key, move, did = step
            moves.append(move)
            done.append(did)
        every = [*self._start.did]
        for did in reversed(done):
            every += did
        return Path(verdict, tuple(reversed(moves)), tuple(every))
