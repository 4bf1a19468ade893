"""How one run of real processes is conducted just now; all its parts look here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Conduct:
    """Whether the gates are shut, how long one waits, and when anything happened last."""

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
