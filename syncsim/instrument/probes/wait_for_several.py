"""To wait for one of several: ``multiprocessing.connection.wait``, of pipes and of processes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.library import connection, process
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import MARK, safe_text


def install(gate: Gate) -> None:
    """Let the program's own waiting go through the gate; the library's runs as it is."""
    real = connection.wait

    @unseen
    @functools.wraps(real)
    def wait(object_list: Iterable[Any], timeout: float | None = None) -> list[Any]:
        # Two frames above: the one between is ``unseen``.
        asked = gate.applies() and not gate.code.is_asked_by_library(2)
        if not asked or gate.here.library or gate.here.call is not None:
            return real(object_list, timeout)  # type: ignore[no-any-return]
        things = list(object_list)
        if not any(map(_atom, things)):
            return real(things, timeout)  # type: ignore[no-any-return]
        waits = timeout is None or timeout > 0
        names = [_name(thing) for thing in things]

        def label(ready: list[Any]) -> str:
            found = [name for thing, name in zip(things, names, strict=True) if thing in ready]
            return ", ".join(found) or "nothing"

        found: list[Any] = gate.take(
            Verb.WAIT_ANY,
            "".join(f"\n{_atom(thing) or 'something else'}" for thing in things),
            lambda: real(things, timeout),
            "connection.wait",
            ", ".join(names),
            timeout=timeout if waits else None,
            block=waits,
            in_vain=[],
            label=label,
            ready=lambda: bool(real(things, 0)),
        )
        return found

    connection.wait = wait


def _atom(thing: Any) -> str:
    """The pipe, or the pid of the process, that is waited for; empty for anything else."""
    child = _child(thing)
    return str(child.pid) if child else getattr(thing, "_syncsim_in", "")


def _child(thing: Any) -> Any:
    """The child whose sentinel that is."""
    if isinstance(thing, int):
        for child in process._children:
            if child._popen is not None and child.sentinel == thing:
                return child
    return None


def _name(thing: Any) -> str:
    child = _child(thing)
    if child:
        return f"the end of {child.name}"
    return safe_text(thing).replace(f"{MARK}{MARK}", "a connection")
