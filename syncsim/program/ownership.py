"""The ownership of code: the program's, the library's, or ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_STDLIB = os.path.dirname(os.__file__)
_LIBRARY = (
    f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/virtual/",
    f"{_STDLIB}/multiprocessing/",
    f"{_STDLIB}/concurrent/",
    f"{_STDLIB}/threading.py",
    "<frozen",
)
#: By the name of the file.  (To hash a code takes longer than all the rest.)
_files: dict[str, bool] = {}
_claimed: set[CodeType] = set()
_roots: set[CodeType] = set()


def is_library(code: CodeType) -> bool:
    """Return whether the code is multiprocessing's or ours, and not the program's."""
    file = code.co_filename
    in_library = _files.get(file)
    if in_library is None:
        in_library = _files[file] = file.startswith(_LIBRARY)
    return in_library or (file == "<string>" and code in _claimed)


def claim(code: CodeType) -> None:
    """Count the code as the library's, whatever its file says (it was made by ``exec``)."""
    _claimed.add(code)


def root(function: Function) -> Function:
    """Mark a function that runs the program's code, and holds nothing but its process.

    Its variables are the same in every life of the process, wherever that is in its code; while
    it calls the program it has nothing on its stack.  So it is no part of a fingerprint.
    """
    _roots.add(function.__code__)
    return function


def is_root(code: CodeType) -> bool:
    """Return whether the code runs the program's code."""
    return code in _roots
