"""The seam between a running program and those who watch it.

The one seam between a run and a screen: the watcher calls the methods of ``Live``, of which
none but ``close`` blocks, and drains ``updates`` whenever it likes.  Every update is an
immutable value in the past tense.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.scheduler import Scheduler
from syncsim.core.state import State
from syncsim.core.steps import Step


class Mode(StrEnum):
    """The way in which a run goes on."""

    PAUSED = "paused"  # everyone waits at a gate; one step at a time
    PLAYING = "playing"  # the scheduler picks, at the speed asked for
    FREE = "free"  # the operating system schedules; we only listen
    OVER = "over"  # no process is left, or nobody can go on


class Stepped(Struct, frozen=True):
    """A step was made.  ``state`` is everything once it was quiet again.

    ``choice`` is what was chosen to make it; None in free running.
    """

    step: Step
    state: State
    choice: Choice | None = None


class Settled(Struct, frozen=True):
    """Something changed that is no step: a process was born, reached a gate, or ended.

    ``choice`` is what was chosen, where a choice came to no step.
    """

    state: State
    choice: Choice | None = None


class Printed(Struct, frozen=True):
    """A process wrote ``text`` (hostile: never markup) to ``stream``, ``stdout`` or ``stderr``.

    ``actor`` is None where it is not known who wrote.
    """

    actor: ActorId | None
    stream: str
    text: str


class ModeChanged(Struct, frozen=True):
    """The run goes on in another way."""

    mode: Mode


class GrainChanged(Struct, frozen=True):
    """From here on steps are of another size."""

    grain: Grain


class Diagnosed(Struct, frozen=True):
    """A verdict was reached, ``n`` steps into the run.

    ``undecided``: nothing moves, and yet somebody may come back from outside our view.  None takes
    that back: it moves again.
    """

    diagnosis: Diagnosis
    n: int


class Refused(Struct, frozen=True):
    """A request that cannot be met: ``why`` is a sentence for the person."""

    why: str


class Frame(Struct, frozen=True):
    """One level of a call stack, innermost last; ``variables`` are names with safe texts."""

    file: str
    line: int
    function: str
    variables: tuple[tuple[str, str], ...] = ()


class Inspected(Struct, frozen=True):
    """The call stack of an actor at its pending operation.

    ``note`` says why there are no variables, where there are none.  ``kernel`` is the
    operating system's own account ("sleeping in futex on the semaphore of q"), empty where it has
    none, and ``doubt`` a sentence where it is another than ours.
    """

    actor: ActorId
    frames: tuple[Frame, ...] = ()
    note: str = ""
    kernel: str = ""
    doubt: str = ""


class Broken(Struct, frozen=True):
    """A sentence that says why the run cannot go on, by a fault of ours or of the machine."""

    message: str


Update: TypeAlias = (
    Stepped
    | Settled
    | Printed
    | ModeChanged
    | GrainChanged
    | Diagnosed
    | Refused
    | Inspected
    | Broken
)


class Live(Protocol):
    """A run that is going on.  All methods may be called from any thread."""

    @property
    def updates(self) -> deque[Update]:
        """The updates, oldest first; the watcher takes from the left."""
        ...

    def play(self) -> None:
        """Let the scheduler pick, one step after the other."""
        ...

    def pause(self) -> None:
        """Stop before the next operation of each process, also out of free running."""
        ...

    def step(self, actor: ActorId | None = None) -> None:
        """Make one step: of that actor, or of the one whom the scheduler picks.

        Where the actor's call would block but has a timeout, the timeout is what happens.
        An actor that cannot go is answered with ``Refused``.
        """
        ...

    def fault(self, actor: ActorId, move: Move) -> None:
        """Kill, terminate, stop or continue that process; ``Refused`` where that cannot be."""
        ...

    def free(self) -> None:
        """Open all gates: the operating system schedules from here on."""
        ...

    def speed(self, steps_per_second: float | None) -> None:
        """Set how fast to play; None is flat out."""
        ...

    def use(self, scheduler: Scheduler) -> None:
        """Set the scheduler that picks from now on."""
        ...

    def xray(self, *, on: bool) -> None:
        """Step atom by atom, feeder threads included, or call by call.

        When it goes off, feeders that it held up go on until each has sent what it has.
        """
        ...

    def inspect(self, actor: ActorId) -> None:
        """Ask for the actor's call stack; answered by ``Inspected``."""
        ...

    def close(self) -> None:
        """End the run.  Comes back when nothing of it is left, within two seconds."""
        ...
