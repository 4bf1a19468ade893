"""The program may close and replace every file of its own, and none of ours."""

from __future__ import annotations

import errno
import functools
import os
from typing import Any

from syncsim.instrument.gate import Gate
from syncsim.instrument.own_files import held
from syncsim.instrument.probes.tracebacks import unseen


def install(_: Gate) -> None:
    """Wrap what closes a file by its number: to the program, there are none of ours."""
    real_close, real_range, real_dup2 = os.close, os.closerange, os.dup2

    @unseen
    @functools.wraps(real_close)
    def close(fd: Any) -> None:
        _refuse_ours(fd)
        real_close(fd)

    @unseen
    @functools.wraps(real_range)
    def closerange(fd_low: Any, fd_high: Any, /) -> None:
        for ours in sorted(fd for fd in held if fd_low <= fd < fd_high):
            real_range(fd_low, ours)
            fd_low = ours + 1
        real_range(fd_low, fd_high)

    @unseen
    @functools.wraps(real_dup2)
    def dup2(fd: Any, fd2: Any, inheritable: bool = True) -> int:
        _refuse_ours(fd)
        if type(fd2) is int and fd2 in held:
            held[fd2].move()
        return real_dup2(fd, fd2, inheritable)

    vars(os).update(close=close, closerange=closerange, dup2=dup2)


def _refuse_ours(fd: object) -> None:
    if type(fd) is int and fd in held:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
