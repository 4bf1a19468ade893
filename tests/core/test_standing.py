"""How a process stands is one word, the same everywhere."""

from __future__ import annotations

import pytest
from scene import Scene

from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Life
from syncsim.core.words.status import Activity, Status, activity, status

SLEEP = Operation(Verb.SLEEP, call="sleep", detail="1")


def stands(scene: Scene, who: str = "Ada") -> tuple[Status, Activity]:
    state, actor = scene.state, scene.actor(who)
    return status(state, actor, scene.diagnosis.stuck), activity(state, actor)


def test_one_that_has_not_reported_yet_is_starting() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.change(1, life=Life.STARTING)
    assert stands(scene) == (Status.STARTING, Activity.ABSENT)


def test_one_between_operations_runs() -> None:
    assert stands(Scene("main", "Ada")) == (Status.RUNS, Activity.WORKING)


def test_one_that_may_go_is_ready() -> None:
    scene = Scene("main", "Ada")
    scene.waits("Ada", scene.lock("gate"))
    assert stands(scene) == (Status.READY, Activity.WORKING)


def test_one_that_may_not_go_waits() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("main", gate)
    scene.waits("Ada", gate)
    assert stands(scene) == (Status.WAITS, Activity.WAITING)


def test_one_that_holds_something_while_it_waits_is_told_apart() -> None:
    scene = Scene("main", "Ada")
    gate, door = scene.lock("gate"), scene.lock("door")
    scene.takes("main", gate)
    scene.takes("Ada", door)
    scene.waits("Ada", gate)
    assert stands(scene) == (Status.WAITS, Activity.HOLDING)


def test_one_that_waits_for_ever_is_stuck() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Ada", gate)
    scene.joins("main", "Ada")
    assert stands(scene) == (Status.STUCK, Activity.HOLDING)
    assert stands(scene, "main") == (Status.STUCK, Activity.WAITING)


def test_one_that_never_announces_is_outside() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.change(1, outside=True)
    assert stands(scene)[0] is Status.OUTSIDE
    scene.wants("Ada", SLEEP)
    assert stands(scene)[0] is Status.READY


@pytest.mark.parametrize(
    ("exitcode", "reaped", "error", "word"),
    [
        (0, True, "", Status.DONE),
        (3, True, "", Status.DONE),
        (0, False, "", Status.ZOMBIE),
        (-9, False, "", Status.KILLED),
        (-15, True, "", Status.KILLED),
        (1, True, "ValueError: 7", Status.CRASHED),
        (None, True, "", Status.DONE),
    ],
)
def test_how_one_ended_is_told_apart(
    exitcode: int | None, reaped: bool, error: str, word: Status
) -> None:
    scene = Scene("main", "Ada")
    scene.recorder.change(1, error=error)
    scene.ends("Ada", exitcode, reaped=reaped)
    assert stands(scene) == (word, Activity.ABSENT)


def test_nobody_needs_to_join_the_main_process_or_a_thread() -> None:
    scene = Scene("main")
    scene.born("feeder", thread="feeder")
    for who in ("main", "feeder"):
        scene.ends(who, reaped=False)
        assert stands(scene, who)[0] is Status.DONE


def test_one_that_a_signal_has_halted_is_stopped_whatever_it_waits_for() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("main", gate)
    scene.recorder.stop(1)
    assert stands(scene) == (Status.STOPPED, Activity.WAITING)
    scene.waits("Ada", gate)
    assert stands(scene) == (Status.STOPPED, Activity.WAITING)
    scene.gives("main", gate)
    scene.takes("Ada", gate)
    scene.waits("Ada", scene.lock("other"))
    assert stands(scene) == (Status.STOPPED, Activity.HOLDING)
