"""Where CPython keeps what belongs to a suspended frame: one table per minor version.

Sources: ``Include/internal/pycore_frame.h`` (from 3.14 on ``pycore_interpframe_structs.h`` and
``pycore_stackref.h``), and ``Python/bytecodes.c`` for what an instruction takes off the stack.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple


class Layout(NamedTuple):
    """Offsets in bytes from an interpreter frame; see the names in CPython."""

    previous: int
    localsplus: int
    #: By its name, how much an instruction in progress has taken off the stack; or how to tell that
    #: from its argument.
    taken: dict[str, int | Callable[[int], int]]
    #: In 3.11 a byte says whether C called the frame; later such a frame stands behind another.
    is_entry: int | None = None
    #: Whether slots of the stack are no bare pointers.  Bit 0: the reference is borrowed, or there
    #: is nothing; both low bits: a number, shifted by two.
    tagged: bool = False


def _jumps(prefix: str) -> dict[str, int]:
    return {f"POP_{prefix}_IF_{truth}": 1 for truth in ("TRUE", "FALSE")}


_ALL: dict[str, int | Callable[[int], int]] = {
    "CALL": lambda argument: argument + 2, "CALL_FUNCTION_EX": lambda flags: 3 + (flags & 1),
    "LOAD_ATTR": 1, "STORE_ATTR": 2, "BINARY_OP": 2, "COMPARE_OP": 2, "CONTAINS_OP": 2,
    "STORE_SUBSCR": 3, "GET_ITER": 1, "FOR_ITER": 0, "UNPACK_SEQUENCE": 1, "YIELD_VALUE": 1,
    "SEND": 1, "WITH_EXCEPT_START": 0, "UNARY_NOT": 1,
}  # fmt: skip
_UP_TO_312 = {"BEFORE_WITH": 1, "BINARY_SUBSCR": 2, "FORMAT_VALUE": 1}
_SINCE_313: dict[str, int | Callable[[int], int]] = {
    "CALL_KW": lambda argument: argument + 3, "FORMAT_SIMPLE": 1, "CONVERT_VALUE": 1, "TO_BOOL": 1
}  # fmt: skip

_TAKEN_311 = _ALL | _UP_TO_312 | _jumps("JUMP_FORWARD") | _jumps("JUMP_BACKWARD")
_TAKEN_311 |= {"LOAD_METHOD": 1, "PRECALL": lambda argument: argument + 2}
_TAKEN_312 = _ALL | _UP_TO_312 | _jumps("JUMP")
_TAKEN_313 = _ALL | _SINCE_313 | _jumps("JUMP") | {"BEFORE_WITH": 1, "BINARY_SUBSCR": 2}
_TAKEN_314 = _ALL | _SINCE_313 | _jumps("JUMP") | {"LOAD_SPECIAL": 1, "CALL_FUNCTION_EX": 4}

LAYOUTS = {
    (3, 11): Layout(previous=48, localsplus=72, taken=_TAKEN_311, is_entry=68),
    (3, 12): Layout(previous=8, localsplus=72, taken=_TAKEN_312),
    (3, 13): Layout(previous=8, localsplus=72, taken=_TAKEN_313),
    (3, 14): Layout(previous=8, localsplus=80, taken=_TAKEN_314, tagged=True),
    (3, 15): Layout(previous=8, localsplus=80, taken=_TAKEN_314, tagged=True),
}

#: Those that call anything.
CALLS = frozenset(("CALL", "CALL_KW", "CALL_FUNCTION_EX", "PRECALL"))

#: Bytes from a frame object to the pointer to its interpreter frame: after the head of the object
#: and ``f_back``.
F_FRAME = 24


def of_this_python() -> Layout | None:
    """Return the layout of the Python that runs us, None for one that is not known.

    A build without the GIL is not: its objects have another head, its frames one more field.
    """
    return LAYOUTS.get(sys.version_info[:2]) if object.__basicsize__ == 16 else None
