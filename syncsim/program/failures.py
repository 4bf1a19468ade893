"""The exception that ends a process: what to say of it, and whether an ``assert`` raised it."""

from __future__ import annotations

import dis
import traceback
from collections.abc import Callable
from types import CodeType
from typing import NamedTuple


class Failure(NamedTuple):
    """An uncaught exception: its type, its text, the place in the program (line 0: none)."""

    exception: str
    message: str
    file: str
    line: int
    is_assertion: bool


def place_of(file: str, line: int) -> str:
    """Return the place in words for a person: empty where there is none."""
    return f"{file.rpartition('/')[2]}, line {line}" if file and line else ""


def failure_of(error: BaseException, is_library: Callable[[CodeType], bool]) -> Failure:
    """Return what to say of the exception; only an ``assert`` of the program is an assertion."""
    file, line = "", 0
    library = False
    for frame, number in traceback.walk_tb(error.__traceback__):
        library = is_library(frame.f_code)
        if not library:
            file, line = frame.f_code.co_filename, number
    if isinstance(error, SyntaxError):
        file, line = error.filename or file, error.lineno or line
    try:
        message = str(error)
    except Exception:  # its __str__ is the program's
        message = ""
    asserted = isinstance(error, AssertionError) and not library and _by_assert(error)
    return Failure(type(error).__name__, message[:500], file, line, asserted)


def _by_assert(error: AssertionError) -> bool:
    """Return whether an ``assert`` statement raised it, not a call into C code in that line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code
    ran = [step.opname for step in dis.get_instructions(code) if step.offset <= trace.tb_lasti]
    loaded = {"LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT"}.intersection(ran)
    return ran[-1] == "RAISE_VARARGS" and bool(loaded)
