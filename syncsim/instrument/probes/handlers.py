"""Signals of the program: a handler may run while its process waits at its gate."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.presence import put_in_place
from syncsim.instrument.probes.tracebacks import is_ours, unseen


def install(gate: Gate) -> None:
    """Wrap what sets a handler, and what sends a signal."""
    for wrap, blind in (
        (_wrap_signal, "a handler may confuse what is seen of its process"),
        (_wrap_kill, "who sends a signal is not seen"),
        (_wrap_alarms, "who asks for an alarm is not seen"),
    ):
        put_in_place(gate, wrap, blind)


class _Handler:
    """A handler of the program, called so that the gate is not confused."""

    def __init__(self, gate: Gate, own: Callable[[int, FrameType | None], Any]) -> None:
        self._gate = gate
        self.own = own

    @unseen
    def __call__(self, number: int, frame: FrameType | None) -> Any:
        if self._gate.here.waiting is not None:  # above where it waits there is code of ours
            while frame is not None and not is_ours(frame.f_code):
                frame = frame.f_back
        while frame is not None and is_ours(frame.f_code):
            frame = frame.f_back
        with self._gate.interrupted():
            return self.own(number, frame)


def _own(handler: Any) -> Any:
    return handler.own if isinstance(handler, _Handler) else handler


def _wrap_signal(gate: Gate) -> None:
    real_set, real_get = signal.signal, signal.getsignal

    @unseen
    @functools.wraps(real_set)
    def set_handler(signalnum: Any, handler: Any) -> Any:
        return _own(real_set(signalnum, _Handler(gate, handler) if callable(handler) else handler))

    @unseen
    @functools.wraps(real_get)
    def getsignal(signalnum: Any) -> Any:
        return _own(real_get(signalnum))

    vars(signal)["signal"], vars(signal)["getsignal"] = set_handler, getsignal


def _wrap_kill(gate: Gate) -> None:
    """``os.kill`` of one process, by the program itself, is an operation on its life."""
    real = os.kill

    @unseen
    @functools.wraps(real)
    def kill(pid: Any, signal_: Any, /) -> None:
        number = signal_ if isinstance(signal_, int) else 0
        known = isinstance(pid, int) and pid > 0 and number in _TOLD and gate.applies()
        if known and not gate.code.is_asked_by_library(2):
            gate.give(Verb.TERMINATE, str(pid), "os.kill", signal.Signals(number).name)
        real(pid, signal_)

    vars(os)["kill"] = kill


def _wrap_alarms(gate: Gate) -> None:
    for name in ("alarm", "setitimer"):
        _wrap_alarm(gate, name)


def _wrap_alarm(gate: Gate, name: str) -> None:
    """Tell of alarms: without a handler, a process that waits is ended by its own."""
    real = getattr(signal, name)

    @unseen
    @functools.wraps(real)
    def ask(*args: Any) -> Any:
        seconds = args[1:2] if name == "setitimer" else args[:1]
        if gate.active and seconds and (name == "alarm" or args[0] == signal.ITIMER_REAL):
            gate.write(wire.Alarm(gate.pid, asked=bool(seconds[0])))
        return real(*args)

    vars(signal)[name] = ask


#: The signals that halt, continue, interrupt or end a process.
_TOLD = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGCONT)
