"""The search by executions in the virtual world: what each execution that ``DPOR`` visits is."""

from __future__ import annotations

from collections.abc import Callable

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.transition_system import Move
from syncsim.explore.bounds import Bounds
from syncsim.explore.dependence.relation import Event
from syncsim.explore.results import Path, SearchResult, failure_in, verdict_at_the_end
from syncsim.explore.search.dpor import DPOR, Execution
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.virtual.model.system import System


class DPORSearch:
    """A visit of one execution of each class; ``advance`` goes on with it for a while."""

    def __init__(
        self, system: System, dpor: DPOR | None = None, outcome: SearchResult | None = None
    ) -> None:
        self.dpor = dpor if dpor is not None else DPOR(VirtualSystem(system), most_steps=10_000)
        self.outcome = outcome if outcome is not None else SearchResult("dpor")
        self._system = system
        self.dpor.on_race = self._note_race
        self._executions = self.dpor.executions()

    @property
    def frontier(self) -> int:
        """Return how many branches are known on the current path and not yet explored."""
        return self.dpor.pending

    def advance(self, steps: int, bounds: Bounds) -> bool:
        """Take about so many steps; return whether there is more to do."""
        outcome = self.outcome
        until = self.dpor.steps + steps
        for execution in self._executions:
            outcome.transitions = outcome.states = self.dpor.steps
            outcome.depth = max(outcome.depth, len(execution.events))
            if execution.blocked:
                outcome.blocked += 1
            else:
                self._judge(execution)
            if outcome.states > bounds.states:
                outcome.limit = f"{bounds.states:,} steps"
                return False
            if self.dpor.steps >= until:
                return True
        outcome.complete = not outcome.limit
        return False

    def _note_race(self, event: Event, other: Event, way: Callable[[], tuple[Move, ...]]) -> None:
        self.outcome.races.between(event.move, event.did, other.move, other.did, way)

    def _judge(self, execution: Execution) -> None:
        outcome = self.outcome
        outcome.executions += 1
        outcome.ends += 1
        moves = tuple([event.move for event in execution.events])
        if execution.cut:
            outcome.limit = f"executions of {len(execution.events):,} steps"
            verdict = failure_in(execution.state)
        else:
            verdict = verdict_at_the_end(self._system, execution.state)
            outcome.endings.note(execution.state, lambda: moves)
        if verdict is None or verdict is Verdict.FINISHED:
            return
        every = list(self.dpor.begun.did)
        for event in execution.events:
            every += event.did
        outcome.found(Path(verdict, moves, tuple(every)))
