"""The stack of a process: the frames that are the program's own, and the places they are at."""

from __future__ import annotations

from itertools import islice
from types import FrameType, TracebackType

from syncsim.core.operation import Site
from syncsim.program.names import Position
from syncsim.program.ownership import is_library


def program_stack(frame: FrameType | None) -> tuple[FrameType | None, tuple[str, ...]]:
    """Return the innermost frame of the program from ``frame`` on, and all its functions.

    The functions being run are in order, the outermost first.
    """
    innermost, names = None, []
    while frame is not None:
        code = frame.f_code
        if not is_library(code):
            innermost = innermost or frame
            names.append(code.co_name)
        frame = frame.f_back
    names.reverse()
    return innermost, tuple(names)


def site_of(frame: FrameType | None) -> Site | None:
    """Return the place in the program where the frame is."""
    if frame is None:
        return None
    return Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def site_in(traceback: TracebackType | None) -> Site | None:
    """Return the innermost line of the program through which the exception has come."""
    site = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not is_library(code):
            site = Site(code.co_filename, traceback.tb_lineno, code.co_name)
        traceback = traceback.tb_next
    return site


def user_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame of the program from ``frame`` on."""
    while frame is not None and is_library(frame.f_code):
        frame = frame.f_back
    return frame


def position_of(frame: FrameType | None) -> tuple[str, int, Position]:
    """Return the file, the line, and the position in the source where the frame is."""
    if frame is None:
        return "", 0, Position(0, 0, 0, 0)
    positions = islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    first, last, column, end = next(positions)
    line = first or frame.f_lineno
    return frame.f_code.co_filename, line, Position(first, column, last, end)
