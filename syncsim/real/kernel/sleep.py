"""In what a thread sleeps, as far as the kernel lets us see."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from msgspec import Struct

from syncsim.real.kernel.syscalls import is_timed, name_of

_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a disk",
    "I": "idle",
    "T": "stopped",
    "t": "stopped by a debugger",
    "Z": "ended, not reaped",
    "X": "gone",
}


class Sleep(Struct, frozen=True):
    """The kernel's account of one thread.

    ``call`` is the system call it is in, with its six ``arguments``; empty where the kernel does
    not say (it is running, or we may not know).  ``channel`` is the function of the kernel in
    which it sleeps.  ``switches`` counts how often it has been put to sleep or aside: unchanged
    between two looks, it has slept all the time.
    """

    state: str
    call: str = ""
    arguments: tuple[int, ...] = ()
    channel: str = ""
    switches: int = 0

    @property
    def asleep(self) -> bool:
        """True if it waits, for whatever it is (a zombie for nothing more), or is stopped."""
        return self.state in (_STATES["S"], _STATES["I"], _STATES["T"], _STATES["Z"])

    @property
    def timed(self) -> bool:
        """True if it wakes by itself after some time."""
        return is_timed(self.call, self.arguments)

    @property
    def is_for_ever(self) -> bool:
        """True if nothing is known that would wake it.

        (A sleep that has been stopped and continued does not say whether it is bounded.)
        """
        return self.asleep and (not self.timed or self.call == "restart_syscall")

    @property
    def futex(self) -> int | None:
        """The address it waits at, where it waits at one."""
        return self.arguments[0] if self.call == "futex" else None

    @property
    def words(self) -> str:
        """In one short clause: "sleeping in futex (futex_do_wait)"."""
        call = f" in {self.call}" if self.call else ""
        if not self.channel:
            return self.state + call
        return f"{self.state}{call} ({self.channel})" if call else f"{self.state} in {self.channel}"


def look(pid: int, tid: int = 0) -> Sleep | None:
    """Return what the thread does (``tid`` 0: the main one); None where there is no way to know."""
    task = Path(f"/proc/{pid}/task/{tid or pid}")
    try:
        letter = (task / "stat").read_text().rpartition(")")[2].split()[0]
        switches = sum(
            int(line.rpartition(":")[2])
            for line in (task / "status").read_text().splitlines()
            if "ctxt_switches" in line
        )
    except (OSError, IndexError, ValueError):
        return None
    state = _STATES.get(letter, letter)
    channel, call = "", ""
    arguments: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        channel = (task / "wchan").read_text().strip("\0\n ")
    # "running", or "-1 …" (not in a system call), or the number and its arguments; it needs the
    # permission to trace the process.
    with contextlib.suppress(OSError, ValueError):
        words = (task / "syscall").read_text().split()
        if len(words) >= 7 and int(words[0]) >= 0:
            call = name_of(int(words[0]))
            arguments = tuple(int(word, 16) for word in words[1:7])
    return Sleep(state, call, arguments, "" if channel == "0" else channel, switches)


def look_at_all(pid: int) -> dict[int, Sleep]:
    """Every thread of the process, by its number; empty where there is no way to know."""
    found = {}
    with contextlib.suppress(OSError):
        for tid in map(int, os.listdir(f"/proc/{pid}/task")):
            sleep = look(pid, tid)
            if sleep is not None:
                found[tid] = sleep
    return found
