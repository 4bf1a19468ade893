"""A stopwatch on two clocks: a machine that is busy, or halted, is no fault of the program."""

from __future__ import annotations

import time
from typing import NamedTuple


class Stopwatch(NamedTuple):
    """When it began, in seconds: by the monotonic clock, and of the processor's time."""

    clock: float
    processor: float

    @classmethod
    def now(cls) -> Stopwatch:
        """It begins."""
        return cls(time.monotonic(), time.process_time())
