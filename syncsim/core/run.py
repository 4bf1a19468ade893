"""The seam: something that runs a program one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncsim.core.atoms import ActorId
from syncsim.core.schedule import Choice, Grain
from syncsim.core.state import State
from syncsim.core.steps import Step


class Run(Protocol):
    """A run of a program.  Its bodies are the real processes and the virtual ones.

    A ``deadline`` is a time by the monotonic clock.  What a run says of its end is evidence; the
    driver alone declares from it that nothing can move any more.
    """

    @property
    def state(self) -> State:
        """The state now."""
        raise NotImplementedError

    @property
    def over(self) -> bool:
        """Whether every process has ended."""
        raise NotImplementedError

    def choices(self) -> tuple[Choice, ...]:
        """Return what may happen next."""
        raise NotImplementedError

    def faults(self) -> tuple[Choice, ...]:
        """Return what a person may do besides: kill, terminate, stop or continue a process."""
        raise NotImplementedError

    def adapt(self, grain: Grain, deadline: float | None = None) -> None:
        """Offer choices at that grain from here on."""
        raise NotImplementedError

    def take(self, choice: Choice, deadline: float | None = None) -> tuple[Step, ...]:
        """Make a choice or a fault happen, until all is quiet again; return its steps."""
        raise NotImplementedError

    def settle(self, deadline: float | None = None) -> None:
        """Listen until no report is outstanding, all is over, or the deadline has passed."""
        raise NotImplementedError

    def pump(self, timeout: float) -> bool:
        """Listen for at most ``timeout`` seconds; return whether anything was reported."""
        raise NotImplementedError

    def may_still_move(self) -> bool:
        """Return whether something unseen may still change what is seen."""
        raise NotImplementedError

    def is_final(self, stuck: Sequence[ActorId]) -> bool:
        """Return whether it is certain that these actors, blocked by the state, stay blocked."""
        raise NotImplementedError

    def hear_out(self, seconds: float, deadline: float | None = None) -> bool:
        """Listen to what is on its way when all is over; return False if a process outlives that.

        Untracked processes have ``seconds`` to end, too.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the run and leave nothing behind."""
        raise NotImplementedError
