"""The one rule that says whether an operation would block now.

The state, the recorder, the virtual model and the searches all ask here.  A kind of atom adds
its own condition by its method ``enabled``; what can be taken of a semaphore is ``permits``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Protocol

from syncsim.core.operation import Operation, Verb

if TYPE_CHECKING:
    from syncsim.core.atoms import ActorId, Atom


class Permitting(Protocol):
    """A semaphore of either world."""

    @property
    def value(self) -> int:
        """The units that are free."""

    @property
    def recursive(self) -> bool:
        """The owner may take it again."""

    @property
    def holders(self) -> tuple[ActorId, ...]:
        """Those who took a unit and have not given it back."""


#: The question that waiting for one of several puts to each pipe.
_IS_SOMETHING_THERE = Operation(Verb.POLL)


def permits(semaphore: Permitting, actor: ActorId) -> bool:
    """Return whether the actor could take a unit of the semaphore now without waiting.

    The rule of ``semlock_acquire`` in CPython's ``Modules/_multiprocessing/semaphore.c``.
    """
    return semaphore.value > 0 or (semaphore.recursive and actor in semaphore.holders)


def would_block(
    operation: Operation,
    actor: ActorId,
    atoms: Mapping[str, Atom],
    gone: Collection[str],
    has_ended: Callable[[str], bool | None],
) -> bool:
    """Return whether the actor would have to wait in the operation now.

    ``gone`` are atoms that have vanished with their manager's server, where nobody waits any
    longer.  ``has_ended`` answers for a pid, and by None for one that is not known.
    """
    verb = operation.verb
    if verb is Verb.JOIN:
        return has_ended(operation.atom) is False
    if verb is Verb.WAIT_ANY:
        return operation.blocking and not _any_ready(operation, actor, atoms, has_ended)
    atom = atoms.get(operation.atom)
    if atom is None or operation.atom in gone:
        return False
    return not atom.enabled(operation, actor)


def _any_ready(
    operation: Operation,
    actor: ActorId,
    atoms: Mapping[str, Atom],
    has_ended: Callable[[str], bool | None],
) -> bool:
    """Return whether a pipe that is waited for has something in it, or a process has ended.

    Of what has no model (a socket) nothing is known: then one has to try.
    """
    for name in operation.atom.split("\n")[1:]:
        atom = atoms.get(name)
        if atom is not None:
            if atom.enabled(_IS_SOMETHING_THERE, actor):
                return True
        elif not name.isdigit() or has_ended(name):
            return True
    return False
