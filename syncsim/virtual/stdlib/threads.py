"""Stand-ins for ``threading`` and ``queue`` in ``pool.py``: see ``library_threads``.

A helper that has to wait gives up the processor; the process itself waits by an operation.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from syncsim.core.operation import Operation, Verb
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import Look, Looked, Noted, Over
from syncsim.virtual.process.body import here
from syncsim.virtual.process.library_threads import LibraryThread


def settle(outcome: str, ready: int | None = None) -> None:
    """The outcome is there; or so many of many are (see ``core.work.TaskOutcome``)."""
    detail = "" if ready is None else str(ready)
    here().events.append(Noted(Operation(Verb.SETTLE, outcome, detail=detail), True))


class Event:
    """A ``threading.Event`` for an outcome."""

    _syncsim_plain = True

    def __init__(self) -> None:
        self.outcome = ""
        self.label = ""
        self._is_set = False

    def is_set(self) -> bool:
        """Do as the real one does."""
        return self._is_set

    def set(self) -> None:
        """Do as the real one does."""
        settle(self.outcome)
        self._is_set = True

    def wait(self, timeout: float | None = None) -> bool:
        """Do as the real one does."""
        body = here()
        if body.helpers.current is not None:
            raise NotVirtualError("a callback of a Pool that waits for a result")
        waits = timeout is None or timeout > 0
        there: bool = body.operate(
            Verb.AWAIT,
            self.outcome,
            name="wait",
            detail=self.label,
            block=waits,
            timeout=timeout,
            ready=self.is_set,
        )
        if not there and timeout:
            body.waited(timeout)
        return there


class Lock:
    """A lock that only helpers and their process share, which never run at once."""

    _syncsim_plain = True

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *args: object) -> None:
        """Nothing."""


class Condition(Lock):
    """For the next of many results: one waits for it by an operation, not here."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def notify(self) -> None:
        """Nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        """In vain."""
        return False


class SimpleQueue:
    """A queue inside the process, out of which helpers take."""

    _syncsim_plain = True

    def __init__(self) -> None:
        self._items: deque[Any] = deque()

    def put(self, item: Any) -> None:
        """Do as the real one does."""
        self._items.append(item)

    def empty(self) -> bool:
        """Do as the real one does."""
        return not self._items

    def get(self) -> Any:
        """Do as the real one does."""
        if not self._items:
            here().helpers.wait(None, self.has_items)
        return self._items.popleft()

    def has_items(self) -> bool:
        """Return whether there is something to get."""
        return bool(self._items)


class Thread:
    """A thread of the library; ``outcome`` is its end, for which others may wait."""

    _syncsim_plain = True

    def __init__(self, target: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        self._target = target
        self._args = args
        self._helper: LibraryThread | None = None
        self._known_to_be_over = False
        self._told = ""
        self.outcome = ""
        self.daemon = False
        self.name = "Thread"

    def start(self) -> None:
        """Do as the real one does."""
        self._helper = here().helpers.begin(self, self._run)

    def _run(self) -> None:
        body = here()
        try:
            self._target(*self._args)
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            body.wrote("stderr", f"Exception in thread {self.name}:\n{text}")
        body.events.append(Over(self.outcome))

    def is_alive(self) -> bool:
        """Do as the real one does."""
        self._look(Look.ENDED)
        return not self._is_over()

    @property
    def _state(self) -> str:
        """Return the order of the Pool to the thread: to run, or to come to its end."""
        self._look(Look.HEEDED)
        return self._told

    @_state.setter
    def _state(self, told: str) -> None:
        self._look(Look.TOLD)
        self._told = told

    def _look(self, look: Look) -> None:
        body = here()
        if (body.helpers.current is not None) is (look is Look.HEEDED):
            body.events.append(Looked(self.outcome, look))

    def _is_over(self) -> bool:
        return not here().helpers.has(self._helper)

    def join(self, timeout: float | None = None) -> None:
        """Do as the real one does."""
        if self._known_to_be_over:
            return
        here().operate(
            Verb.AWAIT,
            self.outcome,
            block=timeout is None or timeout > 0,
            timeout=timeout,
            ready=self._is_over,
        )
        self._known_to_be_over = timeout is None


def current_thread() -> Any:
    """The one that is running; None for the process itself."""
    helper = here().helpers.current
    return helper.thread if helper is not None else None
