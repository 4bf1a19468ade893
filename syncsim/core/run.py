"""The seam: something that runs a program one step at a time."""

from __future__ import annotations

from typing import Protocol

from syncsim.core.schedule import Choice
from syncsim.core.state import State
from syncsim.core.steps import Step


class Run(Protocol):
    """A run of a program.  Its bodies are the real processes and, later, the virtual ones."""

    @property
    def state(self) -> State:
        """The state now."""
        ...

    def choices(self) -> tuple[Choice, ...]:
        """Return what may happen next."""
        ...

    def faults(self) -> tuple[Choice, ...]:
        """Return what a person may do besides to the processes."""
        ...

    def take(self, choice: Choice) -> tuple[Step, ...]:
        """Let that happen (a choice or a fault), until all is quiet again; what it came to."""
        ...

    def close(self) -> None:
        """End the run and leave nothing behind."""
        ...
