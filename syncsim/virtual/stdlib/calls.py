"""Calls and creations: what the program's author sees of a primitive.

The same marks as in the real world, so that a step has the same name in both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from syncsim.core.atoms import Atom
from syncsim.virtual.process.body import here
from syncsim.virtual.process.process_state import Call

Parts = Mapping[str, tuple[str, Atom, Hashable]]


def mark(
    cls: Any,
    method: str,
    *,
    name: str = "",
    label: Callable[[Any], str] = str,
    argument: Callable[..., str] = lambda *_: "",
) -> None:
    """Makes a public method a call: its operations belong to it, and its return is told."""
    original = getattr(cls, method)
    title = name or f"{cls.__name__}.{method}"

    @functools.wraps(original)
    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        body = here()
        if body.state.call is not None or body.state.silent or body.helpers.current is not None:
            return original(self, *args, **keywords)
        shown = argument(*args) if args else ""
        body.state.patience = 0.0
        # (Also on the way to where it was before, which may be in the middle of this call.)
        body.state.call = Call(title, type(self)._syncsim_id(self), body.site(), shown)
        result = ""
        try:
            value = original(self, *args, **keywords)
            if not body.replaying:
                result = label(value)
            return value
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            body.state.call = None
            body.returned(result)

    setattr(cls, method, call)


class Underway:
    """A call that the process is in meanwhile; its result is ``result``.

    Inside another call it adds nothing.
    """

    def __init__(self, title: str, primitive: str, shown: str = "") -> None:
        self.result = ""
        body = here()
        self._call: Call | None = None
        if body.state.call is None and body.helpers.current is None:
            self._call = Call(title, primitive, body.site(), shown)

    def __enter__(self) -> Underway:
        if self._call is not None:
            here().state.call = self._call
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._call is not None:
            body = here()
            body.state.call = None
            body.returned(self.result if kind is None else kind.__name__)


def introduce(
    cls: Any,
    identify: Callable[[Any], str],
    parts: Callable[[Any], Parts],
    capacity: Callable[[Any], int | None] = lambda _: None,
    kind: str = "",
) -> None:
    """Tells of each creation of a ``cls`` by the program, not of those inside other primitives."""
    original = cls.__init__
    cls._syncsim_id = identify
    cls._syncsim_key = identify  # (see ``fingerprint``: what it is made of follows from it)
    cls._syncsim_shared = True
    kind = kind or cls.__name__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        body = here()
        if body.state.silent or type(self)._syncsim_id is not identify:
            original(self, *args, **keywords)
            return
        body.state.silent = True
        try:
            original(self, *args, **keywords)
        finally:
            body.state.silent = False
        body.make(identify(self), kind, dict(parts(self)), capacity(self))

    cls.__init__ = init
