"""``concurrent.futures.ProcessPoolExecutor``: drawn and stepped like a Pool.

Its one thread is a helper (see ``library_threads``): it is given every wake-up, every result, and
the end of every worker.  A future is an outcome; so is what ``as_completed`` and ``wait`` wait for.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import signal
from collections.abc import Callable
from itertools import count
from typing import Any

from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import Underway, making, report
from syncsim.instrument.probes.library import connection, futures, futures_process
from syncsim.instrument.probes.library_threads import (
    Slot,
    count_messages,
    hide,
    look_after,
    rest,
    took,
)
from syncsim.instrument.probes.on_import import when_imported
from syncsim.instrument.probes.outcome_events import RepeatedEvent, settle, submit
from syncsim.instrument.probes.pools import employing, names_of, pool_parts, wrap_worker
from syncsim.instrument.probes.presence import expect, put_in_place
from syncsim.instrument.probes.semlock import part
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import safe_text
from syncsim.program.tasks import each_text, task_text

_NAME = "ProcessPoolExecutor"
_HANDLER = Role.WORKER_HANDLER


class _Job:
    """A note kept with a future: its executor's id and work, its task and its outcome."""

    __slots__ = ("identity", "key", "label", "outcome", "work")

    def __init__(self, identity: str, work: str, key: str, label: str, outcome: str) -> None:
        self.identity = identity
        self.work = work
        self.key = key
        self.label = label
        self.outcome = outcome


def install(gate: Gate) -> None:
    """Introduce the executor, its workers and its futures, as soon as somebody imports them."""
    blind = "the order of a set of futures may be another each time"
    when_imported("concurrent.futures._base", lambda _: put_in_place(gate, _number_futures, blind))
    when_imported("concurrent.futures.process", lambda _: _install(gate))


def _install(gate: Gate) -> None:
    for wrap, blind in (
        (_introduce, "executors are not seen"),
        (_watch_thread, "when the thread of an executor is at rest is not known"),
        (_watch_the_end, "how a broken executor ends its workers may be another each time"),
        (_watch_calls, "what an executor is asked for is not seen"),
        (_watch_futures, "who waits for a future is not seen"),
        (_watch_waiters, "who waits for several futures is not seen"),
        (_wrap_worker, "what the workers of an executor do is not seen"),
    ):
        put_in_place(gate, wrap, blind)


def _wrap_worker(gate: Gate) -> None:
    wrap_worker(gate, futures_process, "_process_worker", _NAME, _task_of, _is_failure)


def _introduce(gate: Gate) -> None:
    cls = futures_process.ProcessPoolExecutor
    real = cls.__init__
    expect(real, "_executor_manager_thread", "_executor_manager_thread_wakeup")
    expect(real, "_result_queue", "_call_queue", "_max_workers")

    @unseen
    @functools.wraps(real)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        if not gate.applies():
            real(self, *args, **keywords)
            return
        with making(gate):
            real(self, *args, **keywords)
        identity, work = names_of(self._result_queue)
        parts = pool_parts(work, self._call_queue, self._result_queue, (_HANDLER,))
        # Tasks go through a Queue, whose feeder has a lock that is none of the results'.
        parts.append(part(Role.SLOTS, self._call_queue._sem))
        parts.append(part(Role.SEND_LOCK, self._call_queue._wlock))
        report(gate, identity, _NAME, parts, self._max_workers)
        self._syncsim = identity, work
        wakeup = self._executor_manager_thread_wakeup
        hide(wakeup._reader, wakeup._writer)
        count_messages(gate, wakeup._reader, wakeup._writer, f"{work} {_HANDLER}")

    cls.__init__ = init
    cls._syncsim_id = lambda self: _names(self)[0]


def _names(executor: Any) -> tuple[str, str]:
    found: tuple[str, str] = vars(executor).get("_syncsim", ("", ""))
    return found


def _watch_thread(gate: Gate) -> None:
    def thread(self: Any, real: Any) -> Any:
        _, work = _names(self)
        if work and real is not None:
            look_after(gate, real, f"{work} {_HANDLER}")
        return real

    cls, manager = futures_process.ProcessPoolExecutor, futures_process._ExecutorManagerThread
    real_wait, real_spawn = manager.wait_result_broken_or_wakeup, cls._spawn_process
    cls._executor_manager_thread = Slot("_executor_manager_thread", thread)

    @functools.wraps(real_wait)
    def wait(self: Any) -> Any:
        rest(gate)
        found = real_wait(self)
        if found[0] is not None:
            took(gate)
        return found

    @unseen
    @functools.wraps(real_spawn)
    def spawn(self: Any) -> None:
        with employing(gate, _names(self)[1]):
            real_spawn(self)

    manager.wait_result_broken_or_wakeup, cls._spawn_process = wait, spawn


def _watch_the_end(gate: Gate) -> None:
    """In controlled running those that a broken executor terminates are as good as dead.

    (Before 3.12 it tells who is still alive right afterwards to leave: by chance this one or that.)
    Who ignores SIGTERM is told to leave without asking again and again whether there is room.
    """
    manager = futures_process._ExecutorManagerThread
    real_end, real_stop = manager.terminate_broken, manager.shutdown_workers

    @functools.wraps(real_end)
    def end(self: Any, *why: Any) -> None:  # (from 3.14 on it is given words, too)
        self._syncsim_broken = True
        real_end(self, *why)

    @functools.wraps(real_stop)
    def stop_workers(self: Any) -> None:
        if not (gate.shut and vars(self).get("_syncsim_broken")):
            real_stop(self)
            return
        for worker in self.processes.values():
            if _lives_on(worker):
                _tell_to_leave(self.call_queue, worker)

    manager.terminate_broken, manager.shutdown_workers = end, stop_workers


def _lives_on(worker: Any) -> bool:
    """Return whether the worker is not about to end, nor does SIGTERM end it at once."""
    from syncsim.instrument.dispositions import Disposition, disposition  # the others need it never

    if connection.wait([worker.sentinel], 0):
        return False
    return disposition(worker.pid, signal.SIGTERM) is not Disposition.DEFAULT


def _tell_to_leave(tasks: Any, worker: Any) -> None:
    while worker.is_alive():
        with contextlib.suppress(queue.Full):
            tasks.put(None, timeout=0.1)
            return


def _watch_calls(gate: Gate) -> None:
    cls = futures_process.ProcessPoolExecutor
    real_submit, real_map, real_shutdown = cls.submit, cls.map, cls.shutdown
    expect(real_submit, "_queue_count")

    @unseen
    @functools.wraps(real_submit)
    def hand_over(self: Any, function: Any, /, *args: Any, **keywords: Any) -> Any:
        identity, work = _names(self)
        if not work or not gate.applies():
            return real_submit(self, function, *args, **keywords)
        key, label = str(self._queue_count), task_text(function, args, keywords)
        job = _Job(identity, work, key, label, f"{work} job {gate.pid} {key}")
        with Underway(gate, f"{_NAME}.submit", identity, label):
            submit(gate, job.outcome, label)
            gate.note(Verb.QUEUE, work, detail=f"{key} {label}")
            try:
                future = real_submit(self, function, *args, **keywords)
            except BaseException:
                _drop(gate, job)
                raise
            future._syncsim = job
            if future._state in _OVER:  # it was faster than we are
                settle(gate, job.outcome)
            return future

    @unseen
    @functools.wraps(real_map)
    def map_each(self: Any, function: Any, *iterables: Any, **keywords: Any) -> Any:
        items = iterables[0] if len(iterables) == 1 else None
        with Underway(gate, f"{_NAME}.map", _names(self)[0], each_text(function, items)):
            return real_map(self, function, *iterables, **keywords)

    @unseen
    @functools.wraps(real_shutdown)
    def shutdown(self: Any, *args: Any, **keywords: Any) -> None:
        identity, work = _names(self)
        with Underway(gate, f"{_NAME}.shutdown", identity):
            if work and gate.applies() and not gate.here.library:
                gate.give(Verb.SHUT_DOWN, work, "shutdown", "closed")
            real_shutdown(self, *args, **keywords)

    cls.submit, cls.map, cls.shutdown = hand_over, map_each, shutdown


#: The states of a future that nothing comes of any more, by their names.
_OVER = ("CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED")


def _drop(gate: Gate, job: _Job) -> None:
    """The task is not going to be run (or nobody knows any more whether it was)."""
    settle(gate, job.outcome)
    gate.note(Verb.CANCEL, job.work, detail=job.key)


def _job(future: Any) -> _Job | None:
    job: _Job | None = vars(future).get("_syncsim")
    return job


def _number_futures(_: Gate) -> None:
    """A set of futures, as ``as_completed`` makes one, has the same order in each run.

    (By itself it goes by their addresses in memory.)
    """
    cls = futures.Future
    real_init, real_hash = cls.__init__, cls.__hash__
    numbers = count()

    @functools.wraps(real_init)
    def init(self: Any) -> None:
        self._syncsim_number = next(numbers)
        real_init(self)

    def number(self: Any) -> int:
        found: int | None = vars(self).get("_syncsim_number")
        return real_hash(self) if found is None else found

    cls.__init__, cls.__hash__ = init, number


def _watch_futures(gate: Gate) -> None:
    cls = futures.Future
    _ = [getattr(futures, name) for name in _OVER]
    real_result, real_exception, real_cancel = cls.set_result, cls.set_exception, cls.cancel
    real_done = cls.done

    @functools.wraps(real_result)
    def set_result(self: Any, result: Any) -> None:
        job = _job(self)
        if job is not None and gate.applies():
            settle(gate, job.outcome)
        real_result(self, result)

    @functools.wraps(real_exception)
    def set_exception(self: Any, exception: Any) -> None:
        job = _job(self)
        if job is not None and gate.applies():
            if isinstance(exception, futures_process.BrokenProcessPool):
                _drop(gate, job)
            else:
                settle(gate, job.outcome)
        real_exception(self, exception)

    @functools.wraps(real_cancel)
    def cancel(self: Any) -> Any:
        before = self._state
        cancelled = real_cancel(self)
        job = _job(self)
        if cancelled and before not in _OVER and job is not None and gate.applies():
            _drop(gate, job)
        return cancelled

    cls.set_result, cls.set_exception, cls.cancel = set_result, set_exception, cancel
    cls.result = _awaiting(gate, cls.result, "Future.result")
    cls.exception = _awaiting(gate, cls.exception, "Future.exception")

    @unseen
    @functools.wraps(real_done)
    def done(self: Any) -> Any:
        job = _job(self)
        if job is None or gate.here.call is not None or gate.here.library or not gate.applies():
            return real_done(self)
        with Underway(gate, "Future.done", job.identity, job.label) as call:
            there = gate.take(Verb.VALUE, job.outcome, lambda: real_done(self), detail=job.label)
            call.result = str(there)
        return there

    cls.done = done


def _awaiting(gate: Gate, real: Callable[..., Any], title: str) -> Any:
    @unseen
    @functools.wraps(real)
    def wait(self: Any, timeout: float | None = None) -> Any:
        job = _job(self)
        if job is None or not gate.applies() or gate.here.library:
            return real(self, timeout)
        late = object()
        with Underway(gate, title, job.identity, job.label) as call:
            value = gate.take(
                Verb.AWAIT,
                job.outcome,
                lambda: real(self, timeout),
                detail=job.label,
                timeout=timeout,
                block=timeout is None or timeout > 0,
                in_vain=late,
                label=safe_text,
            )
            if value is late:
                value = real(self, 0)
            call.result = safe_text(value)
        return value

    return wait


class _Waiter(RepeatedEvent):
    """The event of those who wait for several futures."""

    def __init__(self, gate: Gate, outcome: str, title: str, identity: str) -> None:
        super().__init__(gate, outcome)
        self._title = title
        self._identity = identity

    def wait(self, timeout: float | None = None) -> bool:
        """Wait; ``as_completed`` looks at the clock, so there the time is spent."""
        with Underway(self._gate, self._title, self._identity):
            there = super().wait(timeout)
        if not there and self._title == "as_completed":
            with self._gate.silence():
                there = super().wait(timeout)
        return there


def _watch_waiters(gate: Gate) -> None:
    real, _ = futures._create_and_install_waiters, futures._AS_COMPLETED
    numbers = count(1)

    @functools.wraps(real)
    def install_waiters(fs: Any, return_when: Any) -> Any:
        waiter = real(fs, return_when)
        jobs = [job for future in fs if (job := _job(future)) is not None]
        if jobs and gate.applies() and not gate.here.library:
            job = jobs[0]
            title = "as_completed" if return_when is futures._AS_COMPLETED else "wait"
            outcome = f"{job.work} waiter {gate.pid} {next(numbers)}"
            event = _Waiter(gate, outcome, title, job.identity)
            # Those who are done already have said so to the event that was there.
            event.clear()
            if waiter.event.is_set():
                event.set()
            waiter.event = event
        return waiter

    futures._create_and_install_waiters = install_waiters


def _task_of(item: Any) -> tuple[str, str]:
    return str(item.work_id), task_text(item.fn, item.args, item.kwargs)


def _is_failure(result: Any) -> bool:
    return result.exception is not None
