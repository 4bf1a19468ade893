"""The atoms of which every primitive is made, as immutable values with pure functions.

Each atom answers two questions about an operation: would it go through now
(``enabled``), and what is left behind when it does (``apply``).  The rules are those of
CPython's ``Modules/_multiprocessing/semaphore.c`` for ``Semaphore``, and of a POSIX pipe
for ``Channel``; those of ``Work`` and ``TaskOutcome`` are in ``work``.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.enabled import permits
from syncsim.core.operation import ACQUIRE, PUT, RECEIVE, RELEASE, SEND, SENT, Operation, Verb
from syncsim.core.work import TaskOutcome, Work

#: The number of an actor in its state: 0 is the main process, then in order of birth.
ActorId: TypeAlias = int
#: The maximum of a semaphore that has none.
SEM_VALUE_MAX = 2**31 - 1


class Semaphore(Struct, frozen=True, gc=False, cache_hash=True):
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
    def is_bounded(self) -> bool:
        """Return whether the maximum can be met, so that a release may be refused."""
        return not self.recursive and self.maximum < SEM_VALUE_MAX

    def is_private(self, verb: Verb, actor: ActorId) -> bool:
        """Return whether nobody else can tell that the actor takes or releases this RLock."""
        if not self.recursive:
            return False
        return self.holders != (actor,) if verb is RELEASE else actor in self.holders

    @property
    def is_lock(self) -> bool:
        """At most one actor can hold the semaphore."""
        return self.maximum == 1

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Return whether ``operation`` would not block now (a try never blocks)."""
        if operation.verb is not ACQUIRE or not operation.blocking:
            return True
        return permits(self, actor)

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Semaphore, str]:
        """Return the semaphore afterwards, and ``True``, ``False``, ``None`` or the error."""
        verb = operation.verb
        if verb is ACQUIRE:
            return self._acquire(actor)
        if verb is RELEASE:
            return self._release(actor)
        return self, str(self.value)

    def _acquire(self, actor: ActorId) -> tuple[Semaphore, str]:
        if not permits(self, actor):
            return self, "False"
        if self.recursive and actor in self.holders:
            return self._with(self.value, (*self.holders, actor)), "True"
        # Units released by non-holders leave more takers than units: forget the oldest.
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
        """Return the semaphore with one unit more, given by somebody whom nobody has seen."""
        return self._with(self.value + 1, self.holders[1:])

    def given_anyway(self) -> Semaphore:
        """Return the semaphore after a release that its rules refuse; an RLock knows better."""
        return self if self.recursive else self._with(self.value + 1, self.holders)

    def not_given(self) -> Semaphore:
        """Return the semaphore without the release that has just been told, and was refused."""
        return self if self.recursive else self._with(self.value - 1, self.holders)

    def _with(self, value: int, holders: tuple[ActorId, ...]) -> Semaphore:
        return Semaphore(value, self.maximum, self.recursive, self.resource, holders)


def _without_last(holders: tuple[ActorId, ...], actor: ActorId) -> tuple[ActorId, ...]:
    if len(holders) == 1:
        return ()
    last = len(holders) - 1 - holders[::-1].index(actor)
    return holders[:last] + holders[last + 1 :]


class Item(Struct, frozen=True, gc=False):
    """One message: what it looks like, who sent it, and its number in order of sending."""

    label: str
    sender: ActorId
    number: int = 0


class Channel(Struct, frozen=True, gc=False):
    """A pipe, with the buffers of those who feed it.

    A ``Queue.put`` only appends to ``buffered``; the feeder thread of that process moves
    the item into the pipe.  ``items`` are in the pipe, oldest first; of an actor in ``sending``
    the last item is not wholly in it yet; ``torn`` is the number of an item that never will be,
    because its sender has ended.  ``lost`` was put and could not be sent.
    """

    buffered: tuple[Item, ...] = ()
    items: tuple[Item, ...] = ()
    sent: int = 0
    sending: tuple[ActorId, ...] = ()
    #: Nobody can send any more: a receive meets the end of the file.
    ended: bool = False
    torn: int = 0
    lost: tuple[Item, ...] = ()

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Return whether it goes through: a receive needs an item, a flush an empty buffer."""
        match operation.verb:
            case Verb.RECEIVE if operation.blocking:
                return (bool(self.items) or self.ended) and not self.is_torn
            case Verb.POLL if operation.blocking:
                return bool(self.items) or self.ended
            case Verb.FLUSH:
                return not self.unsent(actor)
            case _:
                return True

    def unsent(self, actor: ActorId) -> bool:
        """Return whether something that the actor has put is not wholly in the pipe."""
        return actor in self.sending or any(item.sender == actor for item in self.buffered)

    @property
    def is_torn(self) -> bool:
        """The next item is one that will never be whole."""
        return bool(self.items) and self.items[0].number == self.torn

    def torn_by(self, actor: ActorId) -> Channel:
        """Return the channel after the end of the actor, perhaps in the middle of an item."""
        if actor not in self.sending or self.torn:
            return self
        own = [item.number for item in self.items if item.sender == actor]
        return replace(self, torn=own[-1] if own else 0)

    def without_first(self, actor: ActorId) -> Channel:
        """Return the channel without the actor's next item, which the feeder could not pickle."""
        for index, item in enumerate(self.buffered):
            if item.sender == actor:
                buffered = self.buffered[:index] + self.buffered[index + 1 :]
                return replace(self, buffered=buffered, lost=(*self.lost, item))
        return self

    def without_all(self, actor: ActorId) -> Channel:
        """Return the channel after the end of the actor's feeder: what it has not sent is lost.

        (In the middle of an item it gives up when nobody is left who could receive it.)
        """
        following = self.torn_by(actor)
        if actor in self.sending:
            following = replace(following, sending=_without_last(self.sending, actor))
        while any(item.sender == actor for item in following.buffered):
            following = following.without_first(actor)
        return following

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Channel, str]:
        """Return the channel afterwards, and the item (or whether there is one)."""
        verb = operation.verb
        if verb is PUT:
            return replace(self, buffered=(*self.buffered, Item(operation.detail, actor))), ""
        if verb is SEND:
            return self._send(operation, actor), ""
        if verb is SENT and actor in self.sending:
            return replace(self, sending=_without_last(self.sending, actor)), ""
        if verb is Verb.DROP:
            return self.without_all(actor), ""
        if verb is RECEIVE and self.items:
            return replace(self, items=self.items[1:]), self.items[0].label
        if verb is Verb.POLL:
            return self, str(bool(self.items) or self.ended)
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
        """Return True: shared memory never blocks."""
        return True

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Cell, str]:
        """Return the cell afterwards, and the value read."""
        if operation.verb is Verb.WRITE:
            return Cell(value=operation.detail, previous=self.value, writer=actor), "None"
        return self, self.value


class Sleepers(Struct, frozen=True, gc=False):
    """Those who sleep in a ``threading.Condition`` inside a manager's server.

    Each sleeper has a lock of its own there, so who notifies wakes certain ones: the oldest.
    """

    woken: tuple[ActorId, ...] = ()

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Return whether the actor may go on: it must have been woken."""
        return operation.verb is not Verb.WAKE or actor in self.woken

    def wake(self, actor: ActorId) -> Sleepers:
        """Return the sleepers after that one was woken."""
        return Sleepers((*self.woken, actor))

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Sleepers, str]:
        """Return the sleepers without the one who goes on."""
        if operation.verb is Verb.WAKE and actor in self.woken:
            return Sleepers(_without_last(self.woken, actor)), "True"
        return self, ""


class Block(Struct, frozen=True, gc=False):
    """A block of shared memory with a name: its bytes, who has it open, whether its name is gone.

    ``open_in`` has an actor once for each time that it has it open.
    """

    size: int = 0
    open_in: tuple[ActorId, ...] = ()
    unlinked: bool = False

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Return True: nothing about a block ever waits."""
        return True

    def without(self, actor: ActorId) -> Block:
        """Return the block after the actor's end."""
        return replace(self, open_in=tuple(other for other in self.open_in if other != actor))

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Block, str]:
        """Return the block afterwards."""
        match operation.verb:
            case Verb.OPEN:
                return replace(self, open_in=(*self.open_in, actor)), ""
            case Verb.CLOSE if actor in self.open_in:
                return replace(self, open_in=_without_last(self.open_in, actor)), ""
            case Verb.UNLINK:
                return replace(self, unlinked=True), ""
            case _:
                return self, ""


Atom: TypeAlias = Semaphore | Channel | Cell | Sleepers | Block | Work | TaskOutcome
