"""The library's own threads: counts of what they were given and what they have dealt with.

A Pool has three of them, an executor one.  They are never held up at a gate, but they
are expected to report: a task that was submitted will reach a worker, a result its
``AsyncResult``, a worker that died is replaced.  Each of them takes what it is given in order and
then blocks until there is more; so two counts say whether it is at rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from syncsim.core.operation import Operation, Verb
from syncsim.core.recorder import Recorder


@dataclass(slots=True)
class LibraryThread:
    """One such thread, of the process with that pid."""

    pid: int
    given: int = 0
    dealt: int = 0
    #: It may be given something before it begins.
    begun: bool = False
    #: What it is in the middle of, and may have to wait for like everybody else.
    waits: Operation | None = None
    #: The number of its thread, and whether it is in the middle of sending something.
    tid: int = 0
    sending: bool = False
    #: It was given up on: something that we do not see holds it up.
    stalled: bool = False


@dataclass(slots=True)
class LibraryThreads:
    """The library threads at work, by name."""

    #: The pipes into which they send, or a process that waits until it has sent: no feeder does.
    pipes: set[str] = field(default_factory=set)
    _all: dict[str, LibraryThread] = field(default_factory=dict)
    _of_thread: dict[tuple[int, int], LibraryThread] = field(default_factory=dict)

    def begin(self, pid: int, name: str) -> None:
        """Note that the library thread ``name`` began."""
        self._all.setdefault(name, LibraryThread(pid)).begun = True

    def give(self, name: str, pid: int) -> None:
        """Note that the library thread was given something by its own process.

        (What a forked copy of a Pool is given reaches nobody.)
        """
        helper = self._all.setdefault(name, LibraryThread(pid))
        if helper.pid == pid:
            helper.given += 1

    def send(self, name: str) -> None:
        """Note that the library thread was given something by another process."""
        if name in self._all:
            self._all[name].given += 1

    def deal(self, pid: int, tid: int, name: str, n: int) -> bool:
        """Note ``n`` things dealt with; return whether the thread has ended (then n is -1)."""
        helper = self._all.get(name)
        if helper is None or helper.pid != pid:
            return False
        if n < 0:
            del self._all[name]
            self._of_thread.pop((pid, tid), None)
            return True
        helper.dealt = n
        helper.tid = tid
        helper.stalled = False
        self._of_thread[pid, tid] = helper
        return False

    def waits(self, pid: int, tid: int, operation: Operation | None) -> Operation | None:
        """Note the thread's operation from now on; return the one before."""
        helper = self._of_thread.get((pid, tid))
        if helper is None:
            return None
        before, helper.waits = helper.waits, operation
        helper.stalled = False
        return before

    def are_busy(self, recorder: Recorder) -> bool:
        """Return whether one of them has something to do, and nothing known in its way."""
        return any(
            helper.given > helper.dealt
            and helper.begun
            and not helper.stalled
            and (helper.waits is None or _would_go(recorder, helper.pid, helper.waits))
            for helper in self._all.values()
        )

    def sends(self, pid: int, tid: int, *, begins: bool) -> None:
        """The thread begins to send something, or has sent it."""
        helper = self._of_thread.get((pid, tid))
        if helper is not None:
            helper.sending = begins
            helper.stalled = False

    def stall_who(self, waits_to_write: Callable[[int, int], bool]) -> bool:
        """Expect nothing of those whose pipe is full before somebody receives; were there any?"""
        found = False
        for helper in self._all.values():
            if helper.sending and not helper.stalled and waits_to_write(helper.pid, helper.tid):
                helper.stalled = found = True
        return found

    def start(self) -> bool:
        """Return whether one of them is in the middle of starting a process."""
        waits = (helper.waits for helper in self._all.values())
        return any(one is not None and one.verb is Verb.START for one in waits)

    def stall(self) -> None:
        """Give up on those with something to do until something changes for them."""
        for helper in self._all.values():
            helper.stalled = helper.given > helper.dealt

    def stir(self) -> None:
        """Something has changed that may let one go on."""
        for helper in self._all.values():
            helper.stalled = False

    def died(self, pid: int) -> None:
        """The process is gone, and they with it."""
        for name in [name for name, helper in self._all.items() if helper.pid == pid]:
            del self._all[name]


def _would_go(recorder: Recorder, pid: int, operation: Operation) -> bool:
    process = recorder.by_pid(pid)
    return process is None or recorder.would_go(operation, process.id)
