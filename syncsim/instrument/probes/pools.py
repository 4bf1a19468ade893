"""Pools: jobs that are handed over, tasks that travel to workers, results that come back.

The Pool's three threads are helpers (see ``library_threads``): the one that starts workers is given
the ends of workers and notices, the one for tasks what is in the task queue, the one for results
what the workers send.  ``ThreadPool`` is let alone.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from syncsim import wire
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import Underway, making, report
from syncsim.instrument.probes.library import pool, queues
from syncsim.instrument.probes.library_threads import (
    Slot,
    count_messages,
    hide,
    look_after,
    rest,
    took,
)
from syncsim.instrument.probes.outcome_events import OutcomeEvent, settle, submit
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.presence import expect, put_in_place
from syncsim.instrument.probes.semlock import part
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.program.safe_text import safe_text
from syncsim.program.tasks import call_text, each_text, task_text

#: What is kept with a Pool, its results and its workers: the Pool's id, and its work's name.
_ID, _WORK = "_syncsim_pool", "_syncsim_work"
_HANDLERS = (Role.WORKER_HANDLER, Role.TASK_HANDLER, Role.RESULT_HANDLER)


def install(gate: Gate) -> None:
    """Introduces the Pool, its workers and its results."""
    for wrap, blind in (
        (_introduce, "pools are not seen"),
        (_watch_threads, "when the threads of a pool are at rest is not known"),
        (_watch_results, "who waits for the result of a pool is not seen"),
        (_mark_calls, "what a pool is asked for is seen in part"),
        (_wrap_worker, "what the workers of a pool do is not seen"),
    ):
        put_in_place(gate, wrap, blind)


def _wrap_worker(gate: Gate) -> None:
    wrap_worker(gate, pool, "worker", "Pool", _task_of, _is_failure)


def names_of(results: Any) -> tuple[str, str]:
    """The id of the Pool, and the name of its work, by the queue of its results; or nothing."""
    out = getattr(getattr(results, "_writer", None), "_syncsim_out", "")
    return (f"pool {out}", f"work {out}") if out else ("", "")


def _introduce(gate: Gate) -> None:
    real_init, real_setup = pool.Pool.__init__, pool.Pool._setup_queues
    expect(real_setup, "_inqueue", "_outqueue", "_quick_put", "_quick_get")

    @unseen
    @functools.wraps(real_init)
    def init(self: Any, processes: Any = None, *args: Any, **keywords: Any) -> None:
        if not gate.applies():
            real_init(self, processes, *args, **keywords)
            return
        self._syncsim_size = processes
        with making(gate):
            real_init(self, processes, *args, **keywords)

    def setup(self: Any) -> None:
        real_setup(self)
        # (A context of the program's own may make other queues: then the Pool runs as it is.)
        ours = isinstance(self._outqueue, queues.SimpleQueue)
        if ours and gate.applies() and gate.here.making:
            identity, work = names_of(self._outqueue)
            vars(self).update({_ID: identity, _WORK: work})
            size = self._syncsim_size
            parts = pool_parts(work, self._inqueue, self._outqueue, _HANDLERS)
            report(gate, identity, "Pool", parts, os.cpu_count() if size is None else size)
            _watch_tasks(gate, self, work)
            self._quick_get = _counted(gate, self._quick_get)

    pool.Pool.__init__, pool.Pool._setup_queues = init, setup
    pool.Pool._syncsim_id = lambda self: vars(self).get(_ID, "")


def pool_parts(work: str, tasks: Any, results: Any, handlers: tuple[Role, ...]) -> list[Part]:
    """The parts that a Pool and an executor have in common."""
    return [
        Part(Role.WORK, work, "work"),
        Part(Role.TASKS, tasks._writer._syncsim_out, "channel"),
        part(Role.GET_LOCK, tasks._rlock),
        Part(Role.RESULTS, results._writer._syncsim_out, "channel"),
        part(Role.PUT_LOCK, results._wlock),
        *(Part(role, f"{work} {role}", "outcome") for role in handlers),
    ]


def _watch_tasks(gate: Gate, self: Any, work: str) -> None:
    """Take what the thread for tasks sends to the workers as in line from now on."""
    real_put = self._quick_put

    def quick_put(task: Any) -> None:
        if task is not None and gate.active:
            job, i, *call = task
            gate.note(Verb.QUEUE, work, detail=f"{job}.{i} {task_text(*call)}")
        real_put(task)

    self._quick_put = quick_put


def _counted(gate: Gate, real: Callable[[], Any]) -> Callable[[], Any]:
    """To ask for the next thing is to have dealt with those before."""

    def get() -> Any:
        rest(gate)
        thing = real()
        took(gate)
        return thing

    return get


class _TaskQueue:
    """The queue from the program to the Pool's thread for tasks, which counts."""

    def __init__(self, gate: Gate, real: Any, handler: str) -> None:
        self._gate = gate
        self._real = real
        self._handler = handler
        self.get = _counted(gate, real.get)

    def put(self, item: Any) -> None:
        """Do as the real one does."""
        if self._gate.active:
            self._gate.write(wire.Gave(self._gate.pid, self._handler))
        self._real.put(item)


@contextmanager
def employing(gate: Gate, work: str) -> Iterator[None]:
    """The processes that the current thread starts meanwhile are workers for that work.

    To start one is a step of its own, also in the middle of another call.
    """
    here = gate.here
    call, here.call, here.employer = here.call, None, work
    try:
        yield
    finally:
        here.call, here.employer = call, ""


def _watch_threads(gate: Gate) -> None:
    cls = pool.Pool
    handlers = [f"_{role.replace(' ', '_')}" for role in _HANDLERS]
    made = inspect.unwrap(cls.__init__)
    expect(made, "_taskqueue", "_change_notifier", *handlers)
    real_wait, real_populate = cls._wait_for_updates, cls._repopulate_pool_static

    def task_queue(self: Any, real: Any) -> Any:
        work = vars(self).get(_WORK)
        return _TaskQueue(gate, real, f"{work} task handler") if work else real

    def notifier(self: Any, real: Any) -> Any:
        work = vars(self).get(_WORK)
        hide(real._reader, real._writer, real._rlock, real._wlock)
        if work:
            count_messages(gate, real._reader, real._writer, f"{work} worker handler")
        return real

    def thread(role: str, self: Any, real: Any) -> Any:
        work = vars(self).get(_WORK)
        if work:
            look_after(gate, real, f"{work} {role}")
        return real

    cls._taskqueue = Slot("_taskqueue", task_queue)
    cls._change_notifier = Slot("_change_notifier", notifier)
    for role, name in zip(_HANDLERS, handlers, strict=True):
        setattr(cls, name, Slot(name, functools.partial(thread, role)))

    @functools.wraps(real_wait)
    def wait_for_updates(*args: Any, **keywords: Any) -> None:
        rest(gate)
        real_wait(*args, **keywords)

    @functools.wraps(real_populate)
    def repopulate(
        ctx: Any, make: Any, processes: Any, workers: Any, tasks: Any, results: Any, *args: Any
    ) -> None:
        with employing(gate, names_of(results)[1]):
            real_populate(ctx, make, processes, workers, tasks, results, *args)

    cls._wait_for_updates = staticmethod(wait_for_updates)
    cls._repopulate_pool_static = staticmethod(repopulate)


def _watch_results(gate: Gate) -> None:
    """Each result that can be waited for is an outcome."""
    expect(pool.ApplyResult.__init__, "_event", "_job")
    expect(pool.IMapIterator._set, "_index", "_length")
    real_map, real_next = pool.MapResult.__init__, pool.IMapIterator.next
    for cls in (pool.ApplyResult, pool.IMapIterator):
        cls.__init__ = _submitting(gate, cls.__init__)

    @functools.wraps(real_map)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        real_map(self, *args, **keywords)
        if self._event.is_set() and isinstance(self._event, OutcomeEvent):
            settle(gate, self._event.outcome)  # there was nothing to do

    pool.MapResult.__init__ = init
    iterators = (pool.IMapIterator, pool.IMapUnorderedIterator)
    for cls, method in ((c, m) for m in ("_set", "_set_length") for c in iterators):
        if method in vars(cls):
            setattr(cls, method, _arriving(gate, vars(cls)[method]))

    @unseen
    @functools.wraps(real_next)
    def following(self: Any, timeout: float | None = None) -> Any:
        outcome = vars(self).get("_syncsim_outcome")
        if outcome is None or not gate.applies() or gate.here.library:
            return real_next(self, timeout)
        late = object()
        with Underway(gate, "Pool.next", vars(self)[_ID], self._syncsim_label) as call:
            item = gate.take(
                Verb.AWAIT,
                outcome,
                lambda: real_next(self, timeout),
                detail=self._syncsim_label,
                timeout=timeout,
                block=timeout is None or timeout > 0,
                in_vain=late,
                label=safe_text,
            )
            if item is late:
                item = real_next(self, 0)
            call.result = safe_text(item)
        return item

    pool.IMapIterator.next = pool.IMapIterator.__next__ = following


def _submitting(gate: Gate, real: Any) -> Any:
    @unseen
    @functools.wraps(real)
    def init(self: Any, owner: Any, *args: Any, **keywords: Any) -> None:
        real(self, owner, *args, **keywords)
        work = vars(owner).get(_WORK)
        if not work or not gate.applies():
            return
        call = gate.here.call
        label = call.detail if call is not None else ""
        outcome = f"{work} job {gate.pid} {self._job}"
        vars(self).update(
            {_ID: vars(owner)[_ID], "_syncsim_outcome": outcome, "_syncsim_label": label}
        )
        if hasattr(self, "_event"):
            self._event = OutcomeEvent(gate, outcome, label)
        submit(gate, outcome, label)

    return init


def _arriving(gate: Gate, real: Any) -> Any:
    """Results that come for an iterator: those that can be had now."""

    @functools.wraps(real)
    def arrive(self: Any, *args: Any) -> None:
        outcome = vars(self).get("_syncsim_outcome")
        before = self._index
        real(self, *args)
        if outcome is None:
            return
        if self._index == self._length:
            settle(gate, outcome)
        elif self._index > before:
            settle(gate, outcome, self._index - before)

    return arrive


def _mark_calls(gate: Gate) -> None:
    def one(function: Any, args: Any = (), kwds: Any = None, *_: Any, **__: Any) -> str:
        return call_text(function, args, kwds)

    def many(function: Any, iterable: Any = (), *_: Any, **__: Any) -> str:
        return each_text(function, iterable)

    for name in ("apply", "apply_async"):
        _mark(gate, pool.Pool, name, "Pool", one)
    for name in ("map", "map_async", "starmap", "starmap_async", "imap", "imap_unordered"):
        _mark(gate, pool.Pool, name, "Pool", many)
    for name in ("get", "wait"):
        _mark(gate, pool.ApplyResult, name, "AsyncResult", lambda *_, **__: "")
    real_ready = pool.ApplyResult.ready

    @unseen
    @functools.wraps(real_ready)
    def ready(self: Any) -> Any:
        event = self._event
        if not isinstance(event, OutcomeEvent) or gate.here.call is not None or not gate.applies():
            return real_ready(self)
        with Underway(gate, "AsyncResult.ready", vars(self)[_ID], event.label) as call:
            there = gate.take(
                Verb.VALUE, event.outcome, lambda: real_ready(self), detail=event.label
            )
            call.result = str(there)
        return there

    pool.ApplyResult.ready = ready
    real_join = pool.Pool.join

    @unseen
    @functools.wraps(real_join)
    def join(self: Any) -> None:
        with Underway(gate, "Pool.join", vars(self).get(_ID, "")):
            real_join(self)

    pool.Pool.join = join
    real_end = pool.Pool._terminate_pool.__func__

    @unseen
    @functools.wraps(real_end)
    def end(cls: Any, tasks: Any, calls: Any, results: Any, *args: Any) -> None:
        # Also when nobody calls terminate: at the end of the process, or of the object's life.
        with Underway(gate, "Pool.terminate", names_of(results)[0]):
            real_end(cls, tasks, calls, results, *args)

    pool.Pool._terminate_pool = classmethod(end)
    for name, word in (("close", "closed"), ("terminate", "terminated")):
        setattr(pool.Pool, name, _closing(gate, getattr(pool.Pool, name), name, word))


def _mark(gate: Gate, cls: Any, method: str, title: str, label: Callable[..., str]) -> None:
    real = getattr(cls, method)

    @unseen
    @functools.wraps(real)
    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        identity = vars(self).get(_ID, "")
        if not identity or not gate.applies():
            return real(self, *args, **keywords)
        shown = label(*args, **keywords) or vars(self).get("_syncsim_label", "")
        with Underway(gate, f"{title}.{method}", identity, shown) as doing:
            value = real(self, *args, **keywords)
            doing.result = str(self._event.is_set()) if method == "wait" else safe_text(value)
        return value

    setattr(cls, method, call)


def _closing(gate: Gate, real: Any, name: str, word: str) -> Any:
    @unseen
    @functools.wraps(real)
    def close(self: Any) -> None:
        work = vars(self).get(_WORK, "")
        if not work or not gate.applies() or gate.here.library:
            real(self)
            return
        with Underway(gate, f"Pool.{name}", vars(self)[_ID]):
            gate.give(Verb.SHUT_DOWN, work, name, word)
            real(self)

    return close


def _task_of(item: Any) -> tuple[str, str]:
    job, i, *call = item
    return f"{job}.{i}", task_text(*call)


def _is_failure(result: Any) -> bool:
    return not result[2][0]


def wrap_worker(
    gate: Gate,
    module: Any,
    name: str,
    title: str,
    task_of: Callable[[Any], tuple[str, str]],
    is_failure: Callable[[Any], bool],
) -> None:
    """Make what a worker takes and gives back calls of the Pool, or of the executor.

    ``task_of`` gives the key of what was taken and its call in words.
    """
    real = getattr(module, name)

    @functools.wraps(real)
    def worker(tasks: Any, results: Any, *args: Any, **keywords: Any) -> Any:
        identity, work = names_of(results)
        if identity and gate.applies():
            _employ(gate, tasks, results, title, identity, work, task_of, is_failure)
        return real(tasks, results, *args, **keywords)

    setattr(module, name, worker)


def _employ(
    gate: Gate,
    tasks: Any,
    results: Any,
    title: str,
    identity: str,
    work: str,
    task_of: Callable[[Any], tuple[str, str]],
    is_failure: Callable[[Any], bool],
) -> None:
    real_get, real_put = tasks.get, results.put
    label = ""

    def get(*args: Any, **keywords: Any) -> Any:
        nonlocal label
        with Underway(gate, f"{title}.get", identity) as call:
            item = real_get(*args, **keywords)
            if item is not None:
                key, label = task_of(item)
                gate.note(Verb.BEGIN, work, detail=f"{key} {label}")
            call.result = label if item is not None else "None"
        return item

    def put(result: Any) -> None:
        # An integer: the worker of an executor says that it goes.
        leaves = isinstance(result, int)
        verb = "leave" if leaves else "fail" if is_failure(result) else "put"
        with Underway(gate, f"{title}.{verb}", identity, label):
            real_put(result)

    tasks.get, results.put = get, put
