"""The conduct of one run of real processes at the moment, shared by all its parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Conduct:
    """The state of the gates, the patience of a run, and the time of its last news."""

    #: Whether each process waits at its gate before an operation.
    controlled: bool
    #: Seconds after which an outstanding report is given up on.
    patience: float
    #: Asked while waiting for a quiet point, and before reading: whether to hear no more.
    interrupted: Callable[[], bool] = lambda: False
    #: When something was reported, or done to a process, by the monotonic clock.
    last_news: float = field(default_factory=time.monotonic)

    def note_news(self) -> None:
        """Note that something has happened just now."""
        self.last_news = time.monotonic()

    def is_late(self, deadline: float | None) -> bool:
        """Return whether to wait no more: by the deadline, or because it is interrupted."""
        return self.interrupted() or (deadline is not None and time.monotonic() > deadline)
