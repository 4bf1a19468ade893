"""The atoms of the virtual world that hold data: a pipe and a piece of memory.

The semaphore is the core's own.  What a person sees of a channel or a cell is kept by the
recorder; here is what the processes see: bytes and values.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.atoms import Semaphore
from syncsim.virtual.model.managed import Referent

#: What fits into a pipe, in bytes: Linux's default (``pipe(7)``).
CAPACITY = 65536
#: What ``Connection._send_bytes`` writes before each message.
HEADER = 4
#: What stands in a buffer for an item that cannot be pickled, before the slots to be given back.
#: (No pickle begins so.)
UNSENDABLE = b"\0"


class Pipe(Struct, frozen=True, gc=False, cache_hash=True):
    """A pipe, with the buffers of those who feed it; actors are numbers of the system.

    ``messages`` are in the pipe, the oldest first, ``size`` their bytes; ``received`` counts
    those that were taken out.  ``sending`` are those whose message is not wholly in it yet.
    ``writers`` and ``readers`` have an end of it open.  The last message is ``torn`` if its sender
    ended before all of it was in the pipe: it never will be.  ``history`` is all that was ever
    taken out, where it is kept.
    """

    messages: tuple[bytes, ...] = ()
    size: int = 0
    received: int = 0
    buffered: tuple[tuple[int, bytes], ...] = ()
    sending: tuple[int, ...] = ()
    writers: tuple[int, ...] = ()
    readers: tuple[int, ...] = ()
    history: tuple[bytes, ...] | None = None
    torn: bool = False

    @property
    def has_whole(self) -> bool:
        """Return whether the next message is there, and can be had."""
        return len(self.messages) > self.torn

    @property
    def ended(self) -> bool:
        """Return whether nothing can come any more."""
        return not self.messages and not self.writers

    def unsent(self, actor: int) -> bool:
        """Return whether something that the actor has put is not wholly in the pipe."""
        return actor in self.sending or any(owner == actor for owner, _ in self.buffered)

    def has_all_of(self, actor: int) -> bool:
        """Return whether the message that the actor is sending is wholly in the pipe.

        (What is being sent are the last messages, in that order.)
        """
        behind = len(self.sending) - 1 - self.sending.index(actor)
        return self.size - sum(map(_length, self._last(behind))) <= CAPACITY

    def _last(self, count: int) -> tuple[bytes, ...]:
        return self.messages[-count:] if count else ()

    def put(self, actor: int, message: bytes) -> Pipe:
        """With the message in the actor's buffer."""
        return replace(self, buffered=(*self.buffered, (actor, message)))

    def fed(self, actor: int) -> Pipe:
        """With the actor's oldest buffered message on its way through the pipe."""
        left = self.dropped(actor)
        return left.sent(actor, self.next_of(actor))

    def dropped(self, actor: int) -> Pipe:
        """Without the actor's oldest buffered message."""
        at = next(at for at, (owner, _) in enumerate(self.buffered) if owner == actor)
        return replace(self, buffered=self.buffered[:at] + self.buffered[at + 1 :])

    def next_of(self, actor: int) -> bytes:
        """The actor's oldest buffered message; empty without one."""
        return next((message for owner, message in self.buffered if owner == actor), b"")

    def drops(self, actor: int) -> bool:
        """Return whether the actor's feeder drops an item next that cannot be pickled."""
        return self.next_of(actor).startswith(UNSENDABLE)

    def sent(self, actor: int, message: bytes) -> Pipe:
        """With the message in it; the sender waits if it does not fit."""
        size = self.size + _length(message)
        sending = (*self.sending, actor) if size > CAPACITY else self.sending
        return replace(self, messages=(*self.messages, message), size=size, sending=sending)

    def arrived(self, actor: int) -> Pipe:
        """With the actor's message wholly in it."""
        return replace(self, sending=tuple(one for one in self.sending if one != actor))

    def taken(self) -> Pipe:
        """Without its oldest message."""
        first, *rest = self.messages
        size = self.size - _length(first)
        history = None if self.history is None else (*self.history, first)
        return replace(
            self, messages=tuple(rest), size=size, received=self.received + 1, history=history
        )

    def opened(self, actor: int, *, writer: bool, reader: bool) -> Pipe:
        """With these ends open in that process, too."""
        writers = (*self.writers, actor) if writer and actor not in self.writers else self.writers
        readers = (*self.readers, actor) if reader and actor not in self.readers else self.readers
        return replace(self, writers=writers, readers=readers)

    def closed(self, actor: int, *, writer: bool, reader: bool) -> Pipe:
        """With these ends closed in that process."""
        writers, readers = self.writers, self.readers
        if writer:
            writers = tuple(one for one in writers if one != actor)
        if reader:
            readers = tuple(one for one in readers if one != actor)
        return replace(self, writers=writers, readers=readers)

    def forgotten(self, actor: int) -> Pipe:
        """After the end of that process: what was in its buffer is lost."""
        tears = not self.torn and actor in self.sending and not self.has_all_of(actor)
        behind = len(self.sending) - 1 - self.sending.index(actor) if tears else 0
        return replace(
            self.closed(actor, writer=True, reader=True),
            # (What is behind it really waits for the put lock, and never gets it.)
            messages=self.messages[: len(self.messages) - behind],
            torn=self.torn or tears,
            buffered=tuple(one for one in self.buffered if one[0] != actor),
            sending=tuple(one for one in self.sending if one != actor),
        )


def _length(message: bytes) -> int:
    return len(message) + HEADER


class Items(Struct, frozen=True, gc=False, cache_hash=True):
    """Some items of an array: which, and what is to be written there."""

    places: tuple[int, ...]
    values: tuple[Hashable, ...] = ()


class SharedMemory(Struct, frozen=True, gc=False, cache_hash=True):
    """A piece of shared memory: any value that is never changed in place."""

    value: Hashable

    def read(self, what: Hashable) -> Hashable:
        """The items, or the whole."""
        if isinstance(what, Items):
            assert isinstance(self.value, tuple)
            return tuple([self.value[place] for place in what.places])
        return self.value

    def written(self, what: Hashable) -> SharedMemory:
        """With the items in their places, or with that as a whole."""
        if not isinstance(what, Items):
            return SharedMemory(what)
        assert isinstance(self.value, tuple)
        whole = list(self.value)
        for place, value in zip(what.places, what.values, strict=True):
            whole[place] = value
        return SharedMemory(tuple(whole))


#: What an operation answers on something of a manager whose server is gone.
GONE = "gone"


class Gone(Struct, frozen=True, gc=False, cache_hash=True):
    """The rest of something that the server of a manager kept, when the server is gone.

    Whoever waits for it need not wait any longer: it is like a free semaphore.
    """

    last: Semaphore | Referent

    @property
    def value(self) -> int:
        """Return one: it can be had."""
        return 1

    @property
    def recursive(self) -> bool:
        """Return False: nobody owns it."""
        return False

    @property
    def holders(self) -> tuple[int, ...]:
        """Return nobody."""
        return ()


class Alias(NamedTuple):
    """Another name of an atom."""

    of: str


class Lent(NamedTuple):
    """An atom that the server with that pid keeps, and what it begins with (None: as it is)."""

    server: int
    content: Hashable


Thing: TypeAlias = Semaphore | Pipe | SharedMemory | Referent | Gone
