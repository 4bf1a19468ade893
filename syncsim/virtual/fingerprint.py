"""What a suspended process *is*: everything on which its future depends, as one hashable value.

Two processes with equal fingerprints do the same from there on, so a loop that comes back to
where it was is a loop in the automaton too, and a program that never ends has finitely many
states.  A fingerprint holds, for each frame, the place in the code, the variables, and what
the interpreter has on its stack (the iterator of a ``for``); besides, the global variables of
the program and what belongs to the process itself.  Where anything cannot be read, there is
none, and the places stay apart: never the other way round.

The stack of a frame is not offered by Python.  It is read from memory, at offsets that 3.11,
3.12 and 3.13 share (``Include/internal/pycore_frame.h``) and that are tried out once on a
frame of our own; if they do not hold, there are no fingerprints.
"""

from __future__ import annotations

import ctypes
import dis
import sys
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from enum import Enum, auto
from functools import _lru_cache_wrapper, lru_cache
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

#: Bytes from a frame object to the pointer to its interpreter frame; from there to the variables.
_OLD = sys.version_info < (3, 12)
_FRAME, _VARIABLES, _PREVIOUS = 24, 72, 48 if _OLD else 8
#: In 3.11 a byte says whether C called the frame; later such a frame stands behind another.
_IS_ENTRY = 68
_DEEP = 60
#: A flag of the code of a function, with variables of its own.
_OPTIMIZED = 0x02
#: So many places in the code are remembered.
_MOST_SPOTS = 65536


class UnknownError(Exception):
    """Something that a fingerprint cannot hold."""


#: What the instruction in progress has taken off the stack, by name; None: by its argument.
_TAKEN: dict[str, int | None] = {
    "CALL": None, "CALL_KW": None, "CALL_FUNCTION_EX": None, "BEFORE_WITH": 1, "LOAD_ATTR": 1,
    "LOAD_METHOD": 1, "STORE_ATTR": 2, "BINARY_OP": 2, "COMPARE_OP": 2, "CONTAINS_OP": 2,
    "BINARY_SUBSCR": 2, "STORE_SUBSCR": 3, "FOR_ITER": 0, "GET_ITER": 1, "FORMAT_VALUE": 1,
    "FORMAT_SIMPLE": 1, "CONVERT_VALUE": 1, "UNPACK_SEQUENCE": 1, "YIELD_VALUE": 1, "SEND": 1,
    "WITH_EXCEPT_START": 0, "TO_BOOL": 1, "UNARY_NOT": 1, "POP_JUMP_IF_FALSE": 1,
    "POP_JUMP_IF_TRUE": 1, "POP_JUMP_FORWARD_IF_FALSE": 1, "POP_JUMP_FORWARD_IF_TRUE": 1,
    "POP_JUMP_BACKWARD_IF_TRUE": 1, "POP_JUMP_BACKWARD_IF_FALSE": 1,
}  # fmt: skip
#: Those through which C may call Python without keeping anything of its own.
_PLAIN = frozenset(_TAKEN) - {"CALL", "CALL_KW", "CALL_FUNCTION_EX", "GET_ITER", "UNPACK_SEQUENCE"}


@lru_cache(maxsize=4096)
def _depths(code: CodeType) -> dict[int, int]:
    """How much is on the stack before each instruction that can be reached."""
    instructions = list(dis.get_instructions(code))
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


class _Spot(NamedTuple):
    """A call in progress: how much lies under what it has taken, and its name.

    Where in its frame that begins, in bytes.  (The code is kept: it is known by id.)
    """

    under: int
    name: str
    begins: int
    code: CodeType


_spots: dict[tuple[int, int], _Spot] = {}


def _spot(code: CodeType, lasti: int) -> _Spot:
    key = id(code), lasti
    found = _spots.get(key)
    if found is None:
        if len(_spots) > _MOST_SPOTS:
            _spots.clear()
        under, name = _under(code, lasti)
        variables = len(set(code.co_varnames) | set(code.co_cellvars)) + len(code.co_freevars)
        if code.co_flags & _OPTIMIZED:
            found = _Spot(under, name, _VARIABLES + 8 * variables, code)
        else:  # what a comprehension in a module has of its own is nowhere else (from 3.12 on)
            found = _Spot(variables + under, name, _VARIABLES, code)
        _spots[key] = found
    return found


def _under(code: CodeType, lasti: int) -> tuple[int, str]:
    """How much lies on the stack under what the call in progress has taken, and its name."""
    # (The place may be in the cache that follows the instruction.)
    *_, instruction = (one for one in dis.get_instructions(code) if one.offset <= lasti)
    name = instruction.opname
    taken = _TAKEN.get(name, -1)
    if taken == -1:
        raise UnknownError(name)
    if taken is None:
        taken = int(instruction.arg or 0) + 2
        if name == "CALL_KW":
            taken += 1
        elif name == "CALL_FUNCTION_EX":
            taken = 3 + (int(instruction.arg or 0) & 1)
    depth = _depths(code).get(instruction.offset)
    if depth is None or depth < taken:
        raise UnknownError(name)
    return depth - taken, name


def _interpreter_frame(frame: FrameType) -> int:
    return int(ctypes.c_void_p.from_address(id(frame) + _FRAME).value or 0)


def _stack(frame: FrameType, spot: _Spot) -> list[Any]:
    """The values in the frame that lie under the call (None where there is nothing)."""
    start = _interpreter_frame(frame) + spot.begins
    found: list[Any] = []
    for at in range(spot.under):
        pointer = ctypes.c_void_p.from_address(start + 8 * at).value
        found.append(ctypes.cast(pointer, ctypes.py_object).value if pointer else None)
    return found


def _through_c(frame: FrameType, caller: FrameType) -> bool:
    """Whether the frame was called by C, and not by the interpreter itself."""
    inner = _interpreter_frame(frame)
    if _OLD:
        return bool(ctypes.c_char.from_address(inner + _IS_ENTRY).value != b"\0")
    previous = ctypes.c_void_p.from_address(inner + _PREVIOUS).value
    return previous != _interpreter_frame(caller)


class _Writer:
    """Writes objects down, one after the other; one that comes again is named by its number.

    What is ``written`` is a list of values from which each object could be told: of what holds
    others, how many they are comes first.
    """

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self.written: list[Hashable] = []
        self._own = {module.__name__ for module in modules}
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []
        self._named: dict[int, Hashable] = {}

    def write(self, value: Any, depth: int = 0) -> None:
        """One object."""
        kind: Any = type(value)
        if kind is str:
            self.written.append(value)
        elif kind in _SIMPLE:
            self.written += (kind, value)
        elif kind in _SIGNED:
            self.written += (kind, repr(value))
        elif _is_shared(kind):
            name = self._named.get(id(value))
            if name is None:
                # Not of a base: what the program derives from it may hold more.
                key = kind.__dict__.get("_syncsim_key", _key_of)
                name = self._named[id(value)] = _shared(kind.__name__, key(value))
                self._kept.append(value)
            self.written.append(name)
        else:
            known = self._seen.get(id(value))
            if known is not None:
                self.written += (_AGAIN, known)
                return
            if depth > _DEEP:
                raise UnknownError("deep")
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
            self._object(value, kind, depth + 1)

    def _each(self, values: Collection[Any], depth: int) -> None:
        """How many, and each of them."""
        written = self.written
        written.append(len(values))
        for value in values:
            kind: Any = type(value)
            if kind is str:
                written.append(value)
            elif kind in _SIMPLE:
                written += (kind, value)
            else:
                self.write(value, depth)

    def _object(self, value: Any, kind: type, depth: int) -> None:
        written = self.written
        if kind is list or kind is tuple:
            written.append(kind)
            self._each(value, depth)
        elif kind is deque:
            written += (deque, value.maxlen)
            self._each(value, depth)
        elif kind is dict:
            written.append(dict)
            self._each(value, depth)
            self._each(value.values(), depth)
        elif kind is set or kind is frozenset:
            if not all(type(item) in _SIMPLE or type(item) in _SIGNED for item in value):
                raise UnknownError("a set of objects")
            # In the order in which it is gone through, which hangs on its size, too.
            written += (kind, value.__sizeof__())
            self._each(value, depth)
        elif kind is FunctionType:
            written += (FunctionType, _name_of(value.__code__), value.__module__)
            held = value.__defaults__, value.__kwdefaults__, value.__dict__ or None
            self._each((*(value.__closure__ or ()), *held), depth)
        elif kind is staticmethod or kind is classmethod:
            written.append(kind)
            self._each((value.__func__,), depth)
        elif kind is property:
            written.append(kind)
            self._each((value.fget, value.fset, value.fdel), depth)
        elif kind is _lru_cache_wrapper:
            info = value.cache_info()
            if info.hits or info.misses:
                raise UnknownError("what is in a cache")
            written.append(kind)
            self._each((value.__dict__,), depth)
        elif kind is CellType:
            written.append(CellType)
            self._each(_content(value), depth)
        elif kind is MethodType:
            written.append(MethodType)
            self._each((value.__func__, value.__self__), depth)
        elif kind is BuiltinFunctionType:
            owner = value.__self__
            of_none = owner is None or isinstance(owner, ModuleType | type)
            written += (BuiltinFunctionType, value.__qualname__)
            self._each(() if of_none else (owner,), depth)
        elif isinstance(value, ModuleType):
            written += (ModuleType, value.__name__)
        elif isinstance(value, type):
            written += (type, value.__module__, value.__qualname__)
            if value.__module__ in self._own:
                self._class(value, depth)
        elif kind is GeneratorType:
            self._generator(value)
        elif kind is CodeType:
            written += (CodeType, _name_of(value))
        elif _is_plain(kind):
            written.append(_OF_CLASS)
            self.write(kind, depth)
            own = value.__dict__
            self._each(own, depth)
            self._each(own.values(), depth)
        else:
            self._reduced(value, kind, depth)

    def _class(self, value: type, depth: int) -> None:
        """What a class of the program holds; of Python's own, what has been given variables."""
        held = {
            name: item
            for name, item in vars(value).items()
            if not is_pythons(name) or (type(item) is FunctionType and item.__closure__)
        }
        self._each(value.__bases__, depth)
        self._each(held, depth)
        self._each(held.values(), depth)

    def _reduced(self, value: Any, kind: type, depth: int) -> None:
        """As it would be pickled."""
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:
            raise UnknownError(kind.__name__) from None
        self.written.append(_REDUCED)
        self.write(kind, depth)
        if isinstance(reduced, str):
            self.written.append(reduced)
        else:
            # What makes it, of what, and its state; then its items.
            items = [list(part) if isinstance(part, Iterator) else part for part in reduced[3:]]
            self._each((*reduced[:3], *items), depth)

    def _generator(self, value: GeneratorType[Any, Any, Any]) -> None:
        frame = value.gi_frame
        if frame is None:
            self.written += (GeneratorType, "over")
        elif value.gi_running:
            self.written += (GeneratorType, "running", _name_of(frame.f_code))
        elif frame.f_lasti < 0:
            self.written += (GeneratorType, "new", _name_of(frame.f_code))
            self._variables(frame)
        else:
            raise UnknownError("a generator")

    def _variables(self, frame: FrameType) -> None:
        variables = frame.f_locals
        self._each(variables, 0)
        self._each(variables.values(), 0)

    def frame(self, frame: FrameType, inner: FrameType | None, *, trusted: bool) -> None:
        """One frame, which is in the call of ``inner``; what is ``trusted`` calls through C."""
        code, lasti = frame.f_code, frame.f_lasti
        spot = _spot(code, lasti)
        if inner is not None and not trusted and _through_c(inner, frame):
            made = spot.name == "CALL" and inner.f_code.co_name == "__init__"
            if spot.name not in _PLAIN and not made:
                raise UnknownError(f"C code called by {code.co_name}")
        self.written += (_name_of(code), lasti)
        if spot.under:
            self._each(_stack(frame, spot), 0)
        if code.co_flags & _OPTIMIZED:
            self._variables(frame)

    def module(self, module: ModuleType) -> None:
        """The variables of a module of the program."""
        self.written.append(module.__name__)
        for name, value in vars(module).items():
            if not is_pythons(name):
                self.written.append(name)
                self.write(value)
        self.written.append(None)


def _content(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _name_of(code: CodeType) -> Hashable:
    """By its id, if it stays: what ``eval`` has made may go, and another come to its place."""
    return code if code.co_filename.startswith("<") else id(code)


def is_pythons(name: str) -> bool:
    """Whether every module or class may have it, with a meaning for Python."""
    return name.startswith("__") and name.endswith("__")


class _Mark(Enum):
    """What stands before something that has no type of its own to stand there."""

    AGAIN = auto()
    OF_CLASS = auto()
    REDUCED = auto()


_AGAIN, _OF_CLASS, _REDUCED = _Mark
#: Of the same type, two of these that are equal are the same to every program.
_SIMPLE = frozenset((int, bool, str, bytes, type(None), type(...)))
#: Zero equals its negative, and is another.
_SIGNED = frozenset((float, complex))


@lru_cache(maxsize=1024)
def _is_shared(kind: type) -> bool:
    return bool(getattr(kind, "_syncsim_shared", False))


@lru_cache(maxsize=65536)
def _shared(kind: str, key: Hashable) -> Hashable:
    """A shared thing; as one value, for there may be hundreds in each of thousands of prints."""
    return ("shared", kind, key)


def _key_of(value: Any) -> Hashable:
    """What names a shared thing: the atoms that it is made of."""
    names = []
    for name, item in sorted(getattr(value, "__dict__", {}).items()):
        if isinstance(item, str):
            names.append((name, item))
        elif _is_shared(type(item)):  # type: ignore[arg-type]
            names.append((name, str(_key_of(item))))
    return tuple(names)


class _Plain:
    """An object of Python, to compare with."""


def _layout(kind: type) -> tuple[int, ...]:
    return kind.__basicsize__, kind.__itemsize__, kind.__dictoffset__, kind.__weakrefoffset__


@lru_cache(maxsize=1024)
def _is_plain(kind: type) -> bool:
    """Whether instances hold their attributes and nothing else, neither in C nor in slots."""
    return _layout(kind) == _layout(_Plain)


def fingerprint_of(
    stacks: Iterable[tuple[FrameType | None, CodeType, bool]],
    modules: dict[str, ModuleType],
    own: Hashable,
    is_library: Callable[[CodeType], bool],
) -> Hashable | None:
    """That of the process with those stacks; None where there is none.

    Each is given by its innermost frame, the code at which it ends, and whether C code has called
    none of its frames but the library's.  ``own`` is what belongs to the process besides its
    memory.
    """
    if not _can_read():
        return None
    writer = _Writer(modules.values())
    try:
        for innermost, bottom, trusted in stacks:
            inner: FrameType | None = None
            frame = innermost
            while frame is not None and frame.f_code is not bottom:
                plain = trusted or is_library(frame.f_code)
                writer.frame(frame, inner, trusted=plain)
                inner, frame = frame, frame.f_back
            writer.written.append(None)
        for name, module in modules.items():
            if name != "__mp_main__":
                writer.module(module)
        return Print((*writer.written, own))
    except (UnknownError, TypeError, RecursionError):
        return None


class Print:
    """A fingerprint, whose hash is asked for more than once."""

    __slots__ = ("_hash", "_written")

    def __init__(self, written: tuple[Hashable, ...]) -> None:
        self._written = written
        self._hash = hash(written)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Print) and self._written == other._written


def image_of(modules: dict[str, ModuleType]) -> Hashable | None:
    """All that is in those modules of the program; None where that cannot be said."""
    writer = _Writer(modules.values())
    try:
        for module in modules.values():
            writer.module(module)
        return tuple(writer.written)
    except (UnknownError, TypeError, RecursionError):
        return None


@lru_cache(maxsize=1)
def _can_read() -> bool:
    """Whether what we know of frames is so: tried out on one of our own."""
    seen: list[Any] = []

    def look() -> None:
        frame = sys._getframe(1)
        seen.append(_stack(frame, _spot(frame.f_code, frame.f_lasti)))

    def loop(items: list[int]) -> None:
        for _ in items:
            look()
            break

    try:
        items = [7, 8, 9]
        loop(items)
        (stack,) = seen
        return len(stack) == 1 and list(stack[0].__reduce__()[1][0]) == items
    except Exception:
        return False
