"""A Pool on the screen: tasks in line, workers with theirs, and the inspector's account."""

from __future__ import annotations

import pytest
from bare import Bare
from msgspec.structs import replace
from plays import philosophers
from rich.cells import cell_len

from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.core.work import Task, TaskOutcome, Work
from syncsim.ui.widgets.inspector import about_primitive, about_process
from syncsim.ui.widgets.primitives_panel import PrimitivesPanel
from syncsim.ui.widgets.processes_panel import ProcessesPanel

WORK = Work(
    workers=(1, 2),
    waiting=tuple(Task(f"9.{n}", f"f({n})") for n in range(5, 8)),
    running=((1, Task("7.0", "f(3)")), (2, Task("8.0", "f(4)"))),
    done=2,
)
AWAIT = Operation(Verb.AWAIT, "work job 0 7", "AsyncResult.get", "pool", detail="f(3)")


def actor(at: int, name: str, **fields: object) -> Actor:
    known = {"id": at, "name": name, "pid": 4120 + at, "life": Life.ALIVE}
    return Actor(**(known | {"parent": 0 if at else None} | fields))  # type: ignore[arg-type]


def scene(work: Work = WORK, kind: str = "Pool") -> State:
    names = ("main", "PoolWorker-1", "PoolWorker-2")
    actors = tuple(actor(at, name, pending=None if at else AWAIT) for at, name in enumerate(names))
    pool = Primitive("pool", kind, "pool", {"work": "work"}, capacity=2, line=12)
    return State(
        n=9,
        actors=actors,
        atoms={"work": work, AWAIT.atom: TaskOutcome()},
        primitives={"pool": pool},
    )


async def drawn(state: State, width: int) -> list[str]:
    app = Bare(PrimitivesPanel(), philosophers())
    async with app.run_test(size=(width, 8)):
        app.panel.show(state, diagnose(state))
        return [line.rstrip() for line in app.panel.lines]


async def test_a_pool_shows_who_does_what_and_what_waits() -> None:
    lines = await drawn(scene(), 118)
    assert lines[0].startswith("  pool  Pool 2  waiting ▪▪▪  ▌PoolWorker-1 ▪ f(3)  ▌PoolWorker-2 ▪")
    assert lines[0].endswith("▪ f(4)  done ▪▪   results for ▌main")


async def test_many_tasks_are_counted_and_what_is_wrong_is_said() -> None:
    work = replace(
        WORK, more=500, running=(), failed=3, lost=((1, Task("1.0", "die()")),), closed="closed"
    )
    (line, *_) = await drawn(scene(work, "ProcessPoolExecutor"), 118)
    for words in ("waiting ▪503", "done ▪▪", "failed ▪▪▪", "lost ▪", "closed"):
        assert words in line


@pytest.mark.parametrize("width", [36, 44, 60, 78, 90, 118])
async def test_a_drawing_keeps_within_its_room(width: int) -> None:
    work = replace(
        WORK,
        workers=tuple(range(1, 13)),
        running=tuple((n, Task(f"{n}.0", "a_long_name('[/foo]', '…')" * 3)) for n in range(1, 13)),
    )
    state = scene(work)
    more = tuple(actor(at, f"PoolWorker-{at}") for at in range(3, 13))
    for line in await drawn(replace(state, actors=state.actors + more), width):
        assert cell_len(line) <= width
        assert "waiting" in line or not line.strip() or "results" in line


def test_the_inspector_names_every_worker_with_its_task() -> None:
    state = scene(replace(WORK, failed=1, lost=((2, Task("1.0", "die()")),)))
    text = about_primitive(state, state.primitives["pool"], ()).plain
    assert "pool  Pool  made in line 12" in text
    assert "workers   PoolWorker-1 runs f(3)" in text
    assert "PoolWorker-2 runs f(4)" in text
    assert "waiting   f(5), f(6), f(7)" in text
    assert "done      2, 1 failed" in text
    assert "lost      die(), when PoolWorker-2 ended" in text
    assert "results   main" in text


def test_the_inspector_tells_the_family_and_the_end_of_a_process() -> None:
    state = scene()
    child = actor(
        3,
        "Inner",
        parent=1,
        method="spawn",
        life=Life.ENDED,
        exitcode=-15,
        reaped_by=1,
        reaped=True,
    )
    zombie = actor(4, "Late", method="fork", life=Life.ENDED, exitcode=3, daemon=True)
    state = replace(state, actors=(*state.actors, child, zombie))

    def about(at: int) -> str:
        return about_process(state, state.actors[at], None, None, ()).plain

    assert "children  PoolWorker-1, PoolWorker-2, Late" in about(0)
    assert "parent    PoolWorker-1  by spawn" in about(3)
    assert "exit code -15: ended by SIGTERM" in about(3)
    assert "joined by PoolWorker-1" in about(3)
    assert "exit code 3" in about(4)
    assert "joined by nobody" in about(4)
    assert "daemon" in about(4)


async def test_children_of_a_child_stand_below_it_and_can_be_chosen() -> None:
    state = scene()
    state = replace(state, actors=(*state.actors, actor(3, "Inner", parent=1)))
    app = Bare(ProcessesPanel(), philosophers())
    async with app.run_test(size=(70, 8)):
        app.panel.show(state, diagnose(state))
        names = [line.split("▌")[1].split()[0] for line in app.panel.lines]
        assert names == ["main", "PoolWorker-1", "Inner", "PoolWorker-2"]
        assert "└ ▌Inner" in app.panel.lines[2]
        app.panel.choose(2)
        assert (app.panel.chosen, app.panel.place) == (3, 2)
        app.panel.choose_next()
        assert (app.panel.chosen, app.panel.place) == (2, 3)
