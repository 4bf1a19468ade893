"""The library's threads of Pools and executors: what they are given by the processes."""

from __future__ import annotations

from syncsim import wire
from syncsim.core.atoms import ActorId
from syncsim.core.operation import Operation, Verb
from syncsim.core.recorder import Recorder
from syncsim.real.interpreter.library_threads import LibraryThreads


class Pools:
    """Knows which thread of the library takes what is in a channel, or misses a worker."""

    def __init__(self, recorder: Recorder, helpers: LibraryThreads) -> None:
        self._recorder = recorder
        self._helpers = helpers
        self._thread_for: dict[str, str] = {}  # by the channel, or by the work

    def add(self, roles: dict[str, str]) -> None:
        """Add a Pool or an executor with these parts."""
        handler = roles["worker handler"]
        self._thread_for[roles["work"]] = handler
        self._helpers.pipes.add(roles["results"])
        if "slots" not in roles:  # an executor's tasks go through a Queue
            self._helpers.pipes.add(roles["tasks"])
        self._thread_for[roles["results"]] = roles.get("result handler", handler)

    def reads(self, channel: str) -> bool:
        """Return whether a thread of the library takes what is in that channel."""
        return channel in self._thread_for

    def sent(self, worker: ActorId, operation: Operation) -> None:
        """A worker (or who ends a Pool) has sent something to the thread for the results."""
        self._helpers.send(self._thread_for[operation.atom])
        for work in self._recorder.works_for(worker):
            failed = "failed" if operation.call.endswith(".fail") else ""
            self._recorder.move(worker, Operation(Verb.SETTLE, work, detail=failed))

    def lost(self, worker: ActorId) -> None:
        """A worker has ended: the thread that looks after the workers will replace it."""
        for work in self._recorder.works_for(worker):
            self._helpers.send(self._thread_for[work])

    # -- records ------------------------------------------------------------------------

    def helper(self, record: wire.Helper) -> None:
        """A thread of the library begins."""
        self._helpers.begin(record.pid, record.name)

    def gave(self, record: wire.Gave) -> None:
        """A thread of the library was given something."""
        if record.pid:
            self._helpers.give(record.name, record.pid)
        else:
            self._helpers.send(record.name)

    def dealt(self, record: wire.Dealt) -> None:
        """A thread of the library has dealt with what it was given."""
        if self._helpers.deal(record.pid, record.tid, record.name, record.n):
            self._recorder.settle(record.name)
