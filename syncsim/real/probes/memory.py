"""Shared memory: each read or write of a ``Value`` or ``Array`` is an operation of its own.

It is recorded inside the lock that comes with it.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from typing import Any

from syncsim.core.operation import Verb
from syncsim.real.gate import Gate
from syncsim.real.probes.calls import introduce, mark
from syncsim.real.probes.library import sharedctypes
from syncsim.real.probes.parts import Part
from syncsim.real.probes.semlock import part
from syncsim.real.probes.unseen import unseen
from syncsim.real.safe import safe_text


def install(gate: Gate) -> None:
    """Introduces ``Value`` and ``Array`` and lets their accesses go through the gate."""
    value, array = sharedctypes.Synchronized, sharedctypes.SynchronizedArray
    for cls, kind in ((value, "Value"), (array, "Array")):
        introduce(gate, cls, lambda self: f"memory {_key(self)}", _parts, kind=kind)
        _make_lock_silently(gate, kind)
    real = value.value
    value._syncsim_get = _access(gate, real.fget, _reader(gate, lambda obj: obj.value))
    value._syncsim_set = _access(gate, real.fset, _value_writer(gate))
    mark(gate, value, "_syncsim_get", name="Value.get", label=safe_text)
    mark(gate, value, "_syncsim_set", name="Value.set", argument=safe_text)
    value.value = property(value._syncsim_get, value._syncsim_set)
    array.__getitem__ = _access(gate, array.__getitem__, _reader(gate, lambda obj, at: obj[at]))
    array.__setitem__ = _access(gate, array.__setitem__, _array_writer(gate))
    mark(gate, array, "__getitem__", name="Array.get", label=safe_text)
    mark(gate, array, "__setitem__", name="Array.set")


def _key(memory: Any) -> str:
    """What names a piece of shared memory in every process: its file and offset."""
    key: str | None = getattr(memory, "_syncsim_key", None)
    if key is None:
        (arena, start, _), _ = memory._obj._wrapper._state
        key = memory._syncsim_key = f"cell:{os.fstat(arena.fd).st_ino}+{start}"
    return key


def _parts(memory: Any) -> list[Part]:
    obj = memory._obj
    text = safe_text(obj.value if hasattr(obj, "value") else list(obj))
    return [Part("value", _key(memory), "cell", text=text), part("lock", memory._lock)]


def _access(gate: Gate, real: Callable[..., Any], watched: Callable[..., Any]) -> Any:
    """``watched`` under the lock while somebody watches, ``real`` otherwise."""

    @unseen
    @functools.wraps(real)
    def access(self: Any, *args: Any) -> Any:
        if not gate.applies():
            return real(self, *args)
        self.acquire()
        try:
            return watched(self, *args)
        finally:
            self.release()

    return access


def _reader(gate: Gate, read: Callable[..., Any]) -> Callable[..., Any]:
    def get(self: Any, *at: Any) -> Any:
        return gate.take(Verb.READ, _key(self), lambda: read(self._obj, *at), label=safe_text)

    return get


def _value_writer(gate: Gate) -> Callable[..., Any]:
    def set_value(self: Any, new: Any) -> None:
        gate.give(Verb.WRITE, _key(self), detail=safe_text(new))
        self._obj.value = new

    return set_value


def _array_writer(gate: Gate) -> Callable[..., Any]:
    def set_item(self: Any, at: Any, new: Any) -> None:
        whole = list(self._obj)
        with contextlib.suppress(Exception):  # the real one will say what is wrong
            whole[at] = new
        gate.give(Verb.WRITE, _key(self), detail=safe_text(whole))
        self._obj[at] = new

    return set_item


def _make_lock_silently(gate: Gate, maker: str) -> None:
    """The lock inside a Value or an Array is a part of it, not a primitive of its own."""
    real = getattr(sharedctypes, maker)

    @unseen
    @functools.wraps(real)
    def make(typecode: Any, *args: Any, lock: Any = True, ctx: Any = None) -> Any:
        if lock in (True, None) and gate.applies():
            with gate.silence():
                lock = (ctx or sharedctypes.get_context()).RLock()
        return real(typecode, *args, lock=lock, ctx=ctx)

    setattr(sharedctypes, maker, make)
