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
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache, partial
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
from typing import Any

#: Bytes from a frame object to the pointer to its interpreter frame; from there to the variables.
_OLD = sys.version_info < (3, 12)
_FRAME, _VARIABLES, _PREVIOUS = 24, 72, 48 if _OLD else 8
#: In 3.11 a byte says whether C called the frame; later such a frame stands behind another.
_IS_ENTRY = 68
_DEEP = 60


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


@lru_cache(maxsize=65536)
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


def _stack(frame: FrameType, under: int) -> list[Any]:
    """The lowest values on the stack of the frame (None where there is nothing)."""
    code = frame.f_code
    if not under:
        return []
    variables = len(set(code.co_varnames) | set(code.co_cellvars)) + len(code.co_freevars)
    start = _interpreter_frame(frame) + _VARIABLES + 8 * variables
    found: list[Any] = []
    for at in range(under):
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
    """Writes objects down; one that comes again is named by its number."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []
        self._named: dict[int, Hashable] = {}

    def write(self, value: Any, depth: int = 0) -> Hashable:
        kind = type(value)
        if kind in _SIMPLE:
            return (kind, value) if kind is not str else value
        if depth > _DEEP:
            raise UnknownError("deep")
        if _is_shared(kind):  # type: ignore[arg-type]
            name = self._named.get(id(value))
            if name is None:
                # Not of a base: what the program derives from it may hold more.
                key = kind.__dict__.get("_syncsim_key", _key_of)
                name = self._named[id(value)] = _shared(kind.__name__, key(value))
                self._kept.append(value)
            return name
        known = self._seen.get(id(value))
        if known is not None:
            return ("again", known)
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        return self._object(value, kind, depth + 1)

    def _object(self, value: Any, kind: type, depth: int) -> Hashable:
        each = partial(self.write, depth=depth)
        if kind is list or kind is tuple or kind is deque:
            return (kind, *[self.write(item, depth) for item in value])
        if kind is dict:
            return (dict, *((each(key), each(item)) for key, item in value.items()))
        if kind is set or kind is frozenset:
            if not all(type(item) in _SIMPLE for item in value):
                raise UnknownError("a set of objects")
            return (kind, frozenset(value))
        if kind is FunctionType:
            cells = value.__closure__ or ()
            return (
                FunctionType, id(value.__code__), value.__module__,
                *map(each, cells), each(value.__defaults__), each(value.__kwdefaults__),
            )  # fmt: skip
        if kind is CellType:
            try:
                return (CellType, each(value.cell_contents))
            except ValueError:
                return CellType
        if kind is MethodType:
            return (MethodType, each(value.__func__), each(value.__self__))
        if kind is BuiltinFunctionType:
            owner = value.__self__
            if owner is None or isinstance(owner, ModuleType | type):
                return (BuiltinFunctionType, value.__qualname__)
            return (BuiltinFunctionType, value.__qualname__, each(owner))
        if isinstance(value, ModuleType):
            return (ModuleType, value.__name__)
        if isinstance(value, type):
            return (type, value.__module__, value.__qualname__)
        if kind is GeneratorType:
            return self._generator(value)
        if kind is CodeType:
            return (CodeType, id(value))
        own = getattr(value, "__dict__", None)
        if own is not None and not _has_base(kind):
            return (kind.__module__, kind.__qualname__, *((n, each(v)) for n, v in own.items()))
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:
            raise UnknownError(kind.__name__) from None
        if isinstance(reduced, str):
            return (kind, reduced)
        make, arguments, *rest = reduced
        tail: list[Hashable] = []
        for part in rest:
            tail.append(each(list(part) if hasattr(part, "__next__") else part))
        return (kind, each(make), each(arguments), *tail)

    def _generator(self, value: GeneratorType[Any, Any, Any]) -> Hashable:
        frame = value.gi_frame
        if frame is None:
            return GeneratorType
        if value.gi_running:
            return (GeneratorType, "running", id(frame.f_code))
        if frame.f_lasti < 0:
            return (GeneratorType, id(frame.f_code), -1, self._variables(frame))
        raise UnknownError("a generator")

    def _variables(self, frame: FrameType) -> Hashable:
        return tuple([(name, self.write(value)) for name, value in frame.f_locals.items()])

    def frame(self, frame: FrameType, inner: FrameType | None, *, trusted: bool) -> Hashable:
        """One frame, which is in the call of ``inner``; what is ``trusted`` calls through C."""
        code, lasti = frame.f_code, frame.f_lasti
        under, instruction = _under(code, lasti)
        if inner is not None and not trusted and _through_c(inner, frame):
            made = instruction == "CALL" and inner.f_code.co_name == "__init__"
            if instruction not in _PLAIN and not made:
                raise UnknownError(f"C code called by {code.co_name}")
        stack = [self.write(one) for one in _stack(frame, under)]
        if code.co_flags & 0x02:  # CO_OPTIMIZED: a function, with variables of its own
            return (id(code), lasti, self._variables(frame), *stack)
        return (id(code), lasti, *stack)

    def module(self, module: ModuleType) -> Hashable:
        """The variables of a module of the program."""
        found: list[Hashable] = []
        for name, value in vars(module).items():
            if name.startswith("__"):
                continue
            if isinstance(value, type) and value.__module__ == module.__name__:
                held = [
                    (attribute, self.write(item))
                    for attribute, item in vars(value).items()
                    if not attribute.startswith("__")
                    and not callable(item)
                    and not isinstance(item, property | staticmethod | classmethod)
                ]
                found.append((name, tuple(held)))
            else:
                found.append((name, self.write(value)))
        return tuple(found)


_SIMPLE = frozenset((int, float, bool, complex, str, bytes, range, slice, type(None), type(...)))


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


@lru_cache(maxsize=1024)
def _has_base(kind: type) -> bool:
    """Whether instances hold more than their attributes."""
    return any(
        base not in (kind, object)
        and "__dict__" not in vars(base)
        and not vars(base).get("__module__", "").startswith(("__main__", "__mp_main__"))
        and base.__basicsize__ > object.__basicsize__ + 16
        for base in kind.__mro__
    )


def fingerprint_of(
    stacks: Iterable[tuple[FrameType | None, CodeType, bool]],
    modules: dict[str, ModuleType],
    own: Callable[[Callable[[Any], Hashable]], Hashable],
    is_library: Callable[[CodeType], bool],
) -> Hashable | None:
    """That of the process with those stacks; None where there is none.

    Each is given by its innermost frame, the code at which it ends, and whether C code has called
    none of its frames but the library's.  ``own`` writes what belongs to the process besides its
    memory.
    """
    if not _can_read():
        return None
    writer = _Writer()
    try:
        frames = []
        for innermost, bottom, trusted in stacks:
            inner: FrameType | None = None
            frame = innermost
            while frame is not None and frame.f_code is not bottom:
                plain = trusted or is_library(frame.f_code)
                frames.append(writer.frame(frame, inner, trusted=plain))
                inner, frame = frame, frame.f_back
        found = (
            tuple(frames),
            tuple(
                [writer.module(module) for name, module in modules.items() if name != "__mp_main__"]
            ),
            own(writer.write),
        )
        hash(found)
    except (UnknownError, TypeError, RecursionError):
        return None
    return found


def image_of(modules: dict[str, ModuleType]) -> Hashable | None:
    """All that is in those modules of the program; None where that cannot be said."""
    writer = _Writer()
    try:
        return tuple([writer.module(module) for module in modules.values()])
    except (UnknownError, TypeError, RecursionError):
        return None


@lru_cache(maxsize=1)
def _can_read() -> bool:
    """Whether what we know of frames is so: tried out on one of our own."""
    seen: list[Any] = []

    def look() -> None:
        frame = sys._getframe(1)
        under, _ = _under(frame.f_code, frame.f_lasti)
        seen.append(_stack(frame, under))

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
