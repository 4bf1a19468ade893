"""Counts, inside the program's processes, the records that they write: none may get lost.

One counter a process, in shared memory, for the records it has begun to write and for those
it has written; they differ where a process was killed in between.  So of all records

    written <= read by the other side <= begun

must hold, and both sides are the same unless somebody was killed just then.
"""

from __future__ import annotations

import functools
import mmap
import os
import sys
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

#: The environment variable that names the file with the counters.
COUNTERS = "SYNCSIM_ORACLE_COUNTERS"


def _processes() -> int:
    return int(Path("/proc/sys/kernel/pid_max").read_text())


def make(path: Path) -> None:
    """A file of counters, all 0; it has holes where no process was."""
    with path.open("wb") as file:
        file.truncate(2 * 8 * _processes())


def sums(path: Path) -> tuple[int, int]:
    """How many records were begun, and how many were written."""
    numbers = memoryview(path.read_bytes()).cast("Q")
    half = len(numbers) // 2
    return sum(numbers[:half]), sum(numbers[half:])


def count_records(*, is_main: bool) -> None:
    """Counts from here on what this process and those forked from it write, if it is watched."""
    gate = sys.modules.get("syncsim.real.gate")
    path = os.environ.get(COUNTERS)
    if gate is None or path is None or hasattr(gate.Gate._put, "__wrapped__"):
        return
    with open(path, "r+b") as file:
        counters = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    half = len(counters) // 2
    # What was written before: that the stage was born, or that a forkserver forked this process.
    if is_main or _is_of_forkserver():
        counters[os.getpid()] += 1
        counters[half + os.getpid()] += 1
    real = gate.Gate._put

    @functools.wraps(real)
    def put(self: Any, line: bytes) -> None:
        # (Threads do not come between the reading and the writing of an item.)
        counters[self.pid] += 1
        real(self, line)
        counters[half + self.pid] += 1

    gate.Gate._put = put


def _is_of_forkserver() -> bool:
    """Whether a forkserver has forked this process (which then knows the server's pipe)."""
    return vars(forkserver._forkserver)["_forkserver_alive_fd"] is not None
