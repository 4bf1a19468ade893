"""Signal dispositions of another process, by ``/proc/PID/status`` (Linux; elsewhere unknown)."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path


class Disposition(StrEnum):
    """The action of a process on a signal."""

    DEFAULT = "default"
    CATCHES = "catches"
    UNMOVED = "unmoved"  # ignores it, or has blocked it


def disposition(pid: int, number: int) -> Disposition:
    """Return what the process does with that signal; ``DEFAULT`` where that cannot be known."""
    if _has(pid, number, "SigIgn", "SigBlk"):
        return Disposition.UNMOVED
    return Disposition.CATCHES if _has(pid, number, "SigCgt") else Disposition.DEFAULT


def is_pending(pid: int, number: int) -> bool:
    """Return whether that signal was sent to the process and not delivered: it is stopped."""
    return _has(pid, number, "SigPnd", "ShdPnd")


def _has(pid: int, number: int, *masks: str) -> bool:
    mask = 0
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.partition(":")[0] in masks:
                mask |= int(line.split()[1], 16)
    return bool(mask >> (number - 1) & 1)
