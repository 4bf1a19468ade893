"""Executions with few delays first: nearly every known small fault needs at most two.

One scheduler, that lets everyone go on as long as they can, makes the first execution; a *delay*
is where another one goes on than it would pick (Emmi, Qadeer, Rakamarić: "Delay-bounded
scheduling", POPL 2011).  This finds early what is simple; it does not know when all was visited.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from syncsim.core.transition_system import Move
from syncsim.explore.real.system import RealState, RealSystem


class FewDelays:
    """Visits executions, at most ``most_steps`` long, by their number of delays."""

    def __init__(self, system: RealSystem, most_steps: int) -> None:
        self._system = system
        self._most = most_steps
        self._todo: list[tuple[int, int, int, RealState, Move]] = []
        self._known = 0

    def executions(self) -> Iterator[RealState]:
        """The end of each; the first without any delay."""
        yield self._to_the_end(self._system.start().state, 0)
        while self._todo:
            delays, _, _, node, move = heapq.heappop(self._todo)
            yield self._to_the_end(self._system.take(node, move).state, delays)

    def _to_the_end(self, node: RealState, delays: int) -> RealState:
        """Go on without a delay; what else could have been done is left for later."""
        system = self._system
        while (moves := system.moves(node)) and node.depth < self._most:
            first, *others = moves
            after, event = system.take(node, first)
            if event.touches:  # else nobody can tell when it is done
                for move in others:
                    self._known += 1
                    heapq.heappush(self._todo, (delays + 1, node.depth, self._known, node, move))
            node = after
        return node
