"""Since when something has been at work: a machine that is busy, or halted, is not its fault."""

from __future__ import annotations

import time
from typing import NamedTuple


class Since(NamedTuple):
    """When it began, in seconds: by the monotonic clock, and of the processor's time."""

    clock: float
    processor: float

    @classmethod
    def now(cls) -> Since:
        """It begins."""
        return cls(time.monotonic(), time.process_time())
