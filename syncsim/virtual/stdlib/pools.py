"""Pools: CPython's own ``pool.py``, with its three threads as helpers (see ``library_threads``).

The marks are those of ``instrument/probes/pools``, so that a step has the same name in both worlds.
The workers are processes like all others; they run CPython's own ``worker``.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from syncsim.core.atoms import Channel
from syncsim.core.kinds import Role
from syncsim.core.operation import Operation, Verb
from syncsim.core.work import TaskOutcome, Work
from syncsim.program.safe_text import safe_text
from syncsim.program.tasks import call_text, each_text, task_text
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import Meddled, Noted
from syncsim.virtual.model.data_atoms import Pipe
from syncsim.virtual.process.body import ProcessBody, here
from syncsim.virtual.stdlib import threads
from syncsim.virtual.stdlib.calls import Underway
from syncsim.virtual.stdlib.semlock import part

#: What is kept with a Pool and its results: the Pool's id, and its work's name.
_ID, _WORK = "_syncsim_pool", "_syncsim_work"
_HANDLERS = (Role.WORKER_HANDLER, Role.TASK_HANDLER, Role.RESULT_HANDLER)


def stand_ins() -> dict[str, ModuleType]:
    """Return the modules that ``pool.py`` imports in the place of those with their names."""
    threading, queue = ModuleType("threading"), ModuleType("queue")
    names = ("Thread", "Event", "Condition", "Lock", "current_thread")
    vars(threading).update({name: getattr(threads, name) for name in names})
    vars(queue)["SimpleQueue"] = threads.SimpleQueue
    return {"threading": threading, "queue": queue}


def install(pool: Any) -> None:
    """Introduces the Pool, its workers and its results."""
    for cls in (pool.Pool, pool.ApplyResult, pool.IMapIterator):
        cls._syncsim_plain = True
    pool.ThreadPool.__init__ = _refuse_threads
    util = ModuleType("util")
    vars(util).update(vars(pool.util), Finalize=Finalizer)
    pool.util = util
    _introduce(pool)
    _watch_threads(pool)
    _watch_results(pool)
    _mark_calls(pool)
    _employ(pool)


def _refuse_threads(self: Any, *args: Any, **keywords: Any) -> None:
    raise NotVirtualError("multiprocessing.pool.ThreadPool")


def names_of(results: Any) -> tuple[str, str]:
    """The id of the Pool, and the name of its work, by the queue of its results."""
    out = results._writer.outbox
    return f"pool {out}", f"work {out}"


class Finalizer:
    """``util.Finalize``: at the end of the object's life, or at the latest of the process's."""

    _syncsim_shared = True

    def __init__(
        self,
        obj: Any,
        callback: Callable[..., None],
        args: tuple[Any, ...] = (),
        exitpriority: int | None = None,
    ) -> None:
        self._body: ProcessBody = here()
        self._callback = callback
        self._args = args
        self._of = weakref.ref(obj, self._gone)
        self._body.state.finalizers.append(self)

    def __call__(self) -> None:
        """Only once, and not in a forked copy."""
        body = here()
        if self in body.state.finalizers:
            body.state.finalizers.remove(self)
            self._callback(*self._args)

    def _gone(self, _: object) -> None:
        if self._body.is_running and self._body.helpers.current is None:
            self()


class _Handler:
    """The attribute of a Pool for one of its threads, which gets its outcome's name there."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._name = f"_{role.replace(' ', '_')}"

    def __get__(self, obj: Any, cls: Any = None) -> Any:
        return self if obj is None else vars(obj)[self._name]

    def __set__(self, obj: Any, thread: Any) -> None:
        thread.outcome = f"{vars(obj)[_WORK]} {self._role}"
        vars(obj)[self._name] = thread


class _Notifier:
    """The attribute of a Pool for its queue of changes, which none but its threads share."""

    def __get__(self, obj: Any, cls: Any = None) -> Any:
        return self if obj is None else vars(obj)["_change_notifier"]

    def __set__(self, obj: Any, queue: Any) -> None:
        vars(obj)["_change_notifier"] = threads.SimpleQueue()


class _Jobs:
    """The number of the next job of a process."""

    def __next__(self) -> int:
        body = here()
        body.state.jobs += 1
        return body.state.jobs - 1


def _introduce(pool: Any) -> None:
    cls = pool.Pool
    real_init, real_setup = cls.__init__, cls._setup_queues

    @functools.wraps(real_init)
    def init(self: Any, processes: int | None = None, *args: Any, **keywords: Any) -> None:
        self._syncsim_size = processes
        body = here()
        before, body.state.silent = body.state.silent, True
        try:
            real_init(self, processes, *args, **keywords)
        finally:
            body.state.silent = before

    def setup(self: Any) -> None:
        real_setup(self)
        identity, work = names_of(self._outqueue)
        vars(self).update({_ID: identity, _WORK: work})
        tasks, results = self._inqueue, self._outqueue
        size = self._syncsim_size
        parts: dict[str, Any] = {
            Role.WORK: (work, Work(), None),
            Role.TASKS: (tasks._writer.outbox, Channel(), Pipe()),
            Role.GET_LOCK: part(tasks._rlock),
            Role.RESULTS: (results._writer.outbox, Channel(), Pipe()),
            Role.PUT_LOCK: part(results._wlock),
        }
        for role in _HANDLERS:
            parts[role] = (f"{work} {role}", TaskOutcome(), None)
        here().make(identity, "Pool", parts, os.cpu_count() if size is None else size)
        self._quick_put = functools.partial(_put_task, tasks, work)

    cls.__init__, cls._setup_queues = init, setup
    cls._syncsim_id = lambda self: vars(self).get(_ID, "")
    cls.__del__ = lambda self: None  # (the warning; its Finalizer does the rest)
    pool.job_counter = _Jobs()


def _put_task(tasks: Any, work: str, task: Any) -> None:
    """Note that what the thread for tasks sends to the workers is in line from now on."""
    if task is not None:
        job, i, *call = task
        _note(Verb.QUEUE, work, f"{job}.{i} {task_text(*call)}")
    tasks._writer.send(task)


def _note(verb: Verb, work: str, detail: str) -> None:
    here().events.append(Noted(Operation(verb, work, detail=detail)))


def _watch_threads(pool: Any) -> None:
    cls = pool.Pool
    for role in _HANDLERS:
        setattr(cls, f"_{role.replace(' ', '_')}", _Handler(role))
    cls._change_notifier = _Notifier()
    cls._get_sentinels = lambda self: []
    cls._get_worker_sentinels = staticmethod(list)
    real_populate = cls._repopulate_pool_static

    def wait_for_updates(workers: list[Any], notifier: Any, timeout: Any = None) -> None:
        lives = [worker._popen for worker in workers]
        if all(life.returncode is None for life in lives):
            pids = "\n".join(str(life.pid) for life in lives)
            ended = here().operate(Verb.WAIT_ANY, pids, until=notifier.has_items)
            for life in lives:
                life.returncode = dict(ended or ()).get(life.pid)
        while not notifier.empty():
            notifier.get()

    @functools.wraps(real_populate)
    def repopulate(
        ctx: Any, make: Any, processes: Any, workers: Any, tasks: Any, results: Any, *args: Any
    ) -> None:
        body = here()
        before, body.state.employer = body.state.employer, names_of(results)[1]
        try:
            real_populate(ctx, make, processes, workers, tasks, results, *args)
        finally:
            body.state.employer = before

    cls._wait_for_updates = staticmethod(wait_for_updates)
    cls._repopulate_pool_static = staticmethod(repopulate)


def _watch_results(pool: Any) -> None:
    """Each result that can be waited for is an outcome."""
    for cls in (pool.ApplyResult, pool.IMapIterator):
        cls.__init__ = _submitting(cls.__init__)
    for cls in (pool.ApplyResult, pool.MapResult):
        cls._set = _calling_back(cls._set)
    iterators = (pool.IMapIterator, pool.IMapUnorderedIterator)
    for cls, method in ((c, m) for m in ("_set", "_set_length") for c in iterators):
        if method in vars(cls):
            setattr(cls, method, _arriving(vars(cls)[method]))
    real_next = pool.IMapIterator.next

    @functools.wraps(real_next)
    def following(self: Any, timeout: float | None = None) -> Any:
        body = here()
        if body.helpers.current is not None:
            return real_next(self, timeout)
        with Underway("Pool.next", vars(self)[_ID], self._syncsim_label) as call:
            waits = timeout is None or timeout > 0
            there = body.operate(
                Verb.AWAIT,
                self._syncsim_outcome,
                payload="next",
                detail=self._syncsim_label,
                block=waits,
                timeout=timeout,
                ready=functools.partial(_has_next, self),
            )
            if not there and timeout:
                body.waited(timeout)
            item = real_next(self, 0)
            call.result = safe_text(item)
        return item

    pool.IMapIterator.next = pool.IMapIterator.__next__ = following


def _has_next(iterator: Any) -> bool:
    return bool(iterator._items) or iterator._index == iterator._length


def _submitting(real: Any) -> Any:
    @functools.wraps(real)
    def init(self: Any, owner: Any, *args: Any, **keywords: Any) -> None:
        real(self, owner, *args, **keywords)
        body = here()
        if body.helpers.current is not None:
            raise NotVirtualError("a callback of a Pool that hands over another job")
        work = vars(owner)[_WORK]
        label = body.state.call.detail if body.state.call is not None else ""
        outcome = f"{work} job {body.pid} {self._job}"
        vars(self).update(
            {_ID: vars(owner)[_ID], "_syncsim_outcome": outcome, "_syncsim_label": label}
        )
        if hasattr(self, "_event"):
            self._event.outcome, self._event.label = outcome, label
        body.operate(Verb.SUBMIT, outcome, name="submit", detail=label)

    return init


def _calling_back(real: Any) -> Any:
    """A callback runs in the middle of whatever the process does."""

    @functools.wraps(real)
    def put(self: Any, i: int, result: Any) -> None:
        if self._callback or self._error_callback:
            here().events.append(Meddled())
        real(self, i, result)

    return put


def _arriving(real: Any) -> Any:
    @functools.wraps(real)
    def arrive(self: Any, *args: Any) -> None:
        before = self._index
        real(self, *args)
        if self._index == self._length:
            threads.settle(self._syncsim_outcome)
        elif self._index > before:
            threads.settle(self._syncsim_outcome, self._index - before)

    return arrive


def _mark_calls(pool: Any) -> None:
    def one(function: Any, args: Any = (), kwds: Any = None, *_: Any, **__: Any) -> str:
        return call_text(function, args, kwds)

    def many(function: Any, iterable: Any = (), *_: Any, **__: Any) -> str:
        return each_text(function, iterable)

    for name in ("apply", "apply_async"):
        _mark(pool.Pool, name, "Pool", one)
    for name in ("map", "map_async", "starmap", "starmap_async", "imap", "imap_unordered"):
        _mark(pool.Pool, name, "Pool", many)
    for name in ("get", "wait"):
        _mark(pool.ApplyResult, name, "AsyncResult", lambda *_, **__: "")
    real_ready = pool.ApplyResult.ready

    @functools.wraps(real_ready)
    def ready(self: Any) -> bool:
        body, event = here(), self._event
        if body.state.call is not None or body.helpers.current is not None:
            return bool(real_ready(self))
        with Underway("AsyncResult.ready", vars(self)[_ID], event.label) as call:
            there = body.operate(
                Verb.VALUE, event.outcome, detail=event.label, block=False, ready=event.is_set
            )
            call.result = str(there)
        return bool(there)

    pool.ApplyResult.ready = ready
    real_join = pool.Pool.join

    @functools.wraps(real_join)
    def join(self: Any) -> None:
        with Underway("Pool.join", vars(self)[_ID]):
            real_join(self)

    pool.Pool.join = join
    real_end = vars(pool.Pool)["_terminate_pool"].__func__

    @functools.wraps(real_end)
    def end(cls: Any, tasks: Any, calls: Any, results: Any, *args: Any) -> None:
        # Also when nobody calls terminate: at the end of the process, or of the object's life.
        body = here()
        identity, work = names_of(results)
        before, body.state.work = body.state.work, work
        try:
            with Underway("Pool.terminate", identity):
                real_end(cls, tasks, calls, results, *args)
        finally:
            body.state.work = before

    pool.Pool._terminate_pool = classmethod(end)
    for name, word in (("close", "closed"), ("terminate", "terminated")):
        setattr(pool.Pool, name, _closing(getattr(pool.Pool, name), name, word))


def _mark(cls: Any, method: str, title: str, label: Callable[..., str]) -> None:
    real = getattr(cls, method)

    @functools.wraps(real)
    def call(self: Any, *args: Any, **keywords: Any) -> Any:
        shown = label(*args, **keywords) or vars(self).get("_syncsim_label", "")
        with Underway(f"{title}.{method}", vars(self)[_ID], shown) as doing:
            value = real(self, *args, **keywords)
            doing.result = str(self._event.is_set()) if method == "wait" else safe_text(value)
        return value

    setattr(cls, method, call)


def _closing(real: Any, name: str, word: str) -> Any:
    @functools.wraps(real)
    def close(self: Any) -> None:
        body = here()
        if body.helpers.current is not None:
            raise NotVirtualError("a callback of a Pool that ends it")
        work = vars(self)[_WORK]
        with Underway(f"Pool.{name}", vars(self)[_ID]):
            body.operate(Verb.SHUT_DOWN, work, name=name, detail=word, work=work)
            real(self)

    return close


class _Desk:
    """Both queues of a worker: what it takes from one and puts into the other is a call."""

    def __init__(self, tasks: Any, results: Any) -> None:
        self._tasks = tasks
        self._results = results
        self._label = ""

    def get(self) -> Any:
        """The next task."""
        identity, work = names_of(self._results)
        with Underway("Pool.get", identity) as call:
            item = self._tasks.get()
            if item is not None:
                job, i, *task = item
                self._label = task_text(*task)
                _note(Verb.BEGIN, work, f"{job}.{i} {self._label}")
            call.result = self._label if item is not None else "None"
        return item

    def put(self, result: Any) -> None:
        """Put the result of a task."""
        identity, work = names_of(self._results)
        failed = not result[2][0]
        with Underway("Pool.fail" if failed else "Pool.put", identity, self._label):
            self._results.put(result)
            _note(Verb.SETTLE, work, "failed" if failed else "")


def _employ(pool: Any) -> None:
    """Make what a worker takes and gives back calls of the Pool."""
    real = pool.worker

    @functools.wraps(real)
    def worker(tasks: Any, results: Any, *args: Any, **keywords: Any) -> None:
        here().state.work = names_of(results)[1]
        desk = _Desk(tasks, results)
        real(desk, desk, *args, **keywords)

    pool.worker = worker
