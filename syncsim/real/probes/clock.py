"""The clock: ``time.sleep`` is a step that takes real time only in free running."""

from __future__ import annotations

import functools
import sys
import time

from syncsim.core.operation import Verb
from syncsim.real.gate import Gate
from syncsim.real.probes.unseen import unseen


def install(gate: Gate) -> None:
    """Wraps ``time.sleep`` for the program; the library's own sleeps stay as they are."""
    real = time.sleep

    @unseen
    @functools.wraps(real)
    def sleep(seconds: float, /) -> None:
        if (
            not gate.applies()
            or not isinstance(seconds, int | float)
            or seconds < 0
            or gate.is_library(sys._getframe(2).f_code)
        ):
            real(seconds)
            return

        if gate.shut:
            gate.give(Verb.SLEEP, "", "sleep", f"{seconds:g}")
        else:
            gate.take(Verb.SLEEP, "", lambda: real(seconds), "sleep", f"{seconds:g}")

    vars(time)["sleep"] = sleep
