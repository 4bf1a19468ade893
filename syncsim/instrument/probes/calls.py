"""Calls and creations: what the program's author sees of a primitive."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from syncsim import wire
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.instrument.threads import Call


def mark(
    gate: Gate,
    cls: Any,
    method: str,
    *,
    name: str = "",
    label: Callable[[Any], str] = str,
    argument: Callable[..., str] = lambda *_: "",
    watched: Callable[[Any], bool] = lambda _: True,
) -> None:
    """Make a public method a call: its operations belong to it, and its return is recorded.

    ``name`` is how the call is shown, if not ``Class.method``; ``label`` gives its result as
    text, ``argument`` what is to be shown of its arguments; what is not ``watched`` is let alone.
    """
    original = getattr(cls, method)
    title = name or f"{cls.__name__}.{method}"

    @unseen
    @functools.wraps(original)
    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        if not gate.applies() or gate.here.call is not None or gate.here.library:
            return original(self, *args, **keywords)
        if not watched(self):
            return original(self, *args, **keywords)
        here = gate.here
        shown = argument(*args) if args else ""
        here.call = Call(title, type(self)._syncsim_id(self), gate.code.user_frame(), shown)
        result = ""
        try:
            value = original(self, *args, **keywords)
            result = label(value)
            return value
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            here.call = None
            gate.write(wire.Back(gate.pid, here.tid, result))

    setattr(cls, method, call)


class Underway:
    """A call under way: the current thread's operations are its parts, ``result`` is its result.

    Inside another call it adds nothing.
    """

    __slots__ = ("_call", "_gate", "result")

    def __init__(self, gate: Gate, title: str, primitive: str, shown: str = "") -> None:
        self.result = ""
        self._gate = gate
        self._call: Call | None = None
        here = gate.here
        if gate.applies() and here.call is None and not here.library:
            self._call = Call(title, primitive, gate.code.user_frame(), shown)

    def __enter__(self) -> Underway:
        if self._call is not None:
            self._gate.here.call = self._call
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._call is not None:
            gate = self._gate
            gate.here.call = None
            result = self.result if kind is None else kind.__name__
            gate.write(wire.Back(gate.pid, gate.here.tid, result))


@contextmanager
def making(gate: Gate) -> Iterator[None]:
    """Take what the current thread makes meanwhile for parts of another primitive."""
    here = gate.here
    before, here.making = here.making, True
    try:
        yield
    finally:
        here.making = before


def introduce(
    gate: Gate,
    cls: Any,
    identify: Callable[[Any], str],
    parts: Callable[[Any], list[Part]],
    capacity: Callable[[Any], int | None] = lambda _: None,
    kind: str = "",
) -> None:
    """Record each creation of a ``cls`` by the program, not those inside other primitives.

    ``identify`` gives the id that the primitive has in every process; the other functions are
    asked once it is made.
    """
    original = cls.__init__
    cls._syncsim_id = identify
    kind = kind or cls.__name__

    @unseen
    @functools.wraps(original)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        # A subclass of ours (JoinableQueue of Queue) records itself.
        if not gate.applies() or gate.here.making or type(self)._syncsim_id is not identify:
            original(self, *args, **keywords)
            return
        with gate.silence():
            original(self, *args, **keywords)
        report(gate, identify(self), kind, parts(self), capacity(self))

    cls.__init__ = init


def report(
    gate: Gate, identity: str, kind: str, parts: list[Part], capacity: int | None = None
) -> None:
    """Record the primitive that the program is creating in the current call."""
    frame = gate.code.user_frame()
    file, position = "", (0, 0, 0, 0)
    if frame is not None:
        file = frame.f_code.co_filename
        line, end_line, column, end_column = (
            number or 0 for number in list(frame.f_code.co_positions())[frame.f_lasti // 2]
        )
        position = (line, column, end_line, end_column)
    for part in parts:
        gate.write(wire.Part(gate.pid, identity, *part))
    gate.write(wire.Made(gate.pid, identity, kind, capacity, file, *position))
