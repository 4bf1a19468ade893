"""Each part of the library that is wrapped was there, or it is said what is not seen for that.

A probe first takes what it wraps and only then puts something in its place: so of a part that
lacks something nothing is wrapped, and the program runs on as it is.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator

from syncsim import wire
from syncsim.instrument.gate import Gate


def put_in_place(gate: Gate, wrap: Callable[[Gate], None], blind: str) -> None:
    """Wrap a part of the library; ``blind`` says what is not seen where something is missing."""
    try:
        wrap(gate)
    except (AttributeError, ImportError) as error:
        gate.write(wire.Missing(gate.pid, f"{_name_of(error)} was not found: {blind}."))


def expect(function: object, *names: str) -> None:
    """Raise AttributeError unless that function of the library uses those names.

    To wrap what it does not use any more would do nothing.
    """
    code = getattr(function, "__code__", None)
    used = set(_names(code)) if isinstance(code, types.CodeType) else set()
    for name in names:
        if name not in used:
            raise AttributeError(f"{name} is not used", name=name, obj=function)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


def _name_of(error: AttributeError | ImportError) -> str:
    owner = getattr(error, "obj", None)
    if not error.name or owner is None:
        return error.name or str(error)
    if isinstance(owner, types.ModuleType):
        return f"{owner.__name__}.{error.name}"
    named = owner if hasattr(owner, "__qualname__") else type(owner)
    where = f"{named.__module__}.{named.__qualname__}"
    return f"{error.name} in {where}" if isinstance(owner, types.FunctionType) else (
        f"{where}.{error.name}"
    )  # fmt: skip
