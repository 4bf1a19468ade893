"""The memory of another process, read without touching it (``/proc/PID/mem``).

The process does not notice: no signal, no stop, no thread.  It needs the permission to trace
it, which the one who started it has unless the machine forbids it to everybody.
"""

from __future__ import annotations

import os


def read_memory(pid: int, address: int, size: int) -> bytes | None:
    """So many bytes from there; None where they cannot be had."""
    if size <= 0 or not 0 < address < 1 << 63:
        return None
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        return None
    try:
        data = os.pread(fd, size, address)
    except (OSError, OverflowError):
        return None
    finally:
        os.close(fd)
    return data if len(data) == size else None
