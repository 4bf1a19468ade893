"""The processes that search beside the one that was asked."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from syncsim.explore.limits import collect_seldom, die_with_our_parent, limit_memory, mind_the_time
from syncsim.explore.search.leases import Asked
from syncsim.virtual import births

if TYPE_CHECKING:  # a small search is over without them
    from concurrent.futures import Executor


class Jobs:
    """The number of processes that may be busy at once, and their executor, once it is wanted.

    Any ``concurrent.futures.Executor`` will do whose workers can import syncsim and read the
    program under the same path: that of a cluster, too.
    """

    def __init__(self, number: int, asked: Asked, start: Callable[[], Executor]) -> None:
        self.number = number
        self.asked = asked
        self._start = start
        self._executor: Executor | None = None

    @property
    def executor(self) -> Executor:
        """It is started when it is first asked for."""
        if self._executor is None:
            self._executor = self._start()
        return self._executor

    def close(self) -> None:
        """Let those who are busy come to an end, and nobody begin."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)


def processes(number: int, memory: int) -> Executor:
    """So many on this machine, with so many bytes each, started afresh (not forked)."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(number, get_context("spawn"), _begin, (memory, os.getpid()))


def broken() -> type[Exception]:
    """Return the exception by which an executor says that one of its processes was ended."""
    from concurrent.futures import BrokenExecutor

    return BrokenExecutor


def _begin(memory: int, parent: int) -> None:
    die_with_our_parent()
    if os.getppid() != parent:  # it has died already
        os._exit(1)
    limit_memory(memory)
    collect_seldom()
    births.refuse()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, mind_the_time)
    signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
