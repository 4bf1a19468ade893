"""The private memory of a process: the program's modules, and their copy for a forked child.

``fork`` copies a process's whole memory.  Here that is everything that can be reached from the
program's modules and from what is handed to the child; primitives of the virtual world are
what processes share, and stay what they are.
"""

from __future__ import annotations

import abc
import itertools
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import Field
from functools import lru_cache
from io import BytesIO, IOBase, StringIO
from operator import is_
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from syncsim.core.state import Primitive
from syncsim.program.names import Namer
from syncsim.program.source import source_of
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.process.canonical_form import as_pickled, is_pythons, namespace_of, registered

_BUILTIN_CONTAINERS: tuple[type, ...] = (dict, list, set, frozenset, tuple, bytearray)
_DESCRIPTORS = (MemberDescriptorType, GetSetDescriptorType)


class PrivateMemory:
    """The private part of a process.

    ``modules`` are the program's by name, the main one as ``__main__``.  What is known of the
    primitives is inherited, too: which atom belongs to which of them in which role.
    """

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        #: Its environment, once it was changed by this process or one above it.
        self.environment: dict[str, str] | None = None
        #: The text of each file of the program, as far as it was wanted.
        self.texts: dict[str, str | None] = {}
        self.namer = Namer()
        self.primitives: dict[str, Primitive] = {}
        self.belongs: dict[str, tuple[str, str]] = {}
        self.roles: dict[tuple[str, str], str] = {}

    def fork(self, *values: Any) -> tuple[PrivateMemory, tuple[Any, ...]]:
        """A copy of it, and of the values as the child has them."""
        child = self.fresh()
        copier = _Copier(self.modules)
        for name, module in self.modules.items():
            child.modules[name] = copier.memo[id(module)]
        for module in self.modules.values():
            copier.fill(module)
        return child, tuple(copier.copy(value) for value in values)

    def text_of(self, file: str) -> str | None:
        """The text of that file; None if it cannot be read."""
        if file not in self.texts:
            self.texts[file] = source_of(file)
        return self.texts[file]

    def fresh(self) -> PrivateMemory:
        """One without modules, for a child that imports the program anew."""
        child = PrivateMemory()
        child.environment = self.environment and dict(self.environment)
        child.texts = self.texts
        child.namer = self.namer.copy()
        child.primitives = dict(self.primitives)
        child.belongs = dict(self.belongs)
        child.roles = dict(self.roles)
        return child


@lru_cache(maxsize=1024)
def _slots_of(kind: type) -> tuple[str, ...]:
    return tuple(
        name
        for cls in kind.__mro__
        for name, slot in vars(cls).items()
        if isinstance(slot, MemberDescriptorType)
    )


class _Copier:
    """Copies objects as they are seen from the program's modules."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self.memo: dict[int, Any] = {}
        self._kept: list[Any] = []  # so that an id stays its own
        self._names = set(modules) - {"random"}  # (which is no module of the program)
        for name, module in modules.items():
            twin = ModuleType(name)
            self.memo[id(module)] = twin
            self.memo[id(vars(module))] = vars(twin)

    def fill(self, module: ModuleType) -> None:
        """Copies what is in the module into its twin."""
        twin = vars(self.memo[id(module)])
        for name, value in vars(module).items():
            kept = type(value) in _ATOMIC or is_pythons(name)
            twin[name] = value if kept else self.copy(value)

    def copy(self, value: Any) -> Any:
        """The value as the child has it."""
        kind = type(value)
        if kind in _ATOMIC or getattr(kind, "_syncsim_shared", False):
            return value
        known = self.memo.get(id(value), self)
        if known is not self:
            return known
        made = self._copiers.get(kind, _Copier._instance)(self, value)
        self.memo[id(value)] = made
        self._kept.append(value)
        return made

    def _into(self, value: Any, made: Any) -> Any:
        self.memo[id(value)] = made
        self._kept.append(value)
        return made

    def _list(self, value: list[Any]) -> Any:
        made: list[Any] = self._into(value, [])
        made += self._each(value)
        return made

    def _each(self, values: Iterable[Any]) -> list[Any]:
        """The values as the child has them (most of them need no copy)."""
        return [item if type(item) in _ATOMIC else self.copy(item) for item in values]

    def _dict(self, value: dict[Any, Any]) -> Any:
        made: dict[Any, Any] = self._into(value, {})
        made.update(zip(self._each(value), self._each(value.values()), strict=True))
        return made

    def _set(self, value: set[Any]) -> Any:
        return set(self._each(value))

    def _frozenset(self, value: frozenset[Any]) -> Any:
        return frozenset(self._each(value))

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        made = tuple(self._each(value))
        if all(map(is_, made, value)):
            return value
        return self.memo.get(id(value), made)

    def _function(self, value: FunctionType) -> Any:
        twin = self.memo.get(id(value.__globals__))
        if twin is None:
            return value
        cells = value.__closure__ or ()
        closure = tuple([self._cell(cell) for cell in cells])
        made = FunctionType(value.__code__, twin, value.__name__, None, closure)
        # Known before its cells are filled: it may be in one itself.
        self._into(value, made)
        for cell in cells:
            self._fill_cell(cell)
        made.__defaults__ = self.copy(value.__defaults__)
        made.__kwdefaults__ = self.copy(value.__kwdefaults__)
        made.__qualname__ = value.__qualname__
        made.__module__ = value.__module__
        made.__doc__ = value.__doc__
        made.__annotations__ = value.__annotations__
        for name, item in vars(value).items():
            setattr(made, name, self.copy(item))
        return made

    def _cell(self, cell: CellType) -> CellType:
        known: CellType | None = self.memo.get(id(cell))
        return known if known is not None else self._into(cell, CellType())

    def _filled_cell(self, cell: CellType) -> CellType:
        made = self._cell(cell)
        self._fill_cell(cell)
        return made

    def _fill_cell(self, cell: CellType) -> None:
        made: CellType = self.memo[id(cell)]
        try:
            made.cell_contents  # noqa: B018 - raises where it is empty
        except ValueError:
            try:
                content = cell.cell_contents
            except ValueError:
                return
            made.cell_contents = self.copy(content)

    def _method(self, value: MethodType) -> Any:
        return MethodType(self.copy(value.__func__), self.copy(value.__self__))

    def _builtin(self, value: Any) -> Any:
        owner = getattr(value, "__self__", None)
        if owner is None or isinstance(owner, ModuleType | type):
            return value
        return getattr(self.copy(owner), value.__name__)

    def _itself(self, value: Any) -> Any:
        return value

    def _class(self, value: type) -> Any:
        if value.__module__ not in self._names or type(value) not in (type, abc.ABCMeta):
            return value
        held = {
            name: item
            for name, item in vars(value).items()
            if name not in ("__dict__", "__weakref__") and not isinstance(item, _DESCRIPTORS)
        }
        kept = {
            name: held.pop(name)
            for name in ("__module__", "__doc__", "__slots__", "__orig_bases__")
            if name in held
        }
        bases = tuple([self.copy(base) for base in value.__bases__])
        made = self._into(value, type(value)(value.__name__, bases, kept))
        made.__qualname__ = value.__qualname__  # (which is not among its variables)
        # From 3.14 on what computes the annotations of a class has its variables in a cell.
        self._into(namespace_of(value), namespace_of(made))
        for name, item in held.items():
            if not name.startswith("_abc_"):
                setattr(made, name, self.copy(item))
        for one in registered(value) if isinstance(value, abc.ABCMeta) else ():
            made.register(self.copy(one()))
        return made

    def _staticmethod(self, value: Any) -> Any:
        return type(value)(self.copy(value.__func__))

    def _property(self, value: property) -> Any:
        fget, fset, fdel = map(self.copy, (value.fget, value.fset, value.fdel))
        return type(value)(fget, fset, fdel, value.__doc__)

    def _instance(self, value: Any) -> Any:
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, ModuleType):
            return value
        kind = type(value)
        base = next(c for c in kind.__mro__ if c.__module__ not in self._names)
        if kind.__module__ in self._names or getattr(base, "_syncsim_plain", False):
            if base is object or getattr(base, "_syncsim_plain", False):
                return self._state(value, self._into(value, object.__new__(self.copy(kind))))
            if base in _BUILTIN_CONTAINERS:
                items = self.copy(base(value))
                made = base.__new__(self.copy(kind), *([items] if base in _WHOLE else []))
                self._into(value, made)
                if base not in _WHOLE:
                    vars(base)["__init__"](made, items)
                return self._state(value, made)
        return self._reduced(value)

    def _state(self, value: Any, made: Any) -> Any:
        if hasattr(value, "__dict__"):
            twin = vars(made)
            twin.update(zip(vars(value), self._each(vars(value).values()), strict=True))
        kind: Any = type(value)
        for name in _slots_of(kind):
            if hasattr(value, name):
                object.__setattr__(made, name, self.copy(getattr(value, name)))
        return made

    def _reduced(self, value: Any) -> Any:
        """By the way it is pickled, which is the library's own and runs nothing of the program."""
        if isinstance(value, IOBase) and not isinstance(value, BytesIO | StringIO):
            if value.closed:
                return value
            raise NotVirtualError("a file that is open when a child is forked")
        try:
            reduced = as_pickled(value)
        except TypeError:
            raise NotVirtualError(f"a copy of a {type(value).__name__} in a forked child") from None
        if isinstance(reduced, str):
            return value
        parts: list[Any] = [*reduced, None, None, None, None]
        make, arguments, state, items, pairs, setter = parts[:6]
        make = self.copy(make)
        made = self._into(value, make(*[self.copy(one) for one in arguments]))
        if state is not None:
            state = self.copy(state)
            if setter is not None:
                setter(made, state)
            elif hasattr(made, "__setstate__"):
                made.__setstate__(state)
            else:
                own, slots = state if isinstance(state, tuple) else (state, None)
                if own:
                    vars(made).update(own)
                for name, item in (slots or {}).items():
                    setattr(made, name, item)
        for item in items or ():
            made.append(self.copy(item))
        for key, item in pairs or ():
            made[self.copy(key)] = self.copy(item)
        return made

    def _lock(self, value: Any) -> Any:
        made = threading.Lock()
        if value.locked():
            made.acquire()
        return made

    def _rlock(self, value: Any) -> Any:
        made = threading.RLock()
        if value._is_owned():  # (by this thread, in which all processes run)
            times, owner = value._release_save()
            value._acquire_restore((times, owner))
            made._acquire_restore((times, owner))  # type: ignore[attr-defined]
        return made

    def _count(self, value: itertools.count[int]) -> Any:
        """By how it is shown: from 3.14 on it cannot be pickled."""
        shown = re.fullmatch(r"count\((-?\d+)(?:, (-?\d+))?\)", repr(value))
        if shown is None:
            raise NotVirtualError("a copy of a count in a forked child")
        return itertools.count(*[int(number) for number in shown.groups() if number])

    def _local(self, value: threading.local) -> Any:
        made = self._into(value, threading.local())
        return self._state(value, made)

    _copiers: dict[type, Callable[[_Copier, Any], Any]] = {  # noqa: RUF012
        list: _list,
        dict: _dict,
        set: _set,
        frozenset: _frozenset,
        tuple: _tuple,
        FunctionType: _function,
        CellType: _filled_cell,
        MethodType: _method,
        BuiltinFunctionType: _builtin,
        ModuleType: _itself,
        **dict.fromkeys(_DESCRIPTORS, _itself),
        type: _class,
        abc.ABCMeta: _class,
        staticmethod: _staticmethod,
        classmethod: _staticmethod,
        property: _property,
        type(threading.Lock()): _lock,
        type(threading.RLock()): _rlock,
        threading.local: _local,
        itertools.count: _count,
    }


_WHOLE = (tuple, frozenset)
_ATOMIC = frozenset(
    (
        int, float, bool, complex, str, bytes, range, slice, type(None), type(...),
        type(NotImplemented), CodeType, Field,
    )
)  # fmt: skip
