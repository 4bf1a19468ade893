"""Texts for the program's values that never run the program's code.

A ``__repr__`` of the program might print, block or raise; only built-in types are shown by
value, everything else by the name of its type.  A primitive is shown by a mark that the
other side replaces with its name.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable
from itertools import islice
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

#: Stands around the id of a primitive in a text.
MARK = "\x00"
_MARKED = re.compile(f"{MARK}([^{MARK}]*){MARK}")
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
}
_PLAIN = (int, float, complex, bool, type(None))


def safe_text(value: Any, limit: int = 60, depth: int = 3) -> str:
    """Return the value as text of at most ``limit`` characters."""
    text = _text(value, limit, depth)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(value: Any, limit: int, depth: int) -> str:
    kind = type(value)
    if kind in _PLAIN:
        if kind is int and abs(value) >= 10**40:
            return f"an int of {value.bit_length()} bits"
        return repr(value)
    if kind is str or kind is bytes:
        return repr(value[:limit])
    if kind in _BRACKETS:
        return _sequence(value, limit, depth)
    if kind is slice:
        ends = (value.start, value.stop, *((value.step,) if value.step is not None else ()))
        return ":".join("" if end is None else _text(end, limit, 0) for end in ends)
    if kind is array:
        return _sequence(value[:9].tolist(), limit, depth)
    if kind is dict:
        if depth <= 0:
            return "{…}"
        pairs = []
        for key, item in islice(value.items(), 8):
            pairs.append(f"{_text(key, limit, depth - 1)}: {_text(item, limit, depth - 1)}")
        more = ", …" if len(value) > 8 else ""
        return "{" + ", ".join(pairs) + more + "}"
    key = primitive_id(value)
    if key:
        return f"{MARK}{key}{MARK}"
    if isinstance(value, FunctionType):
        return f"function {value.__name__}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    return f"‹{kind.__name__}›"


def _sequence(value: Any, limit: int, depth: int) -> str:
    left, right = _BRACKETS[type(value)]
    if depth <= 0:
        return f"{left}…{right}"
    items = list(islice(value, 9))
    shown = [_text(item, limit, depth - 1) for item in items[:8]]
    if len(items) > 8:
        shown.append("…")
    comma = "," if left == "(" and len(items) == 1 else ""
    return left + ", ".join(shown) + comma + right


def primitive_id(value: object) -> str:
    """Return the id of a primitive, empty for anything else."""
    getter = getattr(type(value), "_syncsim_id", None)
    try:
        return getter(value) if getter else ""
    except Exception:  # half-built, closed, or not what it seems: then it has no name
        return ""


def named(text: str, name_of: Callable[[str], str]) -> str:
    """Return the text with names in the place of marks; ``name_of`` gives that of an id."""
    if MARK not in text:
        return text
    return _MARKED.sub(lambda found: name_of(found[1]) or "a primitive", text)


def frames_as_json(
    frame: FrameType | None, library: tuple[str, ...], bottoms: list[CodeType]
) -> bytes:
    """Return the call stack from ``frame`` outwards, innermost last, with the variables as texts.

    Frames of files whose names begin with one of ``library`` are left out; the stack ends at
    one of ``bottoms``.
    """
    stack: list[tuple[str, int, str, list[tuple[str, str]]]] = []
    while frame is not None and len(stack) < 20 and frame.f_code not in bottoms:
        code = frame.f_code
        if not code.co_filename.startswith(library):
            variables = [
                (name, safe_text(value, 80))
                for name, value in list(frame.f_locals.items())[:40]
                if not name.startswith("__") and not isinstance(value, ModuleType)
            ]
            if code.co_name == "<module>":
                variables = [
                    v for v in variables if not v[1].startswith(("function", "class", "‹"))
                ]
            stack.append((code.co_filename, frame.f_lineno, code.co_name, variables))
        frame = frame.f_back
    return json.dumps(stack[::-1]).encode()
