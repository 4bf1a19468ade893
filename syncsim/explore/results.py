"""The result of a search: how many states, and one path to each kind of failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.explore.dependence.races import Races
from syncsim.explore.endings import Endings
from syncsim.virtual.model.states import DROPPED, Did, State
from syncsim.virtual.model.system import System


@dataclass(frozen=True, slots=True)
class Path:
    """A way to a failure: the moves from the start, and all that was done on it."""

    verdict: Verdict
    moves: tuple[Move, ...]
    did: tuple[Did, ...]
    waits: int | None = None
    """Who waits for ever at its end, although others can go on."""
    circle: int = 0
    """How many of the last moves are one round of a circle that can go on for ever."""

    @property
    def length(self) -> int:
        """Return how many choices of a schedule the path is."""
        return sum(map(choices, self.did))


#: Is shown a state, and what makes a way to it.
See: TypeAlias = Callable[[State, Callable[[], Path]], None]


@dataclass(slots=True)
class SearchResult:
    """The result of a search so far: how much was visited, and the failures.

    ``complete`` says that nothing was left out: ``limit`` says why not.  ``executions`` is what a
    search by executions counts, 0 for one by states.
    """

    search: str
    complete: bool = False
    limit: str = ""
    states: int = 0
    transitions: int = 0
    executions: int = 0
    blocked: int = 0
    depth: int = 0
    ends: int = 0
    endings: Endings = field(default_factory=Endings)
    races: Races = field(default_factory=Races)
    seconds: float = 0.0
    failures: dict[Verdict, Path] = field(default_factory=dict)

    def found(self, path: Path) -> None:
        """Keep the shortest path to each kind of failure."""
        known = self.failures.get(path.verdict)
        if known is None or path.length < known.length:
            self.failures[path.verdict] = path


def choices(did: Did) -> int:
    """Return how many choices of a schedule the operation is.

    By the atom a feeder takes the put lock, sends, and gives the lock back, which has to wait
    for room in the pipe; or it gives back the slot of an item that it drops.
    """
    if not did.token:
        return 0
    if did.request is None and did.verb is Verb.SEND:
        return 1 if did.part == DROPPED else 3 if did.whole else 2
    return 1


def failure_in(state: State) -> Verdict | None:
    """The failure that has happened in the state: an exception that nobody caught."""
    for node in state.nodes:
        if node is None:
            continue
        raised = node.request.raised if node.request is not None else None
        if node.ended is not None:
            raised = node.ended.raised
            if node.ended.fails:
                return Verdict.CRASH
        if raised is not None:
            return Verdict.ASSERTION if raised.is_assertion else Verdict.CRASH
    return None


def verdict_at_the_end(system: System, state: State) -> Verdict:
    """Return the verdict on a state in which nothing can happen any more."""
    failure = failure_in(state)
    if failure is not None:
        return failure
    return Verdict.DEADLOCK if system.waiting(state) else Verdict.FINISHED
