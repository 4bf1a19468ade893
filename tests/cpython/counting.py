"""Counts, inside the program's processes, the records that they have written: none may get lost.

Each process has a counter in shared memory, which outlives a process that is killed.  A record
that was counted must be read by the other side.  (A few more may be read than were counted: of
a process killed between writing and counting, and of one that never imports this, such as a
forkserver.)
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


def make(path: Path) -> None:
    """A file of counters, one a pid, all 0; on disk it is as good as empty."""
    with path.open("wb") as file:
        file.truncate(8 * int(Path("/proc/sys/kernel/pid_max").read_text()))


def total(path: Path) -> int:
    """How many records were written."""
    return sum(memoryview(path.read_bytes()).cast("Q"))


def count_records(*, is_main: bool) -> None:
    """Counts from here on what this process and those forked from it write, if it is watched."""
    writer = sys.modules.get("syncsim.instrument.record_writer")
    path = os.environ.get(COUNTERS)
    if writer is None or path is None or hasattr(writer.RecordWriter.put, "__wrapped__"):
        return
    with open(path, "r+b") as file:
        counters = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    # What was written before: that the stage was born, or that a forkserver forked this process.
    if is_main or _is_of_forkserver():
        counters[os.getpid()] += 1
    real = writer.RecordWriter.put

    @functools.wraps(real)
    def put(self: Any, line: bytes) -> None:
        real(self, line)
        # (Threads do not come between the reading and the writing of an item.)
        counters[self.pid] += 1

    writer.RecordWriter.put = put


def _is_of_forkserver() -> bool:
    """Whether a forkserver has forked this process (which then knows the server's pipe)."""
    return vars(forkserver._forkserver)["_forkserver_alive_fd"] is not None
