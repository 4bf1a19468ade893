"""The end of any process, told at once."""

from __future__ import annotations

import os
import select
import signal
import sys


class UnwatchedError(OSError):
    """A process is alive and cannot be watched, or held up: there are too many open files."""


class Deaths:
    """Tells of the end of any process at once, also of one that is no child of ours.

    ``fileno`` becomes readable when one ends: a pidfd each on Linux, one kqueue elsewhere.
    """

    def __init__(self) -> None:
        self._pidfds: dict[int, int] = {}
        #: Those that had ended before they could be watched: nothing becomes readable for them.
        self.gone: list[int] = []
        self._linux = sys.platform == "linux"
        if self._linux:
            self._poll = select.epoll()
        else:
            self._queue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]

    def fileno(self) -> int:
        """The file descriptor to wait on."""
        return self._poll.fileno() if self._linux else self._queue.fileno()

    def watch(self, pid: int) -> None:
        """Watch that process from now on.  Raises ``UnwatchedError``: there are too many."""
        try:
            if self._linux:
                fd = os.pidfd_open(pid)
                self._pidfds[fd] = pid
                self._poll.register(fd, select.EPOLLIN)
            else:
                event = select.kevent(  # type: ignore[attr-defined,unused-ignore]
                    pid,
                    filter=select.KQ_FILTER_PROC,  # type: ignore[attr-defined,unused-ignore]
                    flags=select.KQ_EV_ADD | select.KQ_EV_ONESHOT,  # type: ignore[attr-defined,unused-ignore]
                    fflags=select.KQ_NOTE_EXIT,  # type: ignore[attr-defined,unused-ignore]
                )
                self._queue.control([event], 0)
        except ProcessLookupError:
            self.gone.append(pid)
        except OSError as error:
            raise UnwatchedError(
                f"one of the program's processes cannot be watched: {error.strerror}"
            ) from error

    def send(self, pid: int, number: int) -> bool:
        """Send a signal to a process that is watched; false if it has ended.

        (On Linux never to another one that has got its pid since.)
        """
        try:
            if not self._linux:
                os.kill(pid, number)
                return True
            fd = next((fd for fd, one in self._pidfds.items() if one == pid), None)
            if fd is None:
                return False
            signal.pidfd_send_signal(fd, number)
        except ProcessLookupError:
            return False
        return True

    def collect(self) -> list[int]:
        """The pids that have ended since the last time."""
        gone, self.gone = self.gone, []
        return gone + self._collect()

    def _collect(self) -> list[int]:
        if not self._linux:
            return [event.ident for event in self._queue.control([], 64, 0)]
        ended = []
        for fd, _ in self._poll.poll(0):
            self._poll.unregister(fd)
            os.close(fd)
            ended.append(self._pidfds.pop(fd))
        return ended

    def close(self) -> None:
        """Watch no more."""
        for fd in self._pidfds:
            os.close(fd)
        self._pidfds.clear()
        (self._poll if self._linux else self._queue).close()
