"""Facts that ``/proc`` tells of a process as a whole (Linux; elsewhere nothing is known)."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

#: Seconds of the processor, after which who is not asleep is not about to be; and seconds by the
#: clock for which one is waited for who does not get the processor.
_WORKS, _STARVES = 0.1, 10.0
#: So many units of processor time are a second.
_TICKS = os.sysconf("SC_CLK_TCK")


def is_asleep(pid: int) -> bool:
    """Return whether every thread of the process sleeps or is stopped; false if not known."""
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "stat").read_text().rpartition(")")[2].split()[0] not in "SZT":
                return False
    except (OSError, IndexError):  # one is just ending, or there is no /proc
        return False
    return True


def falls_asleep(pid: int, tid: int = 0) -> bool:
    """Wait until that thread (0: the main one) sleeps or is gone; whether it does.

    Who is kept from the processor by others is waited for.  Who has had it for a while and does
    not sleep is at work.
    """
    end = time.monotonic() + _STARVES
    begun: float | None = None
    while (fields := _stat(f"{pid}/task/{tid or pid}")) is not None and fields[0] in "RD":
        used = (int(fields[11]) + int(fields[12])) / _TICKS
        begun = used if begun is None else begun
        if used - begun > _WORKS or time.monotonic() > end:
            return False
        time.sleep(0.0005)
    return True


def waits_to_write(pid: int, tid: int) -> bool:
    """Return whether the thread sleeps because a pipe is full; false if not known."""
    with contextlib.suppress(OSError):
        where = Path(f"/proc/{pid}/task/{tid}/wchan").read_text()
        return where.strip("\0\n ").endswith("pipe_write")
    return False


def threads(pid: int) -> int:
    """Return how many threads the process has; 1 where that cannot be known."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 1


def thread_has_ended(pid: int, tid: int) -> bool:
    """Return whether the thread has ended and its process has not; false if not known."""
    return not (os.path.exists(f"/proc/{pid}/task/{tid}") or has_ended(pid))


def is_stopped(pid: int) -> bool | None:
    """Return whether a signal has halted the process; None where that cannot be known."""
    fields = _stat(pid)
    return None if fields is None else fields[0] == "T"


def has_ended(pid: int) -> bool:
    """Return whether there is no such process any more; true where that cannot be known."""
    fields = _stat(pid)
    return fields is None or fields[0] in "ZX"


def exit_code(pid: int) -> int | None:
    """The exit code of a zombie (negative: the signal); None where it cannot be known."""
    fields = _stat(pid)
    if fields is None or fields[0] != "Z":
        return None
    with contextlib.suppress(IndexError, ValueError):
        return os.waitstatus_to_exitcode(int(fields[49]))
    return None


def _stat(pid: int | str) -> list[str] | None:
    """The fields of ``/proc/PID/stat`` from the state on (proc(5): field 3)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()
