"""The drawing of a Pool: tasks in line, each worker with its task, and what has been done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from syncsim.core.kinds import Role
from syncsim.core.state import Actor
from syncsim.core.work import Work
from syncsim.ui import look
from syncsim.ui.widgets.lines import Piece, width_of

if TYPE_CHECKING:
    from syncsim.ui.widgets.drawings import Scene

#: So many tasks are drawn one by one; of more, the number is given.
_MOST = 6

#: So many cells a task needs at the least, with what stands around it.
_TASK = 13


def draw_workers(scene: Scene, work: Work) -> tuple[str, list[Piece], list[Piece]]:
    """The number, the main part (who works at what) and the rest (who waits for results)."""
    return str(len(work.workers)), _tasks(scene, work), _waiters(scene)


def _tasks(scene: Scene, work: Work) -> list[Piece]:
    after = _done(work)
    pieces = _count("waiting", len(work.waiting) + work.more, "rest")
    room = scene.width - width_of(pieces) - width_of(after)
    workers = [scene.state.actors[one] for one in work.workers]
    # Where not everybody has room for a name and a task, those are shown who work.
    least = max((cell_len(scene.tag(one).text) for one in workers), default=0) + _TASK
    if len(workers) * least > room:
        busy = [one for one in workers if work.task_of(one.id)]
        workers = busy[: max(1, room // least)] or workers
    each = room // max(1, len(workers))
    for worker in workers:
        shown = _worker(scene, work, worker, each)
        if width_of(shown) > room:
            break
        room -= width_of(shown)
        pieces += shown
    return pieces + after


def _worker(scene: Scene, work: Work, worker: Actor, width: int) -> list[Piece]:
    task = work.task_of(worker.id)
    name = scene.tag(worker)
    if task is None:
        return [name, Piece("  ", "quiet")]
    left = max(4, width - cell_len(name.text) - 5)
    hue = look.hue(worker)
    return [name, Piece(" ▪ ", hue), Piece(look.clean(task.label, left), hue), Piece("  ")]


def _done(work: Work) -> list[Piece]:
    pieces = _count("done", work.done, "quiet")
    if work.failed:
        pieces += _count("failed", work.failed, "bad")
    if work.lost:
        pieces += _count("lost", len(work.lost), "bad")
    if work.closed:
        pieces.append(Piece(work.closed, "quiet"))
    elif pieces:
        pieces[-1] = Piece(pieces[-1].text.rstrip(), pieces[-1].style)
    return pieces


def _count(word: str, number: int, style: str) -> list[Piece]:
    squares = "▪" * number if number <= _MOST else f"▪{number}"
    return [Piece(f"{word} ", "quiet"), Piece(f"{squares or '–'}  ", style)]


_OF_WORKERS: Final = (Role.TASKS, Role.GET_LOCK, Role.PUT_LOCK)


def _waiters(scene: Scene) -> list[Piece]:
    """Return the processes that wait for results; not the workers, which wait for tasks."""
    waiting = [
        actor
        for actor in scene.waiting()
        if actor.pending is not None and actor.pending.role not in _OF_WORKERS
    ]
    return [Piece("results for ", "quiet"), *scene.tags(waiting)] if waiting else []
