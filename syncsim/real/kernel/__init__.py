"""The operating system's own account of a process, where it gives one (Linux: ``/proc``).

Everything here only looks: no process can notice that it is looked at.
"""

from __future__ import annotations

from syncsim.real.kernel.deaths import Deaths, UnwatchedError
from syncsim.real.kernel.sleep import Sleep, look, look_at_all
from syncsim.real.kernel.stat import (
    exit_code,
    falls_asleep,
    has_ended,
    is_asleep,
    is_stopped,
    thread_has_ended,
    threads,
    waits_to_write,
)

__all__ = [
    "Deaths",
    "Sleep",
    "UnwatchedError",
    "exit_code",
    "falls_asleep",
    "has_ended",
    "is_asleep",
    "is_stopped",
    "look",
    "look_at_all",
    "thread_has_ended",
    "threads",
    "waits_to_write",
]
