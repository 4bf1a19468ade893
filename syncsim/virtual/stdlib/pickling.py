"""Pickling between virtual processes: by value, as between real ones.

What the program defines is found by its name in the memory of the process that unpickles.
What processes share can only be handed over when a process is spawned.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from syncsim.virtual.process.body import here

#: The private modules of the library, by name.
private: dict[str, ModuleType] = {}
#: Where the things are gathered that a process being spawned is given; None: none is.
_given: list[list[Any] | None] = [None]
_shared: dict[str, Any] = {}


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, FunctionType | type):
            module = value.__module__
            if module in here().memory.modules:
                name = value.__qualname__
                found: Any = here().memory.modules[module]
                try:
                    for word in name.split("."):
                        found = getattr(found, word)
                except AttributeError:
                    raise pickle.PicklingError(
                        f"Can't pickle {value!r}: attribute lookup {name} on {module} failed"
                    ) from None
                return _find, (module, name)
            name = value.__name__
            if getattr(private.get(module), name, None) is value:
                return _find_private, (module, name)
        if getattr(type(value), "_syncsim_shared", False):
            return shared(value)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """For what was not pickled here: a name is looked up where this process would find it."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name in here().memory.modules:
            return _find(module_name, global_name)
        if hasattr(private.get(module_name), global_name):
            return _find_private(module_name, global_name)
        return super().find_class(module_name, global_name)


def pickle_module() -> ModuleType:
    """``pickle`` for the program, which knows the classes of the process that it runs in."""
    module = ModuleType("pickle")

    def dump(obj: Any, file: Any, *arguments: Any, **keywords: Any) -> None:
        _Pickler(file, *arguments, **keywords).dump(obj)

    def dumped(obj: Any, *arguments: Any, **keywords: Any) -> bytes:
        dump(obj, buffer := io.BytesIO(), *arguments, **keywords)
        return buffer.getvalue()

    def load(file: Any, **keywords: Any) -> Any:
        return _Unpickler(file, **keywords).load()

    def loaded(data: bytes, /, **keywords: Any) -> Any:
        return load(io.BytesIO(data), **keywords)

    vars(module).update(vars(pickle), Pickler=_Pickler, Unpickler=_Unpickler)
    vars(module).update(dump=dump, dumps=dumped, load=load, loads=loaded)
    return module


def _find(module: str, name: str) -> Any:
    modules = here().memory.modules
    found: Any = modules.get(module) or modules["__main__"]
    for word in name.split("."):
        found = getattr(found, word)
    return found


def _find_private(module: str, name: str) -> Any:
    return getattr(private[module], name)


def shared(value: Any) -> Any:
    """Hand over a thing that processes share: as it is, and only to a new process."""
    given = _given[-1]
    if given is None:
        name = type(value).__name__
        raise RuntimeError(
            f"{name} objects should only be shared between processes through inheritance"
        )
    given.append(value)
    key = str(id(value))
    _shared[key] = value
    return _again, (key,)


def _again(key: str) -> Any:
    return _shared[key]


def dumps(value: Any, reducers: dict[type, Callable[[Any], Any]] | None = None) -> bytes:
    """The value as bytes; raises what pickling raises.  Some types have ``reducers`` there."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    if reducers is not None:
        pickler.dispatch_table = {**copyreg.dispatch_table, **reducers}
    pickler.dump(value)
    return buffer.getvalue()


def dumps_for_spawning(value: Any) -> tuple[bytes, tuple[tuple[str, tuple[bool, bool]], ...]]:
    """The value as bytes for a new process, and the ends of pipes that it gets thereby.

    (An end is the pipe's atom, and whether one can read from it, and write to it.)
    """
    given: list[Any] = []
    _given.append(given)
    try:
        data = dumps(value)
    finally:
        _given.pop()
    ends: dict[str, tuple[bool, bool]] = {}
    for thing in given:
        for end in (thing, getattr(thing, "_reader", None), getattr(thing, "_writer", None)):
            for atom, reader in (
                (getattr(end, "inbox", ""), True),
                (getattr(end, "outbox", ""), False),
            ):
                if atom:
                    before = ends.get(atom, (False, False))
                    ends[atom] = (before[0] or reader, before[1] or not reader)
    return data, tuple(ends.items())


def loads(data: bytes) -> Any:
    """The value again, of the classes that the current process knows."""
    return pickle.loads(data)
