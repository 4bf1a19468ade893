"""Objects written down, so that two memories a program can tell apart are written otherwise."""

from __future__ import annotations

import abc
import copyreg
import gc
import threading
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterator
from functools import _lru_cache_wrapper, lru_cache
from io import IOBase
from operator import is_
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

from msgspec import Struct

from syncsim.virtual.process.frames import UnknownError, must_be_plain, name_of, spot_of, stack_of

#: How deep objects may lie in one another.
_DEEP = 60


class _Again:
    """The mark of what was written before: the number of that follows."""


class _OfClass:
    """The mark of an object of Python: its class and its attributes follow."""


class _Reduced:
    """The mark of what is written as it would be pickled."""


class _True:
    """The mark of a truth value."""


class _False:
    """The mark of the other one."""


_NAMES = frozenset((str,))
#: What a function holds that has neither defaults nor attributes.
_NOTHING = (None, None, None)
#: Of the same type, two of these that are equal are the same to every program.
_SIMPLE = frozenset((int, str, bytes, type(None), type(...)))
#: Zero equals its negative, and is another.
_SIGNED = frozenset((float, complex))


class CanonicalWriter:
    """Writes objects down, one after the other; one that comes again is named by its number.

    What is ``written`` is a list of values from which each object could be told: of what holds
    others, how many they are comes first.
    """

    def __init__(self, own: Collection[str]) -> None:
        self.written: list[Any] = []
        #: What could be changed, each with what was in it; None where that is not known of all.
        self.watched: list[Watched] | None = []
        self._own = own
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []
        self._named: dict[int, Hashable] = {}

    def after(self) -> CanonicalWriter:
        """Another one, which knows what this one has written."""
        other = CanonicalWriter(self._own)
        other.watched = None
        other._seen = self._seen.copy()
        other._named = self._named.copy()
        return other

    def _watch(self, value: Any, look: Callable[[Any], tuple[Any, ...]]) -> None:
        if self.watched is not None:
            self.watched.append(Watched(value, look, look(value)))

    def write(self, value: Any, depth: int = 0) -> None:
        """Write one object."""
        self._each((value,), depth)

    def _each(self, values: Collection[Any], depth: int) -> None:
        """Write how many values there are, and each of them."""
        written = self.written
        written.append(len(values))
        for value in values:
            kind: Any = type(value)
            if kind in _SIMPLE:
                written.append(value)
            elif kind is bool:  # (which would equal a number)
                written.append(_True if value else _False)
            elif kind in _SIGNED:
                written += (kind, repr(value))
            elif (number := id(value)) in self._seen:
                written += (_Again, self._seen[number])
            elif number in self._named:
                written.append(self._named[number])
            elif (key := _key_for(kind)) is not None:
                name = self._named[number] = _shared(kind.__name__, key(value))
                self._kept.append(value)
                written.append(name)
            else:
                if depth > _DEEP:
                    raise UnknownError("deep")
                self._seen[number] = len(self._seen)
                self._kept.append(value)
                write = self._writers.get(kind)
                if write is not None:
                    write(self, value, depth + 1)
                else:
                    self._object(value, kind, depth + 1)

    def _tuple(self, value: tuple[Any, ...], depth: int) -> None:
        self.written.append(tuple)
        self._each(value, depth)

    def _list(self, value: list[Any], depth: int) -> None:
        self._watch(value, tuple)
        self.written.append(list)
        self._each(value, depth)

    def _deque(self, value: deque[Any], depth: int) -> None:
        self._watch(value, tuple)
        self.written += (deque, value.maxlen)
        self._each(value, depth)

    def _dict(self, value: dict[Any, Any], depth: int) -> None:
        self._watch(value, _in_dict)
        self.written.append(dict)
        self._named_values(value, depth)

    def _named_values(self, values: dict[Any, Any], depth: int) -> None:
        """Names, or whatever else are the keys, and what they stand for."""
        keys = tuple(values)
        if set(map(type, keys)) <= _NAMES:
            self.written.append(keys)
        else:
            self._each(keys, depth)
        self._each(values.values(), depth)

    def _set(self, value: set[Any] | frozenset[Any], depth: int) -> None:
        if not all(type(item) in _SIMPLE or type(item) in _SIGNED for item in value):
            raise UnknownError("a set of objects")
        self.watched = None
        # In the order in which it is gone through, which hangs on its size, too.
        self.written += (type(value), value.__sizeof__())
        self._each(value, depth)

    def _function(self, value: FunctionType, depth: int) -> None:
        if not (value.__module__ in self._own or value.__closure__ or value.__dict__):
            self.written += (FunctionType, value)  # Python's own, which nobody changes
            return
        self._watch(value, _in_function)
        self.written += (FunctionType, name_of(value.__code__), value.__module__)
        cells: tuple[Any, ...] = value.__closure__ or ()  # (as many as its code wants)
        held = value.__defaults__, value.__kwdefaults__, value.__dict__ or None
        self._each(cells if held == _NOTHING else (*cells, *held), depth)

    def _wrapped(self, value: Any, depth: int) -> None:
        self.written.append(type(value))
        self._each((value.__func__,), depth)

    def _property(self, value: property, depth: int) -> None:
        self.written.append(property)
        self._each((value.fget, value.fset, value.fdel), depth)

    def _cached(self, value: Any, depth: int) -> None:
        info = value.cache_info()
        if info.hits or info.misses:
            raise UnknownError("what is in a cache")
        self.watched = None
        self.written.append(_lru_cache_wrapper)
        self._each((value.__dict__,), depth)

    def _cell(self, value: CellType, depth: int) -> None:
        self._watch(value, _content)
        self.written.append(CellType)
        self._each(_content(value), depth)

    def _method(self, value: MethodType, depth: int) -> None:
        self.written.append(MethodType)
        self._each((value.__func__, value.__self__), depth)

    def _builtin(self, value: Any, depth: int) -> None:
        owner = value.__self__
        of_none = owner is None or isinstance(owner, ModuleType | type)
        self.written += (BuiltinFunctionType, value.__qualname__)
        self._each(() if of_none else (owner,), depth)

    def _code(self, value: CodeType, _: int) -> None:
        self.written += (CodeType, name_of(value))

    def _range(self, value: range, _: int) -> None:
        self.written += (range, value.start, value.stop, value.step)

    def _iterator(self, value: Any, depth: int) -> None:
        _, of, *position = self._pickled(value)
        self.written += (type(value), *position)
        self._each(of, depth)

    def _object(self, value: Any, kind: type, depth: int) -> None:
        if isinstance(value, ModuleType):
            self.written += (ModuleType, value.__name__)
        elif isinstance(value, type):
            self._class(value, depth)
        elif _is_plain(kind):
            self._watch(value, _in_object)
            self.written.append(_OfClass)
            self.write(kind, depth)
            self._named_values(value.__dict__, depth)
        else:
            self._reduced(value, kind, depth)

    def _class(self, value: type, depth: int) -> None:
        """Write the variables of a class of the program; of Python's own, its name."""
        if value.__module__ not in self._own:
            # (Another kind of class may say by itself which are equal.)
            names = value.__module__, value.__qualname__
            name: Hashable = value if type(value) is type else names
            self.written += (type, name)
            return
        self._watch(value, _in_class)
        # From 3.14 on what computes the annotations of a class has its variables in a cell.
        self._seen[id(namespace_of(value))] = self._seen[id(value)]
        self.written += (type, value.__module__, value.__qualname__)
        held = {
            name: item
            for name, item in vars(value).items()
            if not is_pythons(name) or (type(item) is FunctionType and item.__closure__)
        }
        if isinstance(value, abc.ABCMeta):
            # What it keeps in C are caches, and who was registered with it.
            self._watch(value, registered)
            if registered(value):
                raise UnknownError("who is registered with a class")
            held.pop("_abc_impl", None)
        self._each(value.__bases__, depth)
        self._named_values(held, depth)

    def _reduced(self, value: Any, kind: type, depth: int) -> None:
        """Write the value as it would be pickled."""
        if isinstance(value, IOBase) and value.closed:
            self.written += (kind, "closed")
            return
        reduced = self._pickled(value)
        self.written.append(_Reduced)
        self.write(kind, depth)
        if isinstance(reduced, str):
            self.written.append(reduced)
        else:
            # What makes it, of what, and its state; then its items.
            items = [list(part) if isinstance(part, Iterator) else part for part in reduced[3:]]
            self._each((*reduced[:3], *items), depth)

    def _pickled(self, value: Any) -> Any:
        self.watched = None
        try:
            return as_pickled(value)
        except Exception:
            raise UnknownError(type(value).__name__) from None

    def _lock(self, value: Any, _: int) -> None:
        self._watch(value, _is_locked)
        self.written += (type(value), value.locked())

    def _rlock(self, value: Any, _: int) -> None:
        if value._is_owned():
            raise UnknownError("how often a lock is held")
        self._watch(value, _is_owned)
        self.written.append(type(value))

    def _local(self, value: threading.local, depth: int) -> None:
        self._watch(value, _in_object)
        self.written.append(threading.local)
        self._named_values(vars(value), depth)

    def _generator(self, value: GeneratorType[Any, Any, Any], _: int) -> None:
        self.watched = None
        frame = value.gi_frame
        if frame is None:
            self.written += (GeneratorType, "over")
        elif value.gi_running:
            self.written += (GeneratorType, "running", name_of(frame.f_code))
        elif frame.f_lasti < 0:
            self.written += (GeneratorType, "new", name_of(frame.f_code))
            self._variables(frame)
        else:
            raise UnknownError("a generator")

    def _variables(self, frame: FrameType) -> None:
        variables = frame.f_locals
        self.written.append(tuple(variables))
        self._each(variables.values(), 0)

    def stack(self, innermost: FrameType | None, *, trusted: bool) -> None:
        """The frames from the innermost to a root, and what they hold."""
        inner, frame = None, innermost
        while frame is not None:
            spot = spot_of(frame.f_code, frame.f_lasti)
            if spot.is_root:
                break
            if inner is not None and not (trusted or spot.is_library):
                must_be_plain(inner, frame, spot)
            self.written.append(spot.place)
            if spot.under:
                self._each(stack_of(frame, spot), 0)
            if spot.has_variables:
                self._variables(frame)
            inner, frame = frame, frame.f_back
        self.written.append(None)

    def module(self, module: ModuleType) -> None:
        """The variables of a module of the program."""
        self._watch(vars(module), _in_dict)
        held = {
            name: value
            for name, value in vars(module).items()
            if name[:2] != "__" or not is_pythons(name)
        }
        self.written.append(module.__name__)
        self._named_values(held, 0)

    _writers: dict[type, Callable[[CanonicalWriter, Any, int], None]] = {  # noqa: RUF012
        list: _list,
        tuple: _tuple,
        deque: _deque,
        dict: _dict,
        set: _set,
        frozenset: _set,
        FunctionType: _function,
        staticmethod: _wrapped,
        classmethod: _wrapped,
        property: _property,
        _lru_cache_wrapper: _cached,
        CellType: _cell,
        MethodType: _method,
        BuiltinFunctionType: _builtin,
        CodeType: _code,
        GeneratorType: _generator,
        range: _range,
        type(threading.Lock()): _lock,
        type(threading.RLock()): _rlock,
        threading.local: _local,
        **dict.fromkeys(map(type, map(iter, ([], (), range(0), {}))), _iterator),
    }


class Watched(Struct, frozen=True):
    """Something that may be changed, how to look into it, and what was in it.

    What was in it is kept, so that nothing else can have come to its place.
    """

    value: Any
    look: Callable[[Any], tuple[Any, ...]]
    before: tuple[Any, ...]

    def is_changed(self) -> bool:
        """Return whether there is anything else in the value by now."""
        now, before = self.look(self.value), self.before
        return len(now) != len(before) or not all(map(is_, now, before))


def _in_dict(value: dict[Any, Any]) -> tuple[Any, ...]:
    return (*value, *value.values())


def _in_function(value: FunctionType) -> tuple[Any, ...]:
    # (Its attributes are a dict of their own, where there are any.)
    return value.__code__, value.__defaults__, value.__kwdefaults__, value.__dict__ or None


def _in_object(value: Any) -> tuple[Any, ...]:
    return (type(value), *value.__dict__, *value.__dict__.values())


def _in_class(value: type) -> tuple[Any, ...]:
    return (value.__bases__, *vars(value), *vars(value).values())


def namespace_of(value: type) -> dict[str, Any]:
    """Return the variables of the class as the very dict that Python keeps them in."""
    namespace: dict[str, Any]
    (namespace,) = gc.get_referents(vars(value))
    return namespace


def registered(value: type) -> tuple[Any, ...]:
    """Weak references to the classes that were registered with that abstract one."""
    registry, *_ = vars(abc)["_get_dump"](value)  # what CPython's own tests look at it with
    return tuple([one for one in registry if one() is not None])


def _is_locked(lock: Any) -> tuple[Any, ...]:
    return (lock.locked(),)


def _is_owned(lock: Any) -> tuple[Any, ...]:
    return (lock._is_owned(),)


def _content(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def as_pickled(value: Any) -> Any:
    """Return the answer of ``object.__reduce_ex__``: what makes the value, and of what."""
    make = copyreg.dispatch_table.get(type(value))
    return value.__reduce_ex__(4) if make is None else make(value)


def is_pythons(name: str) -> bool:
    """Return whether every module or class may have that name, with a meaning for Python."""
    return name.startswith("__") and name.endswith("__")


@lru_cache(maxsize=1024)
def _key_for(kind: type) -> Callable[[Any], Hashable] | None:
    """Return the function that names shared things of the kind; None if they are none."""
    if not getattr(kind, "_syncsim_shared", False):
        return None
    if kind.__module__.partition(".")[0] in ("multiprocessing", "syncsim"):
        return getattr(kind, "_syncsim_key", _key_of)
    return _key_of  # what the program derives from one may hold more


@lru_cache(maxsize=65536)
def _shared(kind: str, key: Hashable) -> Hashable:
    """A shared thing; as one value, for there may be hundreds in each of thousands of prints."""
    return ("shared", kind, key)


def _key_of(value: Any) -> Hashable:
    """Return a name for a shared thing: the atoms that it is made of."""
    names = []
    for name, item in sorted(getattr(value, "__dict__", {}).items()):
        if isinstance(item, str):
            names.append((name, item))
        elif _key_for(type(item)) is not None:  # type: ignore[arg-type]
            names.append((name, str(_key_of(item))))
    return tuple(names)


class _Plain:
    """An object of Python, to compare with."""


def _layout(kind: type) -> tuple[int, ...]:
    return kind.__basicsize__, kind.__itemsize__, kind.__dictoffset__, kind.__weakrefoffset__


@lru_cache(maxsize=1024)
def _is_plain(kind: type) -> bool:
    """Return whether instances hold nothing but attributes, neither in C nor in slots."""
    return _layout(kind) == _layout(_Plain)
