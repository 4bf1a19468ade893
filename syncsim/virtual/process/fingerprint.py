"""Fingerprints of suspended processes: all on which the future of one depends, as a hashable value.

Two processes with equal fingerprints do the same from there on, so a loop that comes back to
where it was is a loop in the automaton too, and a program that never ends has finitely many
states.  A fingerprint holds, for each frame, the place in the code, the variables, and what
the interpreter has on its stack (the iterator of a ``for``); besides, the global variables of
the program and what belongs to the process itself.  Where anything cannot be read, there is
none, and the places stay apart: never the other way round.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import is_
from types import FrameType, ModuleType
from typing import Any

from msgspec import Struct

from syncsim.core.operation import Operation, Verb
from syncsim.virtual.process.canonical_form import CanonicalWriter
from syncsim.virtual.process.frames import UnknownError, can_read


class Written(Struct, frozen=True, cache_hash=True):
    """Objects in canonical form, whose hash is asked for more than once."""

    values: tuple[Hashable, ...]


class Image(Struct, frozen=True, cache_hash=True):
    """A process in the middle of its code: global variables, frames, what it has besides."""

    memory: Written
    stacks: tuple[Hashable, ...]
    own: Hashable


class Fingerprint(Struct, frozen=True, cache_hash=True):
    """The identity of a suspended process; equal, and hashed, by all fields.

    ``asks`` and ``payload`` are the operation that it asks for, ``beside`` those of its library
    threads.  Of a process that has nothing left to run, the ``image`` is what it has besides.
    """

    asks: Operation | Verb
    payload: Hashable
    beside: tuple[Hashable, ...]
    image: Hashable


class Fingerprints:
    """Those of one process, which is the same in much from one operation to the next."""

    def __init__(self) -> None:
        self._memory: _Memory | None = None

    def of(
        self,
        stacks: Iterable[tuple[FrameType | None, bool]],
        modules: dict[str, ModuleType],
        itself: Any,
        own: Hashable,
    ) -> Image | None:
        """That of the process with those stacks; None where there is none.

        Each is given by its innermost frame, and whether C code has called none of its frames but
        the library's.  ``itself`` is what the program knows of the process; ``own`` is what
        belongs to it besides its memory.
        """
        if not can_read():
            return None
        try:
            memory = self._memory
            if memory is None or memory.is_changed(modules, itself):
                memory = self._memory = _Memory(modules, itself)
            writer = memory.writer.after()
            for innermost, trusted in stacks:
                writer.stack(innermost, trusted=trusted)
            image = Image(memory.print, tuple(writer.written), own)
            hash(image)
            return image
        except (UnknownError, TypeError, RecursionError):
            return None


def _written(modules: dict[str, ModuleType]) -> CanonicalWriter:
    writer = CanonicalWriter({module.__name__ for module in modules.values()})
    for name, module in modules.items():
        if name != "__mp_main__":  # (which is the main one)
            writer.module(module)
    return writer


class _Memory:
    """The objects that the program's modules and ``itself`` lead to, written down."""

    def __init__(self, modules: dict[str, ModuleType], itself: Any) -> None:
        self._roots = (itself, *modules, *modules.values())
        self.writer = _written(modules)
        self.writer.write(itself)
        self.print = Written(tuple(self.writer.written))

    def is_changed(self, modules: dict[str, ModuleType], itself: Any) -> bool:
        """Return whether the memory may be another by now."""
        roots, watched = (itself, *modules, *modules.values()), self.writer.watched
        if watched is None or len(roots) != len(self._roots):
            return True
        return not all(map(is_, roots, self._roots)) or any(one.is_changed() for one in watched)


def image_of(modules: dict[str, ModuleType]) -> Hashable | None:
    """All that is in those modules of the program; None where that cannot be said."""
    try:
        return tuple(_written(modules).written)
    except (UnknownError, TypeError, RecursionError):
        return None
