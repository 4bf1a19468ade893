"""Shared memory without a lock: ``RawValue``, ``RawArray``, and what is inside the others.

What is in shared memory is an object of ctypes, whose class is C: it gets a class of its own,
derived from that, whose accesses go through the gate.  In free running nothing orders them:
what is recorded there is only about when it happened.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Callable
from typing import Any

from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import report
from syncsim.instrument.probes.library import sharedctypes
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import safe_text

_SIMPLE: Any = ctypes.c_int.__mro__[1]
_seen: dict[Any, Any] = {}


def install(gate: Gate) -> None:
    """Has everything made in shared memory be of a class that is seen."""
    real_rebuild, real_reduce = sharedctypes.rebuild_ctype, sharedctypes.reduce_ctype

    @functools.wraps(real_rebuild)
    def rebuild_ctype(type_: Any, wrapper: Any, length: int | None) -> Any:
        whole = type_ if length is None else type_ * length
        return real_rebuild(_class(gate, whole), wrapper, None)

    @functools.wraps(real_reduce)
    def reduce_ctype(obj: Any) -> Any:
        function, (type_, *rest) = real_reduce(obj)
        return function, (getattr(type_, "_syncsim_plain", type_), *rest)

    sharedctypes.rebuild_ctype, sharedctypes.reduce_ctype = rebuild_ctype, reduce_ctype
    for name in ("RawValue", "RawArray"):
        _introduce(gate, name)
    # What reads and writes the fields of a structure is made by exec.
    real_property = sharedctypes.make_property

    @functools.wraps(real_property)
    def make_property(name: str) -> Any:
        made = real_property(name)
        gate.code.claim(made.fget.__code__)
        gate.code.claim(made.fset.__code__)
        return made

    sharedctypes.make_property = make_property


def key_of(obj: Any) -> str:
    """Return what names a piece of shared memory in every process: its file and offset."""
    key: str | None = vars(obj).get("_syncsim_key")
    if key is None:
        (arena, start, _), _ = obj._wrapper._state
        key = vars(obj)["_syncsim_key"] = f"cell:{os.fstat(arena.fd).st_ino}+{start}"
    return key


def text_of(obj: Any) -> str:
    """Return what is in it; of a structure only what it is."""
    plain = getattr(type(obj), "_syncsim_plain", type(obj))
    gate: Gate | None = getattr(type(obj), "_syncsim_gate", None)
    with gate.silence() if gate else contextlib.nullcontext():
        if issubclass(plain, _SIMPLE):
            return safe_text(obj.value)
        if issubclass(plain, ctypes.Array):
            return safe_text(obj.value if hasattr(obj, "value") else obj[:9])
    return f"‹{plain.__name__}›"


def _introduce(gate: Gate, name: str) -> None:
    """A raw value that the program makes is a primitive."""
    real = getattr(sharedctypes, name)

    @unseen
    @functools.wraps(real)
    def make(*args: Any, **keywords: Any) -> Any:
        if not gate.applies():
            return real(*args, **keywords)
        with gate.silence():
            obj = real(*args, **keywords)
        parts = [Part(Role.VALUE, key_of(obj), "cell", text=text_of(obj))]
        report(gate, f"memory {key_of(obj)}", name, parts)
        return obj

    setattr(sharedctypes, name, make)


def _class(gate: Gate, plain: Any) -> Any:
    """The class derived from ``plain`` whose accesses are seen; a structure's fields are not."""
    if hasattr(plain, "_syncsim_plain") or not issubclass(plain, (_SIMPLE, ctypes.Array)):
        return plain
    made = _seen.get(plain)
    if made is None:
        is_array = issubclass(plain, ctypes.Array)
        names = {
            "_syncsim_plain": plain,
            "_syncsim_gate": gate,
            "_syncsim_id": lambda obj: f"memory {key_of(obj)}",
            "__module__": plain.__module__,
            "__qualname__": plain.__qualname__,
        }
        kind = "RawArray" if is_array else "RawValue"
        if is_array:
            names["__getitem__"] = _reader(gate, kind, plain.__getitem__)
            names["__setitem__"] = _writer(gate, kind, plain.__setitem__)
        else:
            names["__repr__"] = lambda obj: f"{plain.__name__}({obj.value!r})"
        made = _seen[plain] = type(plain)(plain.__name__, (plain,), names)
        for name in ("value", "raw"):  # (an array of characters has got its own meanwhile)
            field = getattr(plain, name, None)
            if field is not None:
                seen = (_reader(gate, kind, field.__get__), _writer(gate, kind, field.__set__))
                setattr(made, name, property(*seen))
    return made


def _is_shared(gate: Gate, obj: Any) -> bool:
    return hasattr(obj, "_wrapper") and gate.applies()


def _reader(gate: Gate, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
    @unseen
    def get(self: Any, *at: Any) -> Any:
        if not _is_shared(gate, self):
            return real(self, *at)
        where = ", ".join(map(safe_text, at))
        return gate.take(
            Verb.READ,
            key_of(self),
            lambda: real(self, *at),
            f"{kind}.get" if at else f"{kind}.read",
            where,
            label=safe_text,
        )

    return get


def _writer(gate: Gate, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
    @unseen
    def put(self: Any, *args: Any) -> None:
        if not _is_shared(gate, self):
            real(self, *args)
            return
        *at, new = args
        text = safe_text(new)
        if at:
            with gate.silence():
                text = safe_text(_with(self[:100], at[0], new))
        gate.give(Verb.WRITE, key_of(self), f"{kind}.set", text)
        real(self, *args)

    return put


def _with(whole: Any, at: Any, new: Any) -> Any:
    """The beginning of an array as it will be; as it is where the real one will complain."""
    items = [whole[n : n + 1] for n in range(len(whole))] if type(whole) in (str, bytes) else whole
    with contextlib.suppress(Exception):
        items[at] = new
        return type(whole)().join(items) if items is not whole else items
    return whole
