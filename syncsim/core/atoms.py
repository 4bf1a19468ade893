"""The atoms of which every primitive is made, as immutable values with pure functions.

Each atom answers two questions about an operation: would it go through now
(``enabled``), and what is left behind when it does (``apply``).  The rules are those of
CPython's ``Modules/_multiprocessing/semaphore.c`` for ``Semaphore``, and of a POSIX pipe
for ``Channel``; those of ``Work`` and ``Outcome`` are in ``work``.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.operation import Operation, Verb
from syncsim.core.work import Outcome, Work

#: The number of an actor in its state: 0 is the main process, then in order of birth.
ActorId: TypeAlias = int


class Semaphore(Struct, frozen=True, gc=False):
    """A ``_multiprocessing.SemLock``: the one atom under every lock.

    ``holders`` says who took a unit that was not given back, oldest first; an actor
    stands there once for every unit.  It is kept for a *resource* only (a semaphore that
    began above zero): nobody holds a signal.
    """

    value: int
    maximum: int
    recursive: bool = False
    resource: bool = True
    holders: tuple[ActorId, ...] = ()

    @property
    def is_lock(self) -> bool:
        """Whether at most one actor can hold it."""
        return self.maximum == 1

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Whether ``operation`` would not block now (a try never blocks)."""
        if operation.verb is not Verb.ACQUIRE or not operation.blocking:
            return True
        return self.value > 0 or (self.recursive and actor in self.holders)

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Semaphore, str]:
        """The semaphore afterwards, and the result: ``True``, ``False``, ``None`` or an error."""
        if operation.verb is Verb.ACQUIRE:
            return self._acquire(actor)
        if operation.verb is Verb.RELEASE:
            return self._release(actor)
        return self, str(self.value)

    def _acquire(self, actor: ActorId) -> tuple[Semaphore, str]:
        if self.recursive and actor in self.holders:
            return self._with(self.value, (*self.holders, actor)), "True"
        if self.value <= 0:
            return self, "False"
        # Units released by strangers leave more takers than there were units: forget the oldest.
        holders = (*self.holders, actor) if self.resource else ()
        if not self.recursive and len(holders) > self.maximum:
            holders = holders[1:]
        return self._with(self.value - 1, holders), "True"

    def _release(self, actor: ActorId) -> tuple[Semaphore, str]:
        if self.recursive:
            if actor not in self.holders:
                return self, "AssertionError"
            left = _without_last(self.holders, actor)
            return self._with(0 if left else 1, left), "None"
        if self.value >= self.maximum:
            return self, "ValueError"
        holders = self.holders
        if holders:
            holders = _without_last(holders, actor) if actor in holders else holders[1:]
        return self._with(self.value + 1, holders), "None"

    def released(self) -> Semaphore:
        """The semaphore with one unit more, given by somebody whom nobody has seen."""
        return self._with(self.value + 1, self.holders[1:])

    def _with(self, value: int, holders: tuple[ActorId, ...]) -> Semaphore:
        return Semaphore(value, self.maximum, self.recursive, self.resource, holders)


def _without_last(holders: tuple[ActorId, ...], actor: ActorId) -> tuple[ActorId, ...]:
    if len(holders) == 1:
        return ()
    at = len(holders) - 1 - holders[::-1].index(actor)
    return holders[:at] + holders[at + 1 :]


class Item(Struct, frozen=True, gc=False):
    """One message: what it looks like, who sent it, and its number in order of sending."""

    label: str
    sender: ActorId
    number: int = 0


class Channel(Struct, frozen=True, gc=False):
    """A pipe, with the buffers of those who feed it.

    A ``Queue.put`` only appends to ``buffered``; the feeder thread of that process moves
    the item into the pipe.  ``items`` are in the pipe, oldest first; of an actor in ``sending``
    the last item is not wholly in it yet.
    """

    buffered: tuple[Item, ...] = ()
    items: tuple[Item, ...] = ()
    sent: int = 0
    sending: tuple[ActorId, ...] = ()
    #: Nobody can send any more: a receive meets the end of the file.
    ended: bool = False

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """A receive needs an item, a flush an empty buffer; everything else goes through."""
        match operation.verb:
            case Verb.RECEIVE | Verb.POLL if operation.blocking:
                return bool(self.items) or self.ended
            case Verb.FLUSH:
                return not self.unsent(actor)
            case _:
                return True

    def unsent(self, actor: ActorId) -> bool:
        """Whether something that the actor has put is not wholly in the pipe."""
        return actor in self.sending or any(item.sender == actor for item in self.buffered)

    def without_first(self, actor: ActorId) -> Channel:
        """The channel after the feeder had to drop the actor's next item (it cannot be pickled)."""
        for at, item in enumerate(self.buffered):
            if item.sender == actor:
                return replace(self, buffered=self.buffered[:at] + self.buffered[at + 1 :])
        return self

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Channel, str]:
        """The channel afterwards, and the item (or whether there is one)."""
        match operation.verb:
            case Verb.PUT:
                return replace(self, buffered=(*self.buffered, Item(operation.detail, actor))), ""
            case Verb.SEND:
                return self._send(operation, actor), ""
            case Verb.SENT if actor in self.sending:
                return replace(self, sending=_without_last(self.sending, actor)), ""
            case Verb.RECEIVE if self.items:
                return replace(self, items=self.items[1:]), self.items[0].label
            case Verb.POLL:
                return self, str(bool(self.items) or self.ended)
            case _:
                return self, ""

    def _send(self, operation: Operation, actor: ActorId) -> Channel:
        number = self.sent + 1
        own = (item for item in self.buffered if item.sender == actor)
        item = replace(next(own, Item(operation.detail, actor)), number=number)
        return replace(
            self,
            buffered=self.without_first(actor).buffered,
            items=(*self.items, item),
            sent=number,
            sending=(*self.sending, actor),
        )


class Cell(Struct, frozen=True, gc=False):
    """A value in shared memory, as text; reads and writes never block."""

    value: str = ""
    previous: str = ""
    writer: ActorId | None = None

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Shared memory never blocks."""
        return True

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Cell, str]:
        """The cell afterwards, and the value read."""
        if operation.verb is Verb.WRITE:
            return Cell(value=operation.detail, previous=self.value, writer=actor), "None"
        return self, self.value


Atom: TypeAlias = Semaphore | Channel | Cell | Work | Outcome
