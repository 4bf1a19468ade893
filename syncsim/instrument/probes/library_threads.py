"""The library's own threads behind a Pool or an executor: what they are given is counted.

The counts say when such a thread is at rest (see ``real.interpreter.library_threads``); its end is
an outcome that one can wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate


class Slot:
    """An attribute of a class of the library: what is put there is first made ready for us.

    ``ready`` gets the object and the value, and answers what is put there instead.
    """

    def __init__(self, name: str, ready: Callable[[Any, Any], Any]) -> None:
        self._name = name
        self._ready = ready

    def __get__(self, obj: Any, cls: Any = None) -> Any:
        """Act as an attribute of the object."""
        if obj is None:
            return self
        try:
            return vars(obj)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, obj: Any, value: Any) -> None:
        """Act as an attribute of the object."""
        vars(obj)[self._name] = self._ready(obj, value)


def look_after(gate: Gate, thread: Any, name: str) -> None:
    """The thread, not started yet, becomes a helper of that name; to join it is an operation.

    It is over when it says so: a moment later it would be by chance whether it is alive.  In a
    forked copy of the process there is no such thread.
    """
    owner = gate.pid
    real_run, real_join, real_is_alive = thread.run, thread.join, thread.is_alive
    over = known_to_be_over = False

    def run() -> None:
        nonlocal over
        if not gate.active:
            real_run()
            return
        gate.threads.help(name)
        try:
            real_run()
        finally:
            over = True
            gate.write(wire.Dealt(gate.pid, gate.here.tid, name, -1))

    def is_alive() -> bool:
        return not over and real_is_alive()

    def join(timeout: float | None = None) -> None:
        nonlocal known_to_be_over
        elsewhere = gate.pid != owner
        if known_to_be_over or elsewhere or not gate.applies() or gate.here.library:
            real_join(timeout)
            return
        gate.take(
            Verb.AWAIT,
            name,
            lambda: real_join(timeout),
            timeout=timeout,
            block=timeout is None or timeout > 0,
        )
        known_to_be_over = timeout is None

    if gate.applies():
        gate.write(wire.Helper(gate.pid, name))
        thread.run, thread.join, thread.is_alive = run, join, is_alive


def rest(gate: Gate) -> None:
    """A helper is going to wait for the next thing."""
    helper = gate.here.helper
    if helper is not None:
        gate.threads.dealt(helper)


def took(gate: Gate) -> None:
    """A helper has something to deal with."""
    helper = gate.here.helper
    if helper is not None:
        helper.dealt += 1


def count_messages(gate: Gate, reader: Any, writer: Any, name: str) -> None:
    """Each message through that pipe is given to the helper, and dealt with once it is received.

    (A forked copy of the process has the pipe, too.)
    """
    owner = gate.pid
    real_send, real_receive = writer.send_bytes, reader.recv_bytes

    def send_bytes(*args: Any) -> None:
        if gate.active:
            gate.write(wire.Gave(gate.pid if gate.pid == owner else 0, name))
        real_send(*args)

    def recv_bytes(*args: Any) -> Any:
        message = real_receive(*args)
        took(gate)
        return message

    writer.send_bytes, reader.recv_bytes = send_bytes, recv_bytes


def hide(reader: Any, writer: Any, *locks: Any) -> None:
    """A pipe that only helpers share, and its locks, are let alone."""
    for end in (reader, writer):
        for name in ("_syncsim_in", "_syncsim_out", "_syncsim_pipe"):
            vars(end).pop(name, None)
    for lock in locks:
        lock._semlock.watched = False
