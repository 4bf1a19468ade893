"""Ending runs in the background: a screen never waits for it, and quitting not for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: How long quitting waits, in seconds, for all runs together; the guards end what is left.
PATIENCE = 2.0

_closing: list[threading.Thread] = []


def close_soon(close: Callable[[], None]) -> None:
    """Call ``close`` in a thread of its own, for which nobody has to wait."""
    thread = threading.Thread(target=close, name="closing", daemon=True)
    thread.start()
    _closing[:] = [one for one in _closing if one.is_alive()] + [thread]


def wait_for_closed(seconds: float = PATIENCE) -> None:
    """Wait until all runs have ended, but no longer than that."""
    deadline = time.monotonic() + seconds
    for thread in _closing:
        thread.join(max(0.0, deadline - time.monotonic()))
