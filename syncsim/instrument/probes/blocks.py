"""Shared memory with a name: the life of each block, and the cells of a ``ShareableList``.

What a program does with the bytes (``buf``) is not seen.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from typing import Any

from syncsim import wire
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import report
from syncsim.instrument.probes.on_import import when_imported
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.presence import put_in_place
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import safe_text


def install(gate: Gate) -> None:
    """Wrap ``multiprocessing.shared_memory`` as soon as somebody imports it."""

    def wrap(shared_memory: Any) -> None:
        for part, name in ((_wrap_blocks, "SharedMemory"), (_wrap_lists, "ShareableList")):
            lay = functools.partial(_wrap, part, shared_memory, name)
            put_in_place(gate, lay, f"what is done to a {name} is not seen")

    when_imported("multiprocessing.shared_memory", wrap)


def _wrap(part: Callable[[Gate, Any], None], module: Any, name: str, gate: Gate) -> None:
    part(gate, getattr(module, name))


def _key(block: Any) -> str:
    return f"block {block._name}"


def _wrap_blocks(gate: Gate, cls: Any) -> None:
    real_init, real_del = cls.__init__, cls.__del__
    real_close, real_unlink = cls.close, cls.unlink

    @unseen
    @functools.wraps(real_init)
    def init(
        self: Any, name: str | None = None, create: bool = False, size: int = 0, **keywords: Any
    ) -> None:
        def go() -> None:
            real_init(self, name, create, size, **keywords)

        if create:
            go()
            _note_made(gate, self)
            if gate.applies() and not gate.here.library:
                report(gate, _key(self), "SharedMemory", [_part(self)])
        else:
            _open(gate, go, name)

    @unseen
    @functools.wraps(real_close)
    def close(self: Any) -> None:
        if self._mmap is None or not gate.applies() or gate.here.library:
            real_close(self)
        else:
            gate.take(Verb.CLOSE, _key(self), lambda: real_close(self), "SharedMemory.close")

    @functools.wraps(real_del)
    def delete(self: Any) -> None:
        # By the garbage collector: no line of the program asks for it.
        with gate.silence():
            real_del(self)

    @unseen
    @functools.wraps(real_unlink)
    def unlink(self: Any) -> None:
        key = _key(self)
        if not gate.applies():
            real_unlink(self)
        elif gate.here.library:  # the server of a SharedMemoryManager
            real_unlink(self)
            gate.note(Verb.UNLINK, key, "SharedMemory.unlink")
        else:
            gate.take(Verb.UNLINK, key, lambda: real_unlink(self), "SharedMemory.unlink")
        with contextlib.suppress(OSError):
            os.unlink(_file(gate, self))

    cls.__init__, cls.__del__, cls.close, cls.unlink = init, delete, close, unlink


def _part(block: Any) -> Part:
    return Part(Role.BLOCK, _key(block), "block", block.size)


def _file(gate: Gate, block: Any) -> str:
    return os.path.join(gate.directory, wire.BLOCK + block._name.lstrip("/"))


def _note_made(gate: Gate, block: Any) -> None:
    """Let the end of the run clear away what the program's own end would."""
    if gate.active and getattr(block, "_track", True):
        with contextlib.suppress(OSError):
            os.close(os.open(_file(gate, block), os.O_CREAT | os.O_WRONLY, 0o600))


def _open(gate: Gate, go: Any, name: str | None) -> None:
    key = f"block /{name}"
    if gate.applies() and not gate.here.library:
        gate.take(Verb.OPEN, key, go, "SharedMemory.open")
        return
    go()
    if not gate.active:  # a new interpreter unpickles it before its process begins
        gate.before_birth.append(lambda: gate.note(Verb.OPEN, key, "SharedMemory.open"))


def _wrap_lists(gate: Gate, cls: Any) -> None:
    real_init, real_get, real_set = cls.__init__, cls.__getitem__, cls.__setitem__
    cls._syncsim_id = lambda cells: _key(cells.shm)

    @unseen
    @functools.wraps(real_init)
    def init(self: Any, sequence: Any = None, *, name: str | None = None) -> None:
        def go() -> None:
            with gate.silence():
                real_init(self, sequence, name=name)

        if name is not None and sequence is None:
            _open(gate, go, name)
            return
        go()
        if gate.applies() and not gate.here.library:
            with gate.silence():
                text = safe_text(list(self))
            cells = Part(Role.VALUE, _cells(self), "cell", text=text)
            report(gate, _key(self.shm), "ShareableList", [cells, _part(self.shm)])

    @unseen
    @functools.wraps(real_get)
    def get(self: Any, position: int) -> Any:
        if not gate.applies():
            return real_get(self, position)
        return gate.take(
            Verb.READ,
            _cells(self),
            lambda: real_get(self, position),
            "ShareableList.get",
            safe_text(position),
            label=safe_text,
        )

    @unseen
    @functools.wraps(real_set)
    def put(self: Any, position: int, value: Any) -> None:
        if gate.applies() and _fits(self, position, value):
            with gate.silence():
                whole = list(self)
            whole[position] = value
            gate.give(Verb.WRITE, _cells(self), "ShareableList.set", safe_text(whole))
        real_set(self, position, value)

    cls.__init__, cls.__getitem__, cls.__setitem__ = init, get, put


def _cells(cells: Any) -> str:
    return f"cells {cells.shm._name}"


def _fits(cells: Any, position: Any, value: Any) -> bool:
    """Return whether the value can be set there; else the real one will say what is wrong."""
    if not isinstance(position, int) or not -len(cells) <= position < len(cells):
        return False
    if not isinstance(value, (str, bytes)):
        return type(value) in cells._types_mapping
    start, end = cells._allocated_offsets[position % len(cells) :][:2]
    raw = value.encode() if isinstance(value, str) else value
    return len(raw) <= int(end - start)
