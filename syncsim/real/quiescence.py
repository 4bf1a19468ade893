"""What is owed: the count that says when it is quiet."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncsim.core.atoms import ActorId, Channel
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor
from syncsim.real.interpreter.library_threads import LibraryThreads


@dataclass(slots=True)
class Quiescence:
    """Who owes us something, and who is beyond our gates."""

    #: Runs, and owes us its next announcement, or its death.
    owing: set[ActorId] = field(default_factory=set)
    #: Of these, whose granted operation has not been reported yet.
    granted: set[ActorId] = field(default_factory=set)
    #: Is in an operation for real: no gate holds it.
    free: set[ActorId] = field(default_factory=set)
    #: Has said its exit code and is not dead yet.
    leaving: dict[ActorId, int] = field(default_factory=dict)
    #: Owed us something when it was stopped, and will again once it is continued.
    halted: set[ActorId] = field(default_factory=set)
    #: The feeders that were ever held up, by their pipe and their process.
    feeders: dict[tuple[str, ActorId], ActorId] = field(default_factory=dict)
    #: Pipes that are full: their feeders owe nothing until somebody receives.
    clogged: set[str] = field(default_factory=set)
    #: The feeders, by their pipe and their process, that wait for their lock unseen.
    in_line: set[tuple[str, ActorId]] = field(default_factory=set)
    #: The library's own threads that owe us what they do.
    helpers: LibraryThreads = field(default_factory=LibraryThreads)

    def quiet(self, recorder: Recorder) -> bool:
        """Whether nobody owes us anything."""
        if self.owing:
            return False
        for actor in self.free:
            if recorder.can_go(recorder.actors[actor]):
                return False
        if self.helpers.owe(recorder):
            return False
        return not recorder.feeding or not self.owing_channels(recorder)

    def awaits_signals(self, recorder: Recorder) -> bool:
        """Whether somebody waits and yet owes us something: a signal is on its way to it."""
        return any(
            recorder.actors[actor].pending is not None for actor in self.owing - self.granted
        )

    def owing_channels(self, recorder: Recorder) -> list[str]:
        """The pipes into which a feeder thread has something to deliver.

        (In the middle of a put the process still holds the lock that its feeder needs.  A feeder
        at its gate owes nothing.)
        """
        owing = []
        for name in recorder.feeding - self.helpers.pipes:
            senders = _senders(recorder, name)
            if name in self.clogged:  # one is sending, and those in line are behind it
                senders = {one for one in senders if (name, one) not in self.in_line}
            if any(self._owes(recorder, name, one) for one in senders):
                owing.append(name)
        return owing

    def clog(self, recorder: Recorder) -> None:
        """A delivery that does not come: the pipe is full.  It comes when somebody receives."""
        for name in self.owing_channels(recorder):
            self.clogged.add(name)
            self.in_line.update((name, one) for one in _senders(recorder, name))

    def _owes(self, recorder: Recorder, channel: str, sender: ActorId) -> bool:
        process = recorder.actors[sender]
        feeder = self.feeders.get((channel, sender))
        held_up = feeder is not None and recorder.actors[feeder].pending is not None
        puts = process.call.endswith(".put") and _is_at(recorder, process, channel)
        return not (process.ended or process.stopped or puts or held_up)

    def halt(self, actor: ActorId) -> None:
        """The actor is stopped: what it owes does not come before it is continued."""
        if actor in self.owing:
            self.owing.remove(actor)
            self.halted.add(actor)

    def resume(self, actor: ActorId) -> None:
        """The actor goes on again."""
        if actor in self.halted:
            self.halted.remove(actor)
            self.owing.add(actor)

    def settle_up(self, actor: ActorId) -> None:
        """The actor is gone: it owes nothing more."""
        self.owing.discard(actor)
        self.granted.discard(actor)
        self.free.discard(actor)
        self.halted.discard(actor)
        self.leaving.pop(actor, None)


def _senders(recorder: Recorder, pipe: str) -> set[ActorId]:
    channel = recorder.atoms[pipe]
    assert isinstance(channel, Channel)
    return {*channel.sending, *(item.sender for item in channel.buffered)}


def _is_at(recorder: Recorder, actor: Actor, atom: str) -> bool:
    """Whether what the actor is about to do is done to the primitive that has that atom."""
    operation = actor.pending
    primitive = recorder.primitives.get(operation.primitive) if operation is not None else None
    return primitive is not None and atom in primitive.parts.values()
