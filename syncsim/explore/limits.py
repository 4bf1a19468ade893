"""Bounds of memory and time for a process in which a program is searched."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
import signal
import time
from types import FrameType

from syncsim.virtual.errors import TooLongError
from syncsim.virtual.process import body
from syncsim.virtual.stopwatch import Stopwatch

#: Seconds of the processor's time that a process may run without an operation.
TOO_LONG = 5.0
#: Seconds in which it may sleep there, or does not get the processor.
_ASLEEP = 30.0
_PR_SET_PDEATHSIG = 1


def die_with_our_parent() -> None:
    """However it ends, also while code in C does not come back (Linux; ``prctl(2)``)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def limit_memory(size: int) -> None:
    """Allow no more than so many bytes from now on."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def collect_seldom() -> None:
    """A search keeps what it makes: to look for garbage in it takes a tenth of its time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 50, 100)


def mind_the_time(number: int = 0, frame: FrameType | None = None) -> None:
    """Break off what runs too long; to be called by a timer."""
    if takes_too_long(body.running_since()):
        body.break_off(TooLongError())


def takes_too_long(since: Stopwatch | None) -> bool:
    """Return whether a computation that has been at work since then is to be broken off."""
    return since is not None and (
        time.process_time() - since.processor > TOO_LONG or time.monotonic() - since.clock > _ASLEEP
    )
