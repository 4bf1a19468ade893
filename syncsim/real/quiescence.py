"""Quiescence: the count of outstanding reports that says when a choice may be made."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncsim.core.atoms import ActorId, Channel
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor
from syncsim.real.interpreter.library_threads import LibraryThreads


@dataclass(slots=True)
class Quiescence:
    """The actors whose reports are outstanding, and those beyond our gates."""

    #: Run, and have their next announcement, or their death, to report.
    outstanding: set[ActorId] = field(default_factory=set)
    #: Of these, those whose granted operation has not been reported yet.
    granted: set[ActorId] = field(default_factory=set)
    #: Are in an operation for real: no gate holds them.
    free: set[ActorId] = field(default_factory=set)
    #: Have said their exit code and are not dead yet.
    leaving: dict[ActorId, int] = field(default_factory=dict)
    #: Had something to report when they were stopped, and will again once they are continued.
    halted: set[ActorId] = field(default_factory=set)
    #: The feeders that were ever held up, by their pipe and their process.
    feeders: dict[tuple[str, ActorId], ActorId] = field(default_factory=dict)
    #: Pipes that are full: from their feeders nothing comes until somebody receives.
    clogged: set[str] = field(default_factory=set)
    #: The feeders, by their pipe and their process, that wait for their lock unseen.
    in_line: set[tuple[str, ActorId]] = field(default_factory=set)
    #: The library's own threads that report what they do.
    helpers: LibraryThreads = field(default_factory=LibraryThreads)

    @property
    def past_gates(self) -> set[ActorId]:
        """The actors that were let through their gate: a grant would not be waited for there."""
        return self.free | self.granted

    def quiet(self, recorder: Recorder) -> bool:
        """Return whether no report is outstanding."""
        if self.outstanding:
            return False
        for actor in self.free:
            if recorder.can_go(recorder.actors[actor]):
                return False
        if self.helpers.are_busy(recorder):
            return False
        return not recorder.feeding or not self.undelivered(recorder)

    def awaits_signals(self, recorder: Recorder) -> bool:
        """Return whether a waiting actor's report is outstanding: a signal is on its way to it."""
        return any(
            recorder.actors[actor].pending is not None for actor in self.outstanding - self.granted
        )

    def undelivered(self, recorder: Recorder) -> list[str]:
        """The pipes into which a feeder thread has something to deliver.

        (In the middle of a put the process still holds the lock that its feeder needs.  A feeder
        at its gate is not awaited.)
        """
        pipes = []
        for name in recorder.feeding - self.helpers.pipes:
            senders = _senders(recorder, name)
            if name in self.clogged:  # one is sending, and those in line are behind it
                senders = {one for one in senders if (name, one) not in self.in_line}
            if any(self._has_to_deliver(recorder, name, one) for one in senders):
                pipes.append(name)
        return pipes

    def clog(self, recorder: Recorder) -> None:
        """A delivery that does not come: the pipe is full.  It comes when somebody receives."""
        for name in self.undelivered(recorder):
            self.clogged.add(name)
            self.in_line.update((name, one) for one in _senders(recorder, name))

    def _has_to_deliver(self, recorder: Recorder, channel: str, sender: ActorId) -> bool:
        process = recorder.actors[sender]
        feeder = self.feeders.get((channel, sender))
        held_up = feeder is not None and recorder.actors[feeder].pending is not None
        puts = process.call.endswith(".put") and _is_at(recorder, process, channel)
        return not (process.ended or process.stopped or puts or held_up)

    def halt(self, actor: ActorId) -> None:
        """The actor is stopped: its report does not come before it is continued."""
        if actor in self.outstanding:
            self.outstanding.remove(actor)
            self.halted.add(actor)

    def resume(self, actor: ActorId) -> None:
        """The actor goes on again."""
        if actor in self.halted:
            self.halted.remove(actor)
            self.outstanding.add(actor)

    def forget(self, actor: ActorId) -> None:
        """The actor is gone: nothing more comes from it."""
        self.outstanding.discard(actor)
        self.granted.discard(actor)
        self.free.discard(actor)
        self.halted.discard(actor)
        self.leaving.pop(actor, None)


def _senders(recorder: Recorder, pipe: str) -> set[ActorId]:
    channel = recorder.atoms[pipe]
    assert isinstance(channel, Channel)
    return {*channel.sending, *(item.sender for item in channel.buffered)}


def _is_at(recorder: Recorder, actor: Actor, atom: str) -> bool:
    """Return whether what the actor is about to do is done to the primitive that has that atom."""
    operation = actor.pending
    primitive = recorder.primitives.get(operation.primitive) if operation is not None else None
    return primitive is not None and atom in primitive.parts.values()
