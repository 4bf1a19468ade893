"""Our own files inside the program's processes: out of its way, and not its to close.

They stand at high numbers, so that the program sees those it expects.  A program that closes
every number it can think of, as a daemon does, closes all but these; one that wants such a
number for itself gets it, and our file moves on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os

#: The lowest number that one of ours should have; lower where the limit on files allows no more.
_FLOORS = (200, 100, 50, 20)

_close = os.close

#: Every file of ours in this process, by its number.
held: dict[int, Held] = {}


class Held:
    """One file of ours.  Its number may change."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        """Take over ``fd``, which is closed under its present number."""
        self.fd = _high(fd)
        _close(fd)
        held[self.fd] = self

    def move(self) -> None:
        """Leave its number to somebody else, who is going to use it now."""
        del held[self.fd]
        self.fd = _high(self.fd)
        held[self.fd] = self

    def close(self) -> None:
        """No more of that."""
        if held.pop(self.fd, None) is self:
            with contextlib.suppress(OSError):
                _close(self.fd)


def _high(fd: int) -> int:
    for floor in _FLOORS:
        with contextlib.suppress(OSError):
            return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, floor)
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 0)
