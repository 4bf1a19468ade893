"""The queues: an item is put into a buffer, sent by the feeder thread, and received."""

from __future__ import annotations

import collections
import os
from typing import Any

from syncsim.core.operation import Verb
from syncsim.real import wire
from syncsim.real.gate import Gate
from syncsim.real.probes.calls import introduce, mark
from syncsim.real.probes.library import connection, queues, synchronize
from syncsim.real.probes.semlock import part
from syncsim.real.safe import safe_text


def install(gate: Gate) -> None:
    """Introduces the queues and lets their pipes go through the gate."""
    for queue in (queues.Queue, queues.JoinableQueue):
        introduce(gate, queue, _id, _queue_parts, _size)
        mark(gate, queue, "put", argument=_first)
    introduce(gate, queues.SimpleQueue, _id, _simple_parts)
    mark(gate, queues.SimpleQueue, "put", argument=_first)
    for cls, method, label in (
        (queues.Queue, "get", safe_text),
        (queues.Queue, "empty", str),
        (queues.Queue, "full", str),
        (queues.Queue, "qsize", str),
        (queues.JoinableQueue, "task_done", str),
        (queues.JoinableQueue, "join", str),
        (queues.SimpleQueue, "get", safe_text),
    ):
        mark(gate, cls, method, label=label)
    _Buffer.gate = gate
    _claim_pipes()
    _gate_pipes(gate)
    _gate_flush(gate)


def _first(item: Any, *_: Any) -> str:
    return safe_text(item)


def _id(queue: Any) -> str:
    return f"queue {_key(queue._writer)}"


def _size(queue: Any) -> int | None:
    size: int = queue._maxsize
    return None if size >= synchronize.SEM_VALUE_MAX else size


def _simple_parts(queue: Any) -> list[wire.Part]:
    return [
        wire.Part("items", _key(queue._writer), "channel"),
        part("get lock", queue._rlock),
        part("put lock", queue._wlock),
    ]


def _queue_parts(queue: Any) -> list[wire.Part]:
    return [part("slots", queue._sem), *_simple_parts(queue)]


def _key(end: Any) -> str:
    """What names a pipe in every process: the number of its file."""
    key: str | None = getattr(end, "_syncsim_key", None)
    if key is None:
        key = end._syncsim_key = f"pipe:{os.fstat(end.fileno()).st_ino}"
    return key


class _Buffer(collections.deque[Any]):
    """The buffer between ``Queue.put`` and the feeder thread: what is appended is recorded.

    ``unsent`` counts what is not wholly in the pipe.
    """

    __slots__ = ("channel", "unsent")
    gate: Gate

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.channel = channel
        self.unsent = 0

    def append(self, item: Any) -> None:
        """Appends what was put, or the sentinel that ends the feeder."""
        if item is not queues._sentinel and self.gate.applies():
            self.unsent += 1
            self.gate.note(Verb.PUT, self.channel, detail=safe_text(item))
        super().append(item)


def _claim_pipes() -> None:
    """Marks the pipe of each queue as one, also in a process that has unpickled the queue."""
    real_reset = queues.Queue._reset
    real_init, real_setstate = queues.SimpleQueue.__init__, queues.SimpleQueue.__setstate__

    def claim(queue: Any) -> None:
        for end in (queue._reader, queue._writer):
            end._syncsim_queue = True
            _key(end)

    def reset(self: Any, after_fork: bool = False) -> None:
        real_reset(self, after_fork)
        claim(self)
        self._buffer = self._writer._syncsim_buffer = _Buffer(_key(self._writer))

    def init(self: Any, *args: Any, **keywords: Any) -> None:
        real_init(self, *args, **keywords)
        claim(self)

    def setstate(self: Any, state: Any) -> None:
        real_setstate(self, state)
        claim(self)

    queues.Queue._reset = reset
    queues.SimpleQueue.__init__, queues.SimpleQueue.__setstate__ = init, setstate


def _gate_pipes(gate: Gate) -> None:
    cls = connection.Connection
    real_send, real_receive, real_poll = cls._send_bytes, cls._recv_bytes, cls._poll

    def watched(end: Any) -> bool:
        return getattr(end, "_syncsim_queue", False) and gate.applies()

    def send(self: Any, buf: Any) -> None:
        if not watched(self):
            real_send(self, buf)
            return
        gate.note(Verb.SEND, _key(self))
        real_send(self, buf)  # blocks in the middle when the pipe is full
        gate.note(Verb.SENT, _key(self))
        buffer = getattr(self, "_syncsim_buffer", None)
        if buffer is not None:
            buffer.unsent -= 1

    def receive(self: Any, maxsize: int | None = None) -> Any:
        if not watched(self):
            return real_receive(self, maxsize)
        return gate.take(
            Verb.RECEIVE, _key(self), lambda: real_receive(self, maxsize), label=lambda _: ""
        )

    def poll(self: Any, timeout: float | None) -> Any:
        if not watched(self):
            return real_poll(self, timeout)
        waits = timeout is None or timeout > 0
        return gate.take(
            Verb.POLL,
            _key(self),
            lambda: real_poll(self, timeout),
            timeout=timeout if waits else None,
            block=waits,
            in_vain=False,
        )

    cls._send_bytes, cls._recv_bytes, cls._poll = send, receive, poll


def _gate_flush(gate: Gate) -> None:
    """A process that ends waits until its feeder thread has sent everything."""
    real_start, real_join = queues.Queue._start_thread, queues.Queue._finalize_join

    def start_thread(self: Any) -> None:
        real_start(self)
        self._thread._syncsim_buffer = self._buffer

    def finalize_join(reference: Any) -> None:
        buffer = getattr(reference(), "_syncsim_buffer", None)
        if buffer is None or not buffer.unsent or not gate.applies():
            real_join(reference)
        else:
            gate.take(Verb.FLUSH, buffer.channel, lambda: real_join(reference), "Queue.flush")

    queues.Queue._start_thread = start_thread
    queues.Queue._finalize_join = staticmethod(finalize_join)
