"""The way of a process of the program into a run, and the last thing it does there."""

from __future__ import annotations

import atexit
import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncsim.instrument.gate import Gate

_gate: Gate | None = None

#: The exit code of the main process, once it is known.
exit_code = 0


def _leave() -> None:
    """The process says that it ends."""
    if _gate is not None and _gate.applies():
        # The program may have put anything there, or nothing; Python itself complains in a moment.
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        _gate.give(Verb.EXIT, "", "exit", str(exit_code), sited=False)


# What is registered first runs last: after multiprocessing, which registers when it is
# imported, has flushed the queues and joined the children.
atexit.register(_leave)

from syncsim import wire  # noqa: E402
from syncsim.core.operation import Verb  # noqa: E402
from syncsim.instrument import probes  # noqa: E402
from syncsim.instrument.gate import Gate  # noqa: E402


def join_run(directory: str) -> Gate | None:
    """Instrument this process for the run in that directory; None where it is over."""
    global _gate
    try:
        _gate = Gate(directory)
    except OSError:  # the run is over: nobody watches
        return None
    _gate.write(wire.Joined(_gate.pid))
    probes.install(_gate)
    return _gate


def hide_prelude() -> None:
    """Let a traceback quote of the command of a new interpreter only what was not put before it.

    (From 3.13 on the lines of ``python -c`` are quoted.  Blanks keep the columns.)
    """
    linecache = sys.modules.get("linecache")
    for name in ("cache", "_interactive_cache"):  # the second is where 3.13.1 and later have it
        kept = getattr(linecache, name, {})
        for key, entry in list(kept.items()):
            if len(entry) != 4 or not entry[2]:
                continue
            prelude, call, command = entry[2][0].partition("child.hide_prelude(); ")
            if call:
                blanks = " " * len((prelude + call).encode())
                kept[key] = (*entry[:2], [blanks + command, *entry[2][1:]], entry[3])
