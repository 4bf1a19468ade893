"""The feeder threads of queues, as the X-ray sees them.

By call they are unseen: what they send counts for their process.  Under the X-ray each waits
at a gate of its own; from the first time on it is an actor, and its lock (the put lock, which
only feeders share) has a model that is true.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Channel, Semaphore
from syncsim.core.operation import Operation, Verb
from syncsim.core.recorder import Recorder
from syncsim.core.schedule import Grain
from syncsim.core.state import Actor, Life, Primitive
from syncsim.real.quiescence import Quiescence


class Feeders:
    """Tells the recorder what a feeder does, and the quiescence what is outstanding."""

    def __init__(self, recorder: Recorder, quiescence: Quiescence) -> None:
        self._recorder = recorder
        self._quiescence = quiescence
        self._queues: dict[ActorId, Primitive] = {}
        # The thread that is sending into a pipe for a process, while nobody holds it up.
        self._sending: dict[tuple[str, ActorId], int] = {}

    def add(self, process: ActorId, queue: str) -> ActorId | None:
        """The feeder of the process is held up for the first time; None for a queue unknown."""
        primitive = self._recorder.primitives.get(queue)
        if primitive is None:
            return None
        owner = self._recorder.actors[process]
        feeder = Actor(
            id=len(self._recorder.actors),
            name=f"{owner.name}'s feeder",
            pid=owner.pid,
            parent=owner.id,
            daemon=True,
            thread="QueueFeederThread",
            life=Life.ALIVE,
            library=True,
        )
        self._recorder.add(feeder)
        self._queues[feeder.id] = primitive
        self._quiescence.feeders[_pipe_of(primitive), process] = feeder.id
        return feeder.id

    def wants(self, feeder: ActorId, operation: Operation) -> Operation:
        """Note the operation that the feeder announced; return it with its item."""
        gives_lock = operation.verb is Verb.RELEASE and operation.atom == self._lock_of(feeder)
        if operation.verb is Verb.SEND or gives_lock:
            self.has_lock(feeder)  # it may have taken it before the X-ray
        else:
            self._is_done(feeder)
        if operation.verb is not Verb.SEND:
            return operation
        channel = self._recorder.atoms[_pipe_of(self._queues[feeder])]
        assert isinstance(channel, Channel)
        process = self._recorder.actors[feeder].parent
        own = (item.label for item in channel.buffered if item.sender == process)
        return replace(operation, detail=next(own, ""))

    def releases(self, feeder: ActorId, operation: Operation) -> None:
        """Note that the feeder gives back its lock (the item is sent) or a slot (it is dropped)."""
        pipe = _pipe_of(self._queues[feeder])
        if operation.atom == self._lock_of(feeder):
            self._recorder.move(feeder, Operation(Verb.SENT, pipe))
        else:
            process = self._recorder.actors[feeder].parent
            assert process is not None
            self._recorder.drop(pipe, process)

    def has_lock(self, feeder: ActorId) -> None:
        """Note that the feeder is in the middle of sending."""
        self._recorder.hold(self._lock_of(feeder), feeder)

    def rests(self, feeder: ActorId) -> None:
        """Note that the feeder has nothing to send."""
        self._is_done(feeder)
        self._quiescence.outstanding.discard(feeder)

    def lines_up(self, process: ActorId, queue: Primitive) -> None:
        """The feeder of the process has its lock soon, unless another one is sending."""
        self._quiescence.in_line.add((_pipe_of(queue), process))

    def begins(self, process: ActorId, pipe: str, tid: int) -> None:
        """A thread of the process begins to send, and nobody holds it up."""
        self._sending[pipe, process] = tid
        self._quiescence.in_line.discard((pipe, process))

    def has_sent(self, process: ActorId, pipe: str, feeder: ActorId | None) -> bool:
        """The item is in the pipe; whether that is written down, or will be with the lock."""
        self._sending.pop((pipe, process), None)
        if feeder is None or not self._holds(feeder):
            return False
        self._quiescence.clogged.discard(pipe)
        if self._recorder.grain is Grain.ATOM:
            # Its next announcement: it gives its lock back.
            self._quiescence.outstanding.add(feeder)
        else:
            self._is_done(feeder)
        return True

    def in_the_middle(self) -> Iterator[tuple[Primitive, ActorId, int]]:
        """The queues into which something is being sent: for whom, and by which thread."""
        for queue in list(self._recorder.primitives.values()):
            pipe = _pipe_of(queue)
            channel = self._recorder.atoms.get(pipe)
            if isinstance(channel, Channel) and "slots" in queue.parts:
                for process in channel.sending:
                    if (pipe, process) in self._sending:
                        yield queue, process, self._sending[pipe, process]

    def leaves(self, process: ActorId, pipe: str) -> None:
        """The feeder of the process ends, also without having come to rest."""
        feeder = self._quiescence.feeders.get((pipe, process))
        if feeder is not None:
            self.rests(feeder)

    def ends(self, process: ActorId, pipe: str) -> ActorId | None:
        """The process has joined its feeder; who that was, if it was ever held up."""
        feeder = self._quiescence.feeders.pop((pipe, process), None)
        if feeder is not None:
            self._recorder.end(feeder, None)
            self._quiescence.forget(feeder)
        return feeder

    def _lock_of(self, feeder: ActorId) -> str:
        """The lock that a feeder has while it sends into the pipe of its queue."""
        parts = self._queues[feeder].parts
        return parts.get("send lock") or parts["put lock"]

    def _holds(self, feeder: ActorId) -> bool:
        lock = self._recorder.atoms.get(self._lock_of(feeder))
        return isinstance(lock, Semaphore) and feeder in lock.holders

    def _is_done(self, feeder: ActorId) -> None:
        """If it had its lock: that was given back unseen, and the item is wholly in the pipe."""
        if self._holds(feeder):
            self._recorder.hold(self._lock_of(feeder), None)
            self._recorder.move(feeder, Operation(Verb.SENT, _pipe_of(self._queues[feeder])))


def _pipe_of(queue: Primitive) -> str:
    """The pipe of a queue, or of that through which an executor hands out its tasks."""
    return queue.parts.get("items") or queue.parts.get("tasks", "")
