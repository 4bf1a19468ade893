"""The operating system's own account of a process, where it gives one (Linux: ``/proc``)."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path

_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a disk",
    "T": "stopped",
    "t": "stopped by a debugger",
    "Z": "ended, not reaped",
    "X": "gone",
}


def account(pid: int) -> str:
    """What the kernel says the process does, in words; empty where it does not say."""
    fields = _stat(pid)
    if fields is None:
        return ""
    state = _STATES.get(fields[0], fields[0])
    with contextlib.suppress(OSError):
        where = Path(f"/proc/{pid}/wchan").read_text().strip("\0\n ")
        if where not in ("", "0"):
            return f"{state} in {where}"
    return state


def is_asleep(pid: int) -> bool:
    """Whether every thread of the process sleeps; false where that cannot be known."""
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "stat").read_text().rpartition(")")[2].split()[0] not in "SZ":
                return False
    except (OSError, IndexError):  # one is just ending, or there is no /proc
        return False
    return True


def threads(pid: int) -> int:
    """How many threads the process has; 1 where that cannot be known."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 1


def catches(pid: int, number: int) -> bool:
    """Whether the process catches or ignores that signal; false where that cannot be known."""
    mask = 0
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("SigCgt:", "SigIgn:")):
                mask |= int(line.split()[1], 16)
    return bool(mask >> (number - 1) & 1)


def exit_code(pid: int) -> int | None:
    """The exit code of a zombie (negative: the signal); None where it cannot be known."""
    fields = _stat(pid)
    if fields is None or fields[0] != "Z":
        return None
    with contextlib.suppress(IndexError, ValueError):
        return os.waitstatus_to_exitcode(int(fields[49]))
    return None


def _stat(pid: int) -> list[str] | None:
    """The fields of ``/proc/PID/stat`` from the state on (proc(5): field 3)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


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
        """Watch that process from now on."""
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
        except OSError:
            self.gone.append(pid)

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
