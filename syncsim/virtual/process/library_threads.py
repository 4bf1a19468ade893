"""The library's own threads inside a process: greenlets beside that of the program.

Nobody steps them.  As in the real world they run until each waits: for something inside their
process, or for what the system has to give.  What they ask of the system goes along with what
the process itself asks for (``Request.beside``), and is granted before anybody makes a choice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from greenlet import GreenletExit, getcurrent, greenlet

from syncsim.program.ownership import root
from syncsim.virtual.model.automaton import Request


class Helped(NamedTuple):
    """The system's answer to what the helper with that number has asked for."""

    number: int
    result: Hashable


class LibraryThread:
    """One such thread; ``thread`` is what its own code knows of it."""

    _syncsim_shared = True

    def __init__(self, thread: Any, number: int, run: Callable[[], None]) -> None:
        self.thread = thread
        self.number = number
        self.over = False
        #: What it asks of the system, and what it waits for inside the process (perhaps both).
        self.request: Request | None = None
        self.until: Callable[[], bool] | None = None
        #: What ``print`` writes to in it; made when it is first used.
        self.greenlet = greenlet(lambda _: self._live(run))

    @root
    def _live(self, run: Callable[[], None]) -> None:
        try:
            run()
        finally:
            self.over = True

    def frame(self, within: CodeType) -> FrameType | None:
        """Where it is, while it waits, perhaps ``within`` an operation."""
        frame: FrameType | None = self.greenlet.gr_frame
        while frame is not None and frame.f_code in (LibraryThreads.wait.__code__, within):
            frame = frame.f_back
        return frame


class LibraryThreads:
    """All of them, of one process."""

    def __init__(self) -> None:
        self._all: list[LibraryThread] = []
        self.current: LibraryThread | None = None

    def __bool__(self) -> bool:
        return bool(self._all)

    def begin(self, thread: Any, run: Callable[[], None]) -> LibraryThread:
        """Another one, which has not run yet."""
        helper = LibraryThread(thread, len(self._all), run)
        self._all.append(helper)
        return helper

    def has(self, helper: LibraryThread | None) -> bool:
        """Return whether the thread lives in this process, not in the one it was forked from."""
        return helper in self._all and helper is not None and not helper.over

    @property
    def waiting(self) -> list[LibraryThread]:
        """The library threads that have not ended."""
        return [one for one in self._all if not one.over]

    @property
    def asking(self) -> tuple[tuple[int, Request], ...]:
        """Return the requests of the threads to the system, each with the number of the thread."""
        return tuple((one.number, one.request) for one in self._all if one.request is not None)

    def run(self) -> None:
        """Let them run until each waits."""
        while True:
            for helper in self._all:
                if not helper.over and (
                    helper.until() if helper.until is not None else helper.request is None
                ):
                    self._resume(helper, None)
                    break
            else:
                return

    def answer(self, helped: Helped) -> None:
        """One gets what it has asked for, and all run until each waits."""
        self._resume(self._all[helped.number], helped)
        self.run()

    def _resume(self, helper: LibraryThread, value: Helped | None) -> None:
        helper.request, helper.until = None, None
        helper.greenlet.parent = getcurrent()
        before, self.current = self.current, helper
        try:
            helper.greenlet.switch(value)
        finally:
            self.current = before

    def wait(self, request: Request | None, until: Callable[[], bool] | None) -> Helped | None:
        """The current one waits for either; what the system answers, if it does."""
        helper = self.current
        assert helper is not None
        helper.request, helper.until = request, until
        parent = helper.greenlet.parent
        assert parent is not None
        answer: Helped | None = parent.switch()
        return answer

    def close(self) -> None:
        """Unwind them all."""
        for helper in self._all:
            if helper.greenlet:
                helper.greenlet.parent = getcurrent()
                with contextlib.suppress(BaseException):  # on its way out
                    helper.greenlet.throw(GreenletExit)
