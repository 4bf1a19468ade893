"""Tasks in words: ``f(3)``, ``f for 8 items``; never by running the program's code."""

from __future__ import annotations

import functools
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from syncsim.program.safe_text import safe_text

_LONGEST = 60
#: The functions of the library by which a worker does several calls (there may be a second copy
#: of the library, so they are known by name).
_MAPSTAR, _STARMAPSTAR = "multiprocessing.pool.mapstar", "multiprocessing.pool.starmapstar"
_CHUNK = "concurrent.futures.process._process_chunk"


def call_text(function: Any, args: Any = (), keywords: Any = None) -> str:
    """Return the call, as one would write it."""
    words = [safe_text(value, 24, 2) for value in args] if type(args) in (tuple, list) else ["…"]
    if type(keywords) is dict:
        words += [f"{key}={safe_text(value, 24, 2)}" for key, value in keywords.items()]
    return _cut(f"{_name(function)}({', '.join(words)})")


def each_text(function: Any, items: Any) -> str:
    """Return the call for each of some items."""
    if type(items) in (list, tuple, range, str, dict, set, frozenset):
        count = len(items)
        return _cut(f"{_name(function)} for {count} item" + ("s" if count != 1 else ""))
    return _cut(f"{_name(function)} for each item")


def task_text(function: Any, args: Any, keywords: Any) -> str:
    """Return the text of a task of a Pool or an executor: its call, or the first and the last."""
    if _library_name(function) in (_MAPSTAR, _STARMAPSTAR):
        ((inner, chunk),) = args
        starred = _library_name(function) == _STARMAPSTAR
        calls = [item if starred else (item,) for item in (chunk[0], chunk[-1])]
        return _several(inner, calls, len(chunk))
    if isinstance(function, functools.partial) and _library_name(function.func) == _CHUNK:
        (chunk,) = args
        return _several(function.args[0], [chunk[0], chunk[-1]], len(chunk))
    return call_text(function, args, keywords)


def _library_name(function: Any) -> str:
    is_plain = isinstance(function, FunctionType)
    return f"{function.__module__}.{function.__qualname__}" if is_plain else ""


def _several(function: Any, calls: list[Any], count: int) -> str:
    first, last = (call_text(function, call) for call in calls)
    return first if count == 1 else _cut(f"{first} … {last}")


def _name(function: Any) -> str:
    """Return the name of a function, a method, a class or a partial; else that of its type."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        return str(type.__getattribute__(function, "__name__"))
    if isinstance(function, MethodType):
        function = function.__func__
    if isinstance(function, FunctionType | BuiltinFunctionType):
        return function.__name__
    return type(function).__name__


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
