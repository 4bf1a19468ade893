"""Outcomes: the events inside a process on which it waits for what others do for it."""

from __future__ import annotations

import threading

from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate


class OutcomeEvent(threading.Event):
    """A ``threading.Event`` for an outcome: to wait for it goes through the gate."""

    def __init__(self, gate: Gate, outcome: str, label: str = "") -> None:
        super().__init__()
        self._gate = gate
        self.outcome = outcome
        self.label = label

    def set(self) -> None:
        """Do as the real one does."""
        settle(self._gate, self.outcome)
        super().set()

    def wait(self, timeout: float | None = None) -> bool:
        """Do as the real one does."""
        gate = self._gate
        if not gate.applies() or gate.here.library:
            return super().wait(timeout)
        there: bool = gate.take(
            Verb.AWAIT,
            self.outcome,
            lambda: threading.Event.wait(self, timeout),
            "wait",
            self.label,
            timeout=timeout,
            block=timeout is None or timeout > 0,
            in_vain=False,
        )
        return there


class RepeatedEvent(OutcomeEvent):
    """One that is cleared, and set again."""

    def set(self) -> None:
        """Do as the real one does."""
        if not self.is_set():
            settle(self._gate, self.outcome, 1)
        threading.Event.set(self)

    def clear(self) -> None:
        """Do as the real one does."""
        settle(self._gate, self.outcome, 0)
        super().clear()


def submit(gate: Gate, outcome: str, label: str) -> None:
    """A job is handed over: from now on its outcome can be waited for."""
    gate.give(Verb.SUBMIT, outcome, "submit", label)


def settle(gate: Gate, outcome: str, ready: int | None = None) -> None:
    """The outcome is there; or so many of many are (see ``core.work.TaskOutcome``)."""
    if gate.applies():
        gate.note(Verb.SETTLE, outcome, detail="" if ready is None else str(ready))
