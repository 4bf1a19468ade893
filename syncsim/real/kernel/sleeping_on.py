"""The files, memory and locks that a process of the program sleeps on."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

from syncsim.real.kernel.process_memory import read_memory
from syncsim.real.kernel.sleep import Sleep
from syncsim.real.kernel.syscalls import ON_A_FILE

#: Of one poll or select so many files are looked at.
_FILES = 64
_POLLFD = struct.Struct("=ihh")


def slept_on(pid: int, sleep: Sleep) -> tuple[int, ...] | None:
    """The file descriptors it sleeps on; None where that cannot be known."""
    arguments = sleep.arguments
    if sleep.call in ON_A_FILE:
        return (arguments[0] & 0xFFFFFFFF,)
    match sleep.call:
        case "poll" | "ppoll":
            size = _POLLFD.size * min(arguments[1], _FILES)
            data = read_memory(pid, arguments[0], size)
            if data is None:
                return None
            return tuple(fd for fd, _, _ in _POLLFD.iter_unpack(data) if fd >= 0)
        case "select" | "pselect6":
            found: set[int] = set()
            for address in filter(None, arguments[1:4]):
                bits = read_memory(pid, address, (min(arguments[0], 1024) + 7) // 8)
                if bits is None:
                    return None
                number = int.from_bytes(bits, "little")
                found.update(fd for fd in range(number.bit_length()) if number >> fd & 1)
            return tuple(sorted(found))[:_FILES]
        case "epoll_wait" | "epoll_pwait" | "epoll_pwait2":
            with contextlib.suppress(OSError, ValueError, IndexError):
                info = Path(f"/proc/{pid}/fdinfo/{arguments[0] & 0xFFFFFFFF}").read_text()
                lines = [line.split() for line in info.splitlines()]
                return tuple(int(line[1]) for line in lines if line[0] == "tfd:")[:_FILES]
    return None


def target_of(pid: int, fd: int) -> str:
    """Return what the file descriptor leads to: a path, ``pipe:[INODE]``; empty where not known."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return ""


def inode_of(target: str) -> str:
    """The number in ``pipe:[96]`` or ``socket:[96]``; empty for anything else."""
    return target.partition(":[")[2].rstrip("]")


def mapping_at(pid: int, address: int) -> str:
    """The path of what is mapped at that address of the process; empty if it has none."""
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/maps").open(errors="replace") as maps:
        for line in maps:
            words = line.split(maxsplit=5)
            start, end = (int(number, 16) for number in words[0].split("-"))
            if start <= address < end:
                return words[5].strip() if len(words) > 5 else ""
    return ""


def owners_of_lock(pid: int, fd: int) -> tuple[int, ...]:
    """Return who has a file lock (``flock``, ``fcntl``) on that file, by pid (``/proc/locks``)."""
    found = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        inode = os.stat(f"/proc/{pid}/fd/{fd}").st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] != "->" and int(words[5].rpartition(":")[2]) == inode:
                found.append(int(words[4]))
    return tuple(dict.fromkeys(owner for owner in found if owner > 0))


def kind_of_socket(inode: str) -> str:
    """``unix``, ``tcp``, …; empty where not known.  (Sockets of our own network namespace.)"""
    for family in ("unix", "tcp", "tcp6", "udp", "udp6"):
        with contextlib.suppress(OSError):
            if f" {inode} " in Path(f"/proc/net/{family}").read_text(errors="replace"):
                return family
    return ""
