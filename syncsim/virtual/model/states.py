"""The values that a virtual system is told in: what was done, states, who is who."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum, auto
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.operation import Verb
from syncsim.virtual.model.automaton import Automaton, AutomatonState, Event, Key, Look, Request
from syncsim.virtual.model.data_atoms import Pipe, Thing

#: The part of a pipe that a feeder sends which drops an item.
DROPPED = -1


class PlaceOfData(Enum):
    """Data that states hold only where somebody looks at it, because it makes more states."""

    HOLDERS = auto()  # of what is no RLock: who took a unit and has not given it back
    HISTORY = auto()  # what was ever received from a pipe


class Served(NamedTuple):
    """The outcome of a call on something that a server keeps.

    Whether it was ``changed``, who was woken, and what is in it now, as text.
    """

    changed: bool
    wakes: tuple[int, ...]
    text: str

    @property
    def counts(self) -> bool:
        """Return whether anybody else could tell that the call was made."""
        return self.changed or bool(self.wakes)


class Did(Struct, frozen=True):
    """One operation that took effect.

    ``atom`` is the number of its atom, or of the process for a JOIN, ALIVE, START, TERMINATE and
    for the CALL that shuts a server down.
    ``part`` says which message of a pipe it was (``DROPPED``: none, for it cannot be pickled), or
    the value of a semaphore before.  A ``token``
    stands for a choice of a schedule.  The ``result`` of a feeder is the process that owns it.
    """

    actor: int
    verb: Verb
    atom: int
    result: Hashable
    token: bool
    part: int = 0
    request: Request | None = None
    events: tuple[Event, ...] = ()
    times_out: bool = False
    #: Whether the semaphore has a maximum that can be met, so that a release may fail.
    bounded: bool = False
    #: Whether it is about what is the actor's own: an RLock that it has, or has not, or memory
    #: that it alone may touch now.
    own: bool = False
    #: The ends of pipes that it closed: (pipe, reader, writer).
    closed: tuple[tuple[int, bool, bool], ...] = ()
    #: The feeders that end thereby, perhaps with something unsent.
    lost: tuple[int, ...] = ()
    #: Of a send: whether all of it fitted into the pipe.
    whole: bool = True
    #: By the call: the atom at which its call could not go on, and what it wanted of it.
    stopped: tuple[int, Verb] | None = None
    #: What it did to something that a server keeps.
    served: Served | None = None
    #: What servers keep that is changed besides, by an end: (atom, ...).
    kept: tuple[int, ...] = ()
    #: Whether a thread of the library did it, which nobody steps.
    helper: bool = False
    #: The outcomes that are there thereby, those at which somebody looked thereupon, and the work
    #: of a Pool that it is about.
    settled: tuple[int, ...] = ()
    looked: tuple[tuple[int, Look], ...] = ()
    work: int = -1
    #: Whether code of the program was run in the middle of what its process does.
    meddles: bool = False


class State:
    """Everything after some steps: the node of each process, the value of each atom.

    Actors and atoms that do not exist (yet) are None.
    """

    __slots__ = ("_key", "atoms", "nodes")

    def __init__(
        self, nodes: tuple[AutomatonState | None, ...], atoms: tuple[Thing | None, ...]
    ) -> None:
        self.nodes = nodes
        self.atoms = atoms
        self._key: Hashable = None

    @property
    def key(self) -> Hashable:
        """Equal for states from which the same can follow."""
        if self._key is None:
            self._key = (
                tuple([node.number if node is not None else 0 for node in self.nodes]),
                _to_come(self.atoms),
            )
        return self._key


def _to_come(atoms: tuple[Thing | None, ...]) -> tuple[Thing | None, ...]:
    """Return what matters of the atoms from here on: not how many messages went through a pipe."""
    end = len(atoms)
    while end and atoms[end - 1] is None:
        end -= 1
    if Pipe in map(type, atoms):
        return tuple([replace(a, received=0) if type(a) is Pipe else a for a in atoms[:end]])
    return atoms[:end]


class Taken(NamedTuple):
    """A state, and what was done to get there."""

    state: State
    did: tuple[Did, ...]


class Member(NamedTuple):
    """An actor: a process, or the feeder thread of one at one pipe."""

    key: Key
    parent: int | None
    automaton: Automaton | None
    feeds: tuple[int, int] | None = None  # the process, the pipe


class Name(NamedTuple):
    """The name of an actor in every system of the program; that of a feeder has a pipe."""

    key: Key
    pipe: str = ""
