"""Pipes and queues: an item is put into a buffer, sent by the feeder thread, and received."""

from __future__ import annotations

import collections
import functools
import os
from typing import Any

from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import introduce, mark, report
from syncsim.instrument.probes.library import connection, queues, reduction, synchronize
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.presence import expect, put_in_place
from syncsim.instrument.probes.semlock import condition_parts, part
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import safe_text


def install(gate: Gate) -> None:
    """Introduces pipes and queues and lets them go through the gate."""
    _claim_queues()
    introduce(gate, queues.Queue, _id, _queue_parts, _size)
    introduce(gate, queues.JoinableQueue, _id, _joinable_parts, _size)
    for queue in (queues.Queue, queues.JoinableQueue):
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
    for wrap, blind in (
        (_gate_connections, "what goes through pipes is not seen"),
        (_gate_flush, "who waits until its items are sent is not seen"),
        (_introduce_pipes, "pipes are not seen"),
    ):
        put_in_place(gate, wrap, blind)


def _first(item: Any, *_: Any) -> str:
    return safe_text(item)


def _id(queue: Any) -> str:
    return f"queue {getattr(queue._writer, '_syncsim_out', '')}"


def _size(queue: Any) -> int | None:
    size: int = queue._maxsize
    return None if size >= synchronize.SEM_VALUE_MAX else size


def _simple_parts(queue: Any) -> list[Part]:
    return [
        Part(Role.ITEMS, queue._writer._syncsim_out, "channel"),
        part(Role.GET_LOCK, queue._rlock),
        part(Role.PUT_LOCK, queue._wlock),
    ]


def _queue_parts(queue: Any) -> list[Part]:
    return [part(Role.SLOTS, queue._sem), *_simple_parts(queue)]


def _joinable_parts(queue: Any) -> list[Part]:
    unfinished = part(Role.UNFINISHED, queue._unfinished_tasks)
    return [*_queue_parts(queue), unfinished, *condition_parts(queue._cond)]


def _inbox(end: Any) -> str:
    """Return the number of this end's file, by which every process knows what it receives."""
    return f"pipe:{os.fstat(end.fileno()).st_ino}"


def _is_claimed(end: Any) -> bool:
    return hasattr(end, "_syncsim_in")


def _claim(reader: Any, writer: Any) -> None:
    """Has two ends of one pipe watched; the names are kept because an end may be closed."""
    reader._syncsim_in = reader._syncsim_out = _inbox(reader)
    writer._syncsim_in = writer._syncsim_out = reader._syncsim_in


class _Buffer(collections.deque[Any]):
    """The buffer between ``Queue.put`` and the feeder thread: what is appended is recorded.

    ``used`` says whether this process has ever put something.
    """

    __slots__ = ("channel", "used")
    gate: Gate

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.channel = channel
        self.used = False

    def append(self, item: Any) -> None:
        """Appends what was put, or the sentinel that ends the feeder."""
        if item is not queues._sentinel and self.gate.applies():
            self.used = True
            self.gate.give(Verb.PUT, self.channel, detail=safe_text(item), inner=True)
        super().append(item)

    def popleft(self) -> Any:
        """Give the feeder what it is to send next; says so where there is nothing."""
        try:
            item = super().popleft()
        except IndexError:
            self.gate.rest()
            raise
        if item is queues._sentinel:  # the last one: the feeder ends
            self.gate.rest()
        return item


def _claim_queues() -> None:
    """Has the pipe of each queue watched, also in a process that has unpickled the queue."""
    expect(queues.Queue.put, "_buffer")
    expect(queues.Queue.__init__, "_reset", "_reader", "_writer", "_wlock")
    real_reset = queues.Queue._reset
    real_init, real_setstate = queues.SimpleQueue.__init__, queues.SimpleQueue.__setstate__

    def reset(self: Any, after_fork: bool = False) -> None:
        real_reset(self, after_fork)
        if not after_fork:
            _claim(self._reader, self._writer)
            self._wlock._semlock.hide()
        self._buffer = _Buffer(self._writer._syncsim_out)

    def init(self: Any, *args: Any, **keywords: Any) -> None:
        real_init(self, *args, **keywords)
        _claim(self._reader, self._writer)

    def setstate(self: Any, state: Any) -> None:
        real_setstate(self, state)
        _claim(self._reader, self._writer)

    queues.Queue._reset = reset
    queues.SimpleQueue.__init__, queues.SimpleQueue.__setstate__ = init, setstate


def _gate_connections(gate: Gate) -> None:
    cls = connection.Connection
    real_send, real_receive, real_poll = cls._send_bytes, cls._recv_bytes, cls._poll

    def watched(end: Any) -> bool:
        return _is_claimed(end) and gate.applies()

    @unseen
    def send(self: Any, buf: Any) -> None:
        if not watched(self):
            real_send(self, buf)
            return
        out, call = self._syncsim_out, gate.here.call
        # To send through a Pipe is a step of its own; a queue's put has had its turn already.
        inner = call is None or not call.name.startswith("Connection.")
        gate.give(Verb.SEND, out, detail=call.detail if call else "", inner=inner)
        real_send(self, buf)  # blocks in the middle when the pipe is full
        gate.note(Verb.SENT, out)

    @unseen
    def receive(self: Any, maxsize: int | None = None) -> Any:
        if not watched(self):
            return real_receive(self, maxsize)
        return gate.take(
            Verb.RECEIVE,
            self._syncsim_in,
            lambda: real_receive(self, maxsize),
            label=lambda _: "",
            ready=lambda: real_poll(self, 0),
        )

    @unseen
    def poll(self: Any, timeout: float | None) -> Any:
        if not watched(self):
            return real_poll(self, timeout)
        waits = timeout is None or timeout > 0
        return gate.take(
            Verb.POLL,
            self._syncsim_in,
            lambda: real_poll(self, timeout),
            timeout=timeout if waits else None,
            block=waits,
            in_vain=False,
            ready=lambda: real_poll(self, 0),
        )

    cls._send_bytes, cls._recv_bytes, cls._poll = send, receive, poll


def _introduce_pipes(gate: Gate) -> None:
    """A pipe that the program makes is a primitive; its ends are known wherever they go."""
    cls = connection.Connection
    cls._syncsim_id = lambda end: getattr(end, "_syncsim_pipe", "")
    for method in ("send", "send_bytes"):
        mark(gate, cls, method, argument=_first, watched=_is_claimed)
    for method in ("recv", "recv_bytes", "poll"):
        mark(gate, cls, method, label=safe_text, watched=_is_claimed)
    real_pipe, real_reduce = connection.Pipe, connection.reduce_connection

    @functools.wraps(real_pipe)
    def pipe(duplex: bool = True) -> tuple[Any, Any]:
        first, second = real_pipe(duplex)
        if not gate.applies() or gate.here.making:
            return first, second
        if duplex:
            first._syncsim_in = second._syncsim_out = _inbox(first)
            second._syncsim_in = first._syncsim_out = _inbox(second)
        else:
            _claim(first, second)
        channels = {Role.ITEMS: second._syncsim_in, Role.ITEMS_BACK: first._syncsim_in}
        first._syncsim_pipe = second._syncsim_pipe = f"both ends of {first._syncsim_in}"
        parts = [
            Part(role, channel, "channel")
            for role, channel in list(channels.items())[: 2 if duplex else 1]
        ]
        report(gate, first._syncsim_pipe, "Pipe", parts)
        return first, second

    def reduce(end: Any) -> Any:
        real = real_reduce(end)
        names = {key: value for key, value in vars(end).items() if key in _PICKLED}
        return (_rebuild, (real, names)) if names else real

    connection.Pipe = pipe
    reduction.register(cls, reduce)


_PICKLED = ("_syncsim_in", "_syncsim_out", "_syncsim_pipe")


def _rebuild(real: tuple[Any, Any], names: dict[str, str]) -> Any:
    function, arguments = real
    end = function(*arguments)
    vars(end).update(names)
    return end


def _gate_flush(gate: Gate) -> None:
    """A process that ends waits until its feeder thread has sent everything."""
    real_start, real_join = queues.Queue._start_thread, queues.Queue._finalize_join
    real_feed = queues.Queue._feed
    expect(real_start, "_finalize_join", "_on_queue_feeder_error")
    feeders: list[Any] = []

    def start_thread(self: Any) -> None:
        complain = self._on_queue_feeder_error

        def on_error(error: Any, item: Any) -> None:
            """The feeder drops an item that cannot be sent, and goes on with the next."""
            try:
                complain(error, item)
            finally:
                gate.rest()

        self._on_queue_feeder_error = on_error
        real_start(self)
        self._thread._syncsim_buffer = self._buffer
        if gate.shut:
            # Kept, so that the flush is always made at the same point of the process's life,
            # and not when the garbage collector happens to find a feeder that is done.
            feeders.append(self._thread)

    def finalize_join(reference: Any) -> None:
        buffer = getattr(reference(), "_syncsim_buffer", None)
        if buffer is None or not buffer.used or not gate.applies():
            real_join(reference)
        else:
            gate.take(Verb.FLUSH, buffer.channel, lambda: real_join(reference), "Queue.flush")

    @functools.wraps(real_feed)
    def feed(buffer: Any, *others: Any) -> None:
        # A feeder that cannot pickle an item while its process ends gives up without a word.
        try:
            real_feed(buffer, *others)
        finally:
            if gate.applies():
                gate.note(Verb.DROP, buffer.channel)

    queues.Queue._feed = staticmethod(feed)
    queues.Queue._start_thread = start_thread
    queues.Queue._finalize_join = staticmethod(finalize_join)
