"""The frames of a suspended process: where each is in its code, and what the interpreter holds.

The stack of a frame is not offered by Python.  It is read from memory, where ``layouts`` says
for this version, which is tried out once on a frame of our own (``can_read``).
"""

from __future__ import annotations

import ctypes
import dis
import sys
from bisect import bisect_right
from collections import deque
from collections.abc import Hashable
from functools import lru_cache
from operator import attrgetter
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from syncsim.program.ownership import is_library, is_root
from syncsim.virtual.process.layouts import CALLS, F_FRAME, LAYOUTS, of_this_python

_KNOWN = of_this_python()
#: (Where this Python is not known, nothing is read: ``can_read``, ``spot_of``.)
_LAYOUT = _KNOWN or LAYOUTS[max(LAYOUTS)]
#: A flag of the code of a function, with variables of its own.
_OPTIMIZED = 0x02
#: So many places in the code are remembered.
_MOST_SPOTS = 65536


class UnknownError(Exception):
    """Something that a fingerprint cannot hold."""


#: Those through which C may call Python without keeping anything of its own.
_PLAIN = frozenset(_LAYOUT.taken) - CALLS - {"GET_ITER", "UNPACK_SEQUENCE"}


class _Instruction(NamedTuple):
    """An instruction; ``depth`` is the size of the stack before it, None where none comes."""

    offset: int
    name: str
    argument: int
    depth: int | None


@lru_cache(maxsize=4096)
def _instructions(code: CodeType) -> list[_Instruction]:
    """Return the instructions of the code, in their order."""
    instructions = list(dis.get_instructions(code))
    depths = _depths(code, instructions)
    return [
        _Instruction(one.offset, one.opname, int(one.arg or 0), depths.get(one.offset))
        for one in instructions
    ]


def _depths(code: CodeType, instructions: list[dis.Instruction]) -> dict[int, int]:
    """Return how much is on the stack before each instruction that can be reached."""
    at = {one.offset: index for index, one in enumerate(instructions)}
    found: dict[int, int] = {}
    todo: deque[tuple[int, int]] = deque([(0, 0)])
    for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]
        todo.append((entry.target, entry.depth + int(entry.lasti) + 1))
    while todo:
        offset, depth = todo.popleft()
        while offset in at and offset not in found:
            found[offset] = depth
            one = instructions[at[offset]]
            argument = one.arg if one.opcode >= dis.HAVE_ARGUMENT else None
            if one.opcode in dis.hasjrel or one.opcode in dis.hasjabs:
                jumped = depth + dis.stack_effect(one.opcode, argument, jump=True)
                todo.append((int(one.argval), jumped))
            if one.opname in ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE") or (
                one.opname.startswith("JUMP_") and "IF" not in one.opname
            ):
                break
            if one.opname == "CALL":
                depth -= int(one.arg or 0) + 1
            elif one.opname != "PRECALL":  # (of 3.11: a half of the call)
                depth += dis.stack_effect(one.opcode, argument, jump=False)
            following = at[offset] + 1
            if following >= len(instructions):
                break
            offset = instructions[following].offset
    return found


class Spot(NamedTuple):
    """A call in progress.

    How much lies under what it has taken, and where in its frame that begins, in bytes; what
    calls, by name; what names the place in a fingerprint; whether the frame has variables of its
    own; whose code it is, and whether the frame may be left out.  (The code is kept: it is known
    by id.)
    """

    under: int
    begins: int
    name: str
    place: tuple[Hashable, int]
    has_variables: bool
    is_library: bool
    is_root: bool
    code: CodeType


_known: dict[tuple[int, int], Spot] = {}


def spot_of(code: CodeType, lasti: int) -> Spot:
    """The call that is in progress there.

    Raises:
        UnknownError: nobody knows what that instruction has on the stack.
    """
    if _KNOWN is None:
        raise UnknownError("this Python")
    key = id(code), lasti
    found = _known.get(key)
    if found is None:
        if len(_known) > _MOST_SPOTS:
            _known.clear()
        under, name = _under(code, lasti)
        variables = len(set(code.co_varnames) | set(code.co_cellvars)) + len(code.co_freevars)
        begins, has_variables = _LAYOUT.localsplus + 8 * variables, True
        if not code.co_flags & _OPTIMIZED:
            # What a comprehension in a module has of its own is nowhere else (from 3.12 on).
            under, begins, has_variables = variables + under, _LAYOUT.localsplus, False
        found = _known[key] = Spot(
            under,
            begins,
            name,
            (name_of(code), lasti),
            has_variables,
            is_library(code),
            is_root(code) and not under,
            code,
        )
    return found


def _under(code: CodeType, lasti: int) -> tuple[int, str]:
    """Return how much lies on the stack under what the call in progress has taken, and its name."""
    instructions = _instructions(code)
    # (The place may be in the cache that follows the instruction.)
    after = bisect_right(instructions, lasti, key=attrgetter("offset"))
    _, name, argument, depth = instructions[after - 1]
    taken = _LAYOUT.taken.get(name)
    if callable(taken):
        taken = taken(argument)
    if taken is None or depth is None or depth < taken:
        raise UnknownError(name)
    return depth - taken, name


def _interpreter_frame(frame: FrameType) -> int:
    return int(ctypes.c_void_p.from_address(id(frame) + F_FRAME).value or 0)


#: The tags of a slot of the stack: see ``Layout.tagged``.
_BORROWED, _NUMBER = 1, 3

_object_at = ctypes.py_object.from_address


def stack_of(frame: FrameType, spot: Spot) -> list[Any]:
    """The values in the frame that lie under the call (None where there is nothing)."""
    return _values(_interpreter_frame(frame) + spot.begins, spot.under)


def _called(frame: FrameType, spot: Spot) -> list[Any]:
    """Two values, one of which is what is called."""
    return _values(_interpreter_frame(frame) + spot.begins + 8 * spot.under, 2)


def _values(start: int, number: int) -> list[Any]:
    return [_value(slot) for slot in range(start, start + 8 * number, 8)]


def _bare_value(slot: int) -> Any:
    try:
        return _object_at(slot).value
    except ValueError:  # nothing
        return None


def _tagged_value(slot: int) -> Any:
    word = ctypes.c_ssize_t.from_address(slot).value
    if word & _NUMBER == _NUMBER:
        return word >> 2
    bare = ctypes.c_ssize_t(word & ~_BORROWED)
    return _bare_value(ctypes.addressof(bare))


_value = _tagged_value if _LAYOUT.tagged else _bare_value


def _through_c(frame: FrameType, caller: FrameType) -> bool:
    """Return whether the frame was called by C, and not by the interpreter itself."""
    inner = _interpreter_frame(frame)
    if _LAYOUT.is_entry is not None:
        return bool(ctypes.c_char.from_address(inner + _LAYOUT.is_entry).value != b"\0")
    previous = ctypes.c_void_p.from_address(inner + _LAYOUT.previous).value
    return previous != _interpreter_frame(caller)


def must_be_plain(inner: FrameType, frame: FrameType, spot: Spot) -> None:
    """Raise, if between the two frames there is C code that may keep something of its own."""
    if not _through_c(inner, frame) or spot.name in _PLAIN:
        return
    if spot.name == "CALL" and inner.f_code.co_name == "__init__":
        return
    if spot.name not in CALLS or not _is_handed_on(inner.f_code, *_called(frame, spot)):
        raise UnknownError(f"C code called by {spot.code.co_name}")


def _is_handed_on(code: CodeType, one: Any, other: Any) -> bool:
    """Return whether the code was called, to which C hands on its arguments, and keeps nothing.

    What was called is one of those two; or the one is the context manager that is being left,
    where the interpreter had the method until it was called.
    """
    for called in (one, other):
        function = called.__func__ if type(called) is MethodType else called
        if type(function) is FunctionType and function.__code__ is code:
            return True
    leave = getattr(type(one), "__exit__", None)
    return type(leave) is FunctionType and leave.__code__ is code


def name_of(code: CodeType) -> Hashable:
    """By its id, if it stays: what ``eval`` has made may go, and another come to its place."""
    return code if code.co_filename.startswith("<") else id(code)


@lru_cache(maxsize=1)
def can_read() -> bool:
    """Return whether frames are laid out as we know: tried out on one of our own."""
    seen: list[Any] = []

    def look() -> None:
        frame = sys._getframe(1)
        seen.append(stack_of(frame, spot_of(frame.f_code, frame.f_lasti)))

    def loop(items: list[int]) -> None:
        for _ in items:
            look()
            break

    try:
        items = [7, 8, 9]
        loop(items)
        (stack,) = seen
        # (Since 3.15 a list has no iterator there, but the number of the next item.)
        if len(stack) == 2:
            return stack[0] is items and stack[1] == 1
        return len(stack) == 1 and list(stack[0].__reduce__()[1][0]) == items
    except Exception:
        return False
