"""Code ownership inside a process: what is the program's own, and what is the library's or ours."""

from __future__ import annotations

import os
import sys
import threading
from types import CodeType, FrameType

STDLIB = os.path.dirname(os.__file__)
#: Files of the library, and ours, by how their names begin.
LIBRARY = (
    os.path.dirname(os.path.abspath(__file__)) + os.sep,
    f"{STDLIB}/multiprocessing/",
    f"{STDLIB}/concurrent/",
    f"{STDLIB}/subprocess.py",
    threading.__file__,
    "<frozen",
)


class CodeOwnership:
    """Knows whose a piece of code is, and where the stack of this process begins."""

    def __init__(self) -> None:
        # Whether code is the library's, and a bottom; by id, which is faster than by code (which
        # is kept so that its id stays its own).
        self._library: dict[int, tuple[bool, CodeType, bool]] = {}
        #: Where a process's own stack begins: below are our frames, or those of the parent that
        #: it was forked from.
        self.bottoms: list[CodeType] = []

    def user_frame(self, above: int = 1) -> FrameType | None:
        """Return the innermost frame that is the program's own, not the library's and not ours.

        ``above`` is how many callers are known to be ours.
        """
        frame: FrameType | None = sys._getframe(above)
        known = self._library
        while frame is not None:
            code = frame.f_code
            entry = known.get(id(code)) or self._look_up(code)
            if not entry[0]:
                return frame
            if entry[2]:
                return None
            frame = frame.f_back
        return None

    def is_library(self, code: CodeType) -> bool:
        """Return whether the code is multiprocessing's or ours, and not the program's."""
        return (self._library.get(id(code)) or self._look_up(code))[0]

    def is_asked_by_library(self, above: int) -> bool:
        """Return whether the library makes the call; ``above`` is how many frames are ours.

        Where there are no more, the interpreter calls what the program has registered.
        """
        try:
            caller = sys._getframe(above + 1)
        except ValueError:
            return False
        return self.is_library(caller.f_code)

    def claim(self, code: CodeType) -> None:
        """Take the code for the library's, whatever its file says (it was made by ``exec``)."""
        self._library[id(code)] = (True, code, False)

    def _look_up(self, code: CodeType) -> tuple[bool, CodeType, bool]:
        library = code.co_filename.startswith(LIBRARY)
        entry = self._library[id(code)] = (library, code, code in self.bottoms)
        return entry
