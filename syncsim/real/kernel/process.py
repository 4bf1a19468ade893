"""What ``/proc`` says of a process as a whole (Linux; elsewhere nothing is known)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


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
