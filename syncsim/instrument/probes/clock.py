"""The clock: ``time.sleep`` is a step that takes real time only in free running.

So it is with the time that passes in a call of the library that has a timeout in several parts
(``Queue.get``, ``Condition.wait_for``): in controlled running it is what was waited in vain, else
a schedule that takes longer than the timeout would be another run.
"""

from __future__ import annotations

import functools
import time
from types import SimpleNamespace

from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.library import queues, synchronize
from syncsim.instrument.probes.tracebacks import unseen


def install(gate: Gate) -> None:
    """Wrap ``time.sleep`` for the program, and the library's look at the clock."""
    real = time.sleep
    clocks = [(module, module.time.monotonic) for module in (synchronize, queues)]

    @unseen
    @functools.wraps(real)
    def sleep(seconds: float, /) -> None:
        if (
            not gate.applies()
            or not isinstance(seconds, int | float)
            or seconds < 0
            or gate.code.is_asked_by_library(2)
        ):
            real(seconds)
            return

        if gate.feeds:  # it pickles an item that sleeps: nobody steps that
            if not gate.shut:
                real(seconds)
            return
        if gate.shut:
            gate.give(Verb.SLEEP, "", "sleep", f"{seconds:g}")
        else:
            gate.take(Verb.SLEEP, "", lambda: real(seconds), "sleep", f"{seconds:g}")

    vars(time)["sleep"] = sleep
    for module, _ in clocks:
        module.time = SimpleNamespace(monotonic=lambda: _passed(gate))


def _passed(gate: Gate) -> float:
    """Seconds, for the library alone: from the beginning of the call that it is in."""
    now, call = time.monotonic(), gate.here.call
    if call is None:
        return now
    if not gate.shut and call.looked:
        call.patience += now - call.looked
    call.looked = now
    return call.patience
