"""Shared memory: each read or write of a ``Value`` or ``Array`` is an operation of its own.

It is recorded inside the lock that comes with it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import introduce, mark
from syncsim.instrument.probes.library import sharedctypes
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.raw_memory import key_of, text_of
from syncsim.instrument.probes.semlock import part
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import safe_text


def install(gate: Gate) -> None:
    """Introduces ``Value`` and ``Array`` and lets their accesses go through the gate."""
    value, array = sharedctypes.Synchronized, sharedctypes.SynchronizedArray
    for cls, kind in ((value, "Value"), (array, "Array")):
        introduce(gate, cls, lambda self: f"memory {key_of(self._obj)}", _parts, kind=kind)
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


def _parts(memory: Any) -> list[Part]:
    obj = memory._obj
    return [Part(Role.VALUE, key_of(obj), "cell", text=text_of(obj)), part(Role.LOCK, memory._lock)]


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
        def real() -> Any:
            with gate.silence():
                return read(self._obj, *at)

        return gate.take(Verb.READ, key_of(self._obj), real, label=safe_text)

    return get


def _value_writer(gate: Gate) -> Callable[..., Any]:
    def set_value(self: Any, new: Any) -> None:
        gate.give(Verb.WRITE, key_of(self._obj), detail=safe_text(new))
        with gate.silence():
            self._obj.value = new

    return set_value


def _array_writer(gate: Gate) -> Callable[..., Any]:
    def set_item(self: Any, at: Any, new: Any) -> None:
        with gate.silence():
            whole = list(self._obj)
            with contextlib.suppress(Exception):  # the real one will say what is wrong
                whole[at] = new
        gate.give(Verb.WRITE, key_of(self._obj), detail=safe_text(whole))
        with gate.silence():
            self._obj[at] = new

    return set_item


def _make_lock_silently(gate: Gate, maker: str) -> None:
    """The lock inside a Value or an Array is a part of it, not a primitive of its own."""
    real = getattr(sharedctypes, maker)

    @unseen
    @functools.wraps(real)
    def make(typecode: Any, *args: Any, lock: Any = True, ctx: Any = None) -> Any:
        if lock is False or not gate.applies():
            return real(typecode, *args, lock=lock, ctx=ctx)
        with gate.silence():
            if lock in (True, None):
                lock = (ctx or sharedctypes.get_context()).RLock()
            raw = getattr(sharedctypes, f"Raw{maker}")(typecode, *args)
        if not hasattr(lock, "acquire"):
            raise AttributeError(f"{lock!r} has no method 'acquire'")
        return sharedctypes.synchronized(raw, lock, ctx=ctx)

    setattr(sharedctypes, maker, make)
