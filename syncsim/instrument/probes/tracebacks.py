"""Our own frames are no part of the program's tracebacks."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import CodeType, TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def is_ours(code: CodeType) -> bool:
    """Return whether that is code of ours."""
    return code.co_filename.startswith(_OURS)


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of our code."""
    kept = []
    while trace is not None:
        if not is_ours(trace.tb_frame.f_code):
            kept.append(trace)
        trace = trace.tb_next
    following: TracebackType | None = None
    for entry in reversed(kept):
        following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return following


def unseen(function: Callable[P, R]) -> Callable[P, R]:
    """Let an exception pass as if ``function`` were not between the program and the library.

    (A bare ``raise`` does not add the frame that it stands in again.)
    """

    @functools.wraps(function)
    def passage(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*args, **keywords)
        except BaseException as error:
            error.__traceback__ = without_ours(error.__traceback__)
            raise

    return passage
