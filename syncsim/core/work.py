"""The atoms of a Pool: the tasks at its workers, and what somebody waits for.

A task is the smallest piece of work that travels to a worker: a call, or for ``Pool.map`` with
chunks a few of them.  The rules are those of CPython's ``multiprocessing/pool.py`` and
``concurrent/futures/process.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.operation import Operation, Verb

if TYPE_CHECKING:
    from syncsim.core.atoms import ActorId

#: Of so many tasks that wait (or are lost) it is known what they are; of more, only the number.
KNOWN = 500


class Task(Struct, frozen=True, gc=False):
    """One task: the number of the job it belongs to, with its own in it, and its call in words."""

    key: str
    label: str

    @property
    def job(self) -> str:
        """The job it is part of."""
        return self.key.partition(".")[0]


class Work(Struct, frozen=True):
    """The tasks of a Pool or an executor: in line, at a worker, and what became of the others.

    ``more`` counts tasks in line that are not in ``waiting``.  A task is ``lost``, with its worker,
    when that one died: a Pool does not do it again.  ``closed`` is empty while tasks are accepted.
    """

    workers: tuple[ActorId, ...] = ()
    waiting: tuple[Task, ...] = ()
    more: int = 0
    running: tuple[tuple[ActorId, Task], ...] = ()
    done: int = 0
    failed: int = 0
    lost: tuple[tuple[ActorId, Task], ...] = ()
    closed: str = ""

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Return True: no operation on the whole blocks; one waits for a ``TaskOutcome``."""
        return True

    def task_of(self, worker: ActorId) -> Task | None:
        """Return the task that the worker runs; None for an idle one."""
        return next((task for runner, task in self.running if runner == worker), None)

    def apply(self, operation: Operation, actor: ActorId) -> tuple[Work, str]:
        """Return the work afterwards; there is no result."""
        match operation.verb:
            case Verb.QUEUE:
                return self._queue(_task(operation)), ""
            case Verb.BEGIN:
                task = _task(operation)
                begun = self._without(task.key)
                return replace(begun, running=(*begun.running, (actor, task))), ""
            case Verb.SETTLE if self.task_of(actor) is not None:
                idle = self._idle(actor)
                if operation.detail:
                    return replace(idle, failed=self.failed + 1), ""
                return replace(idle, done=self.done + 1), ""
            case Verb.CANCEL:
                at_work = (*self.lost, *self.running)
                if any(task.key == operation.detail for _, task in at_work):
                    return self, ""
                return self._without(operation.detail), ""
            case Verb.SHUT_DOWN:
                return replace(self, closed=operation.detail), "None"
            case _:
                return self, ""

    def _queue(self, task: Task) -> Work:
        if len(self.waiting) >= KNOWN:
            return replace(self, more=self.more + 1)
        return replace(self, waiting=(*self.waiting, task))

    def _without(self, key: str) -> Work:
        for index, task in enumerate(self.waiting):
            if task.key == key:
                return replace(self, waiting=self.waiting[:index] + self.waiting[index + 1 :])
        return replace(self, more=max(0, self.more - 1))

    def _idle(self, worker: ActorId) -> Work:
        return replace(self, running=tuple(run for run in self.running if run[0] != worker))

    def hired(self, worker: ActorId) -> Work:
        """Return the work with one worker more."""
        return self if worker in self.workers else replace(self, workers=(*self.workers, worker))

    def left(self, worker: ActorId) -> Work:
        """Return the work after the end of a worker: what it ran is lost."""
        task = self.task_of(worker)
        lost = self.lost
        if task is not None and len(lost) < KNOWN:
            lost = (*lost, (worker, task))
        workers = tuple(other for other in self.workers if other != worker)
        return replace(self._idle(worker), workers=workers, lost=lost)


def _task(operation: Operation) -> Task:
    key, _, label = operation.detail.partition(" ")
    return Task(key, label)


class TaskOutcome(Struct, frozen=True, gc=False):
    """A thing to wait for inside a process: a result, the next of many, the end of a thread.

    ``ready`` counts what is there and was not taken.  Once it is ``complete``, nobody ever waits
    for it again.
    """

    ready: int = 0
    complete: bool = False

    def enabled(self, operation: Operation, actor: ActorId) -> bool:
        """Return whether the outcome is there."""
        waits = operation.verb is Verb.AWAIT and operation.blocking
        return not waits or self.complete or self.ready > 0

    def apply(self, operation: Operation, actor: ActorId) -> tuple[TaskOutcome, str]:
        """Return the outcome afterwards, and whether it was there.

        To ``SETTLE`` it completes it; a number says how many became ready instead, nought that
        none is any more.
        """
        there = str(self.complete or self.ready > 0)
        match operation.verb:
            case Verb.SETTLE if not operation.detail:
                return replace(self, complete=True), ""
            case Verb.SETTLE:
                more = int(operation.detail)
                return replace(self, ready=self.ready + more if more else 0), ""
            case Verb.AWAIT:
                return replace(self, ready=self.ready - 1), there
            case _:
                return self, there
