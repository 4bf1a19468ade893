"""The seam ``TransitionSystem``: what a search walks, whatever the program runs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple, Protocol, TypeVar


class Move(NamedTuple):
    """A choice: an actor, by its number in the system, or the timeout of the actor."""

    actor: int
    times_out: bool = False


StateT = TypeVar("StateT")
EventT = TypeVar("EventT")


class TransitionSystem(Protocol[StateT, EventT]):
    """A program as states and the events that lead from one to the next.

    The bodies are the virtual model and the real runs.  An event says what a move did and the
    footprint of it, from which a search tells whether two events commute.
    """

    @property
    def discovered(self) -> int:
        """Return how many facts are known that restart a search; see ``Discoveries``."""
        ...

    @property
    def learned(self) -> int:
        """Return a number that has grown whenever ``discovered`` may have."""
        ...

    @property
    def killable(self) -> Collection[int]:
        """Return the actors that may be ended by others."""
        ...

    @property
    def cyclic(self) -> bool:
        """Return whether a process is known to come back to where it was."""
        ...

    def start(self) -> tuple[StateT, EventT]:
        """Return the initial state, and what was done to get there."""
        ...

    def moves(self, state: StateT) -> tuple[Move, ...]:
        """Return the moves that are possible in the state."""
        ...

    def can(self, state: StateT, move: Move) -> bool:
        """Return whether the move is possible in the state."""
        ...

    def take(
        self, state: StateT, move: Move, expected: EventT | None = None
    ) -> tuple[StateT, EventT]:
        """Make the move; return the state after it, and its event.

        ``expected`` is the event that the move was elsewhere, which ``can_repeat`` here.
        """
        ...

    def can_repeat(self, state: StateT, event: EventT) -> bool:
        """Return whether the event may come next in the state."""
        ...

    def pending(self, actor: int, state: StateT) -> EventT | None:
        """Return the event that the actor waits for; None for one that waits for nothing."""
        ...

    def waiting(self, state: StateT) -> tuple[int, ...]:
        """Return the processes that have not ended."""
        ...

    def parent(self, actor: int) -> int | None:
        """Return the process that has started the actor."""
        ...

    def puts_at_start(self) -> Counter[int]:
        """Return how often something was put into each buffer before the first move."""
        ...
