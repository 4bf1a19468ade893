"""Virtual ``Value`` and ``Array``: each read and each write is an operation of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Hashable
from importlib import import_module
from operator import index
from types import ModuleType
from typing import Any

from syncsim.core.atoms import Cell
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.program.safe_text import safe_text
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.data_atoms import Items, SharedMemory
from syncsim.virtual.process.body import here
from syncsim.virtual.stdlib.calls import mark
from syncsim.virtual.stdlib.semlock import part

_forms: dict[str, Any] = import_module("multiprocessing.sharedctypes").typecode_to_type
_SIMPLE = ctypes.c_int.__mro__[1]


class _Raw:
    """A piece of shared memory without a lock: each access is one operation."""

    _syncsim_shared = True
    kind = ""

    def __init__(self, form: Any, content: Hashable) -> None:
        self.form = form
        self.key = here().new_atom()
        self.content = content

    def _syncsim_id(self) -> str:
        return f"memory {self.key}"

    def _syncsim_key(self) -> str:
        return self.key

    def part(self) -> tuple[str, Cell, SharedMemory]:
        """Return the part of a primitive that it is."""
        return self.key, Cell(value=safe_text(self.shown(self.content))), SharedMemory(self.content)

    def shown(self, content: Any) -> Any:
        """The content as the program sees it."""
        return content

    def _read(self, name: str, detail: str = "", items: Items | None = None) -> Any:
        name = f"{self.kind}.{name}"
        return here().operate(Verb.READ, self.key, payload=items, name=name, detail=detail)

    def _write(self, content: Hashable, detail: str) -> None:
        name = f"{self.kind}.set"
        here().operate(Verb.WRITE, self.key, payload=content, name=name, detail=detail)


class RawValue(_Raw):
    """One value."""

    kind = "RawValue"

    @property
    def value(self) -> Any:
        """Return the value in the shared memory."""
        return self._read("read")

    @value.setter
    def value(self, new: Any) -> None:
        self._write(self.converted(new), safe_text(new))

    def converted(self, new: Any) -> Any:
        """Return the value that will be in it; raises and wraps as the real one does."""
        return self.form(new).value

    def __repr__(self) -> str:
        return f"{self.form.__name__}({self.value!r})"


class RawArray(_Raw):
    """Many values; one is iterated by reading them one after the other, as the real one."""

    kind = "RawArray"
    is_text = False

    def shown(self, content: Any) -> Any:
        """Return the items as a list, or as what the bytes are."""
        whole = self.form(*content)
        return getattr(whole, "value", None) or list(content)

    def __len__(self) -> int:
        length: int = self.form._length_
        return length

    def __getitem__(self, at: Any) -> Any:
        places, build = self.places(at)
        return build(self._read("get", safe_text(at), Items(places)))

    def __setitem__(self, at: Any, new: Any) -> None:
        items = self.items(at, new)
        self._write(items, safe_text(new))

    def places(self, at: Any) -> tuple[tuple[int, ...], Callable[[Any], Any]]:
        """Which items ``at`` stands for, and what makes of them what the program gets."""
        length = len(self)
        if isinstance(at, slice):
            places = tuple(range(*at.indices(length)))
            return places, lambda items: b"".join(items) if self.is_text else list(items)
        place = index(at)
        if not -length <= place < length:
            raise IndexError("invalid index")
        return (place % length,), lambda items: items[0]

    def items(self, at: Any, new: Any) -> Items:
        """Return the items to be written: raises what the real one raises, and wraps as it does."""
        whole = self.form()
        whole[at] = new
        places, _ = self.places(at)
        return Items(places, tuple([whole[place] for place in places]))


class RawString(RawArray):
    """An array of characters: it can be read and written as a whole."""

    is_text = True

    @property
    def value(self) -> Any:
        """The bytes up to the first that is zero."""
        return self.form(*self._read("read")).value

    @value.setter
    def value(self, new: Any) -> None:
        self._assign("value", new)

    @property
    def raw(self) -> Any:
        """All bytes."""
        return self.form(*self._read("read")).raw

    @raw.setter
    def raw(self, new: Any) -> None:
        self._assign("raw", new)

    def _assign(self, name: str, new: Any) -> None:
        whole = self.form()
        setattr(whole, name, new)
        # ``value`` writes no more than there is, and a zero after it.
        end = len(self) if name == "raw" else min(len(new) + 1, len(self))
        self._write(Items(tuple(range(end)), tuple(whole)[:end]), safe_text(new))


class _Guarded:
    """A piece of shared memory with the lock that guards it."""

    _syncsim_shared = True

    def __init__(self, obj: Any, lock: Any, kind: str) -> None:
        self._obj = obj
        self._lock = lock
        self.acquire = lock.acquire
        self.release = lock.release
        parts: dict[str, Any] = {Role.VALUE: obj.part(), Role.LOCK: part(lock)}
        here().make(self._syncsim_id(), kind, parts)

    def _syncsim_id(self) -> str:
        name: str = self._obj._syncsim_id()
        return name

    _syncsim_key = _syncsim_id

    def get_lock(self) -> Any:
        """The lock."""
        return self._lock

    def get_obj(self) -> Any:
        """The memory without its lock."""
        return self._obj

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(self, *args: object) -> Any:
        return self._lock.__exit__(*args)


class Synchronized(_Guarded):
    """One value."""

    def _syncsim_get(self) -> Any:
        with self._lock:
            return here().operate(Verb.READ, self._obj.key)

    def _syncsim_set(self, new: Any) -> None:
        with self._lock:
            content = self._obj.converted(new)
            here().operate(Verb.WRITE, self._obj.key, payload=content, detail=safe_text(new))

    @property
    def value(self) -> Any:
        """Return the value in the shared memory."""
        return self._syncsim_get()

    @value.setter
    def value(self, new: Any) -> None:
        self._syncsim_set(new)


class SynchronizedArray(_Guarded):
    """Many values."""

    def __len__(self) -> int:
        return len(self._obj)

    def _syncsim_get(self, at: Any) -> Any:
        obj = self._obj
        with self._lock:
            places, build = obj.places(at)
            return build(here().operate(Verb.READ, obj.key, payload=Items(places)))

    def _syncsim_set(self, at: Any, new: Any) -> None:
        obj = self._obj
        with self._lock:
            items = obj.items(at, new)
            here().operate(Verb.WRITE, obj.key, payload=items, detail=safe_text(new))

    def __getitem__(self, at: Any) -> Any:
        return self._syncsim_get(at)

    def __setitem__(self, at: Any, new: Any) -> None:
        self._syncsim_set(at, new)


def _form(typecode_or_type: Any) -> Any:
    form = _forms.get(typecode_or_type, typecode_or_type)
    if not issubclass(form, _SIMPLE):
        raise NotVirtualError(f"shared memory for a {form.__name__}")
    return form


def _value(typecode_or_type: Any, args: tuple[Any, ...]) -> RawValue:
    form = _form(typecode_or_type)
    return RawValue(form, form(*args).value)


def _array(typecode_or_type: Any, size_or_initializer: Any) -> RawArray:
    form = _form(typecode_or_type)
    if isinstance(size_or_initializer, int):
        whole = (form * size_or_initializer)()
    else:
        whole = (form * len(size_or_initializer))(*size_or_initializer)
    kind = RawString if form is ctypes.c_char else RawArray
    return kind(type(whole), tuple(whole))


def _introduced(obj: _Raw) -> Any:
    """Introduce it as a primitive of its own, and not as a part of one."""
    here().make(obj._syncsim_id(), obj.kind, {Role.VALUE: obj.part()})
    return obj


def _lock_for(lock: Any, ctx: Any) -> Any:
    if lock in (True, None):
        body = here()
        silent, body.state.silent = body.state.silent, True
        try:
            return ctx.RLock()
        finally:
            body.state.silent = silent
    if not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return lock


def module(contexts: Any) -> ModuleType:
    """In the place of ``multiprocessing.sharedctypes``."""
    found = ModuleType("multiprocessing.sharedctypes")

    def get_context(ctx: Any) -> Any:
        return ctx or contexts()

    def Value(typecode_or_type: Any, *args: Any, lock: Any = True, ctx: Any = None) -> Any:  # noqa: N802
        obj = _value(typecode_or_type, args)
        if lock is False:
            return _introduced(obj)
        return Synchronized(obj, _lock_for(lock, get_context(ctx)), "Value")

    def Array(  # noqa: N802
        typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True, ctx: Any = None
    ) -> Any:
        obj = _array(typecode_or_type, size_or_initializer)
        if lock is False:
            return _introduced(obj)
        if isinstance(obj, RawString):
            raise NotVirtualError("an Array of characters with a lock")
        return SynchronizedArray(obj, _lock_for(lock, get_context(ctx)), "Array")

    vars(found).update(
        Value=Value,
        Array=Array,
        RawValue=lambda form, *args: _introduced(_value(form, args)),
        RawArray=lambda form, content: _introduced(_array(form, content)),
        Synchronized=Synchronized,
        SynchronizedArray=SynchronizedArray,
    )
    return found


def install() -> None:
    """Marks the calls, as ``instrument/probes/shared_memory`` does."""
    for cls, kind in ((Synchronized, "Value"), (SynchronizedArray, "Array")):
        mark(cls, "_syncsim_get", name=f"{kind}.get", label=safe_text)
    mark(Synchronized, "_syncsim_set", name="Value.set", argument=safe_text)
    mark(SynchronizedArray, "_syncsim_set", name="Array.set")
