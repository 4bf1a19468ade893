"""Virtual queues: CPython's own ``queues.py`` but for the feeder thread.

The feeder is an actor of the system: ``put`` leaves an item in a buffer, and the feeder moves
it into the pipe whenever it likes.
"""

from __future__ import annotations

import traceback
from typing import Any

from syncsim.core.atoms import Channel
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.program.safe_text import safe_text
from syncsim.virtual.model.data_atoms import UNSENDABLE, Pipe
from syncsim.virtual.process.body import ProcessBody, here
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.calls import introduce, mark
from syncsim.virtual.stdlib.semlock import condition_parts, part, permits


def install(queues: Any, synchronize: Any) -> None:
    """Puts our buffer in the place of the one with a thread, and marks the calls."""
    queue, joinable, simple = queues.Queue, queues.JoinableQueue, queues.SimpleQueue
    queue._reset = _reset
    queue.put, queue.close = _put, _close
    queue._closed = property(lambda self: _name(self) in here().state.closed)
    queue.join_thread, queue.cancel_join_thread = _join_thread, _cancel_join_thread
    joinable.put = _put_joinable
    most = synchronize.SEM_VALUE_MAX

    def size(self: Any) -> int | None:
        return None if self._maxsize >= most else self._maxsize

    def simple_parts(self: Any) -> dict[str, Any]:
        return {
            Role.ITEMS: (_name(self), Channel(), Pipe()),
            Role.GET_LOCK: part(self._rlock),
            Role.PUT_LOCK: part(self._wlock),
        }

    def queue_parts(self: Any) -> dict[str, Any]:
        return {Role.SLOTS: permits(self._sem), **simple_parts(self)}

    def joinable_parts(self: Any) -> dict[str, Any]:
        unfinished = part(self._unfinished_tasks)
        return {**queue_parts(self), Role.UNFINISHED: unfinished, **condition_parts(self._cond)}

    introduce(queue, _id, queue_parts, size)
    introduce(joinable, _id, joinable_parts, size)
    introduce(simple, _id, simple_parts)
    for cls in (queue, joinable, simple):
        mark(cls, "put", argument=_first)
    for cls, method, label in (
        (queue, "get", safe_text),
        (queue, "empty", str),
        (queue, "full", str),
        (queue, "qsize", str),
        (joinable, "task_done", str),
        (joinable, "join", str),
        (simple, "get", safe_text),
    ):
        mark(cls, method, label=label)
    queues._ForkingPickler = pickling


def _first(item: Any, *_: Any) -> str:
    return safe_text(item)


def _name(queue: Any) -> str:
    name: str = queue._writer.outbox
    return name


def _id(queue: Any) -> str:
    return f"queue {_name(queue)}"


def _reset(self: Any, after_fork: bool = False) -> None:
    self._recv_bytes = lambda: self._reader._recv_bytes().getvalue()
    self._poll = lambda timeout=0.0: self._reader._poll(timeout)


def _check_open(self: Any) -> None:
    if self._closed:
        raise ValueError(f"Queue {self!r} is closed")


def _take_slot(self: Any, block: bool, timeout: float | None) -> None:
    from queue import Full

    _check_open(self)
    if not self._sem.acquire(block, timeout):
        raise Full


def _buffer(self: Any, item: Any) -> None:
    body = here()
    name = _name(self)
    try:
        with body.beside():
            message = pickling.dumps(item)
    except Exception:
        # The feeder is who notices, and nobody hears of it.
        body.wrote("stderr", "Traceback (most recent call last):\n" + traceback.format_exc(0))
        message = UNSENDABLE + self._sem._semlock.key.encode()
    if name not in body.state.fed:
        body.state.fed.append(name)
    body.operate(Verb.PUT, name, payload=message, detail=safe_text(item), inner=True)


def _put(self: Any, obj: Any, block: bool = True, timeout: float | None = None) -> None:
    _take_slot(self, block, timeout)
    _buffer(self, obj)


def _put_joinable(self: Any, obj: Any, block: bool = True, timeout: float | None = None) -> None:
    _take_slot(self, block, timeout)
    with self._cond:
        _buffer(self, obj)
        self._unfinished_tasks.release()


def _close(self: Any) -> None:
    here().state.closed.add(_name(self))


def _join_thread(self: Any) -> None:
    assert self._closed, f"Queue {self!r} not closed"
    flush(here(), _name(self))


def _cancel_join_thread(self: Any) -> None:
    here().state.cancelled.add(_name(self))


def flush(body: ProcessBody, name: str) -> None:
    """Wait until all that the process put is in the pipe."""
    if name in body.state.fed and name not in body.state.cancelled:
        body.state.fed.remove(name)
        body.operate(Verb.FLUSH, name, name="Queue.flush")
