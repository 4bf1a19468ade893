"""By call a step is a call; by atom, under the X-ray, it is one operation on a part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import Scene, act, join

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.operation import Operation, Verb
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.state import Actor, Primitive
from syncsim.core.steps import Step
from syncsim.core.words.status import Activity, Status, activity, status
from syncsim.core.words.steps import ATOMS, ATOMS_IN_VAIN
from syncsim.core.words.waiting import waiting_for, what_it_does

CALLS = st.lists(st.sampled_from(Grain), min_size=5, max_size=5)


def of_wait(bell: Primitive) -> list[Operation]:
    """What ``Condition.wait`` is made of."""
    return [
        act(bell, Verb.RELEASE, "sleeping", "wait", compound=True),
        act(bell, Verb.RELEASE, "lock", "wait", compound=True),
        act(bell, Verb.ACQUIRE, "wait", "wait", compound=True),
        act(bell, Verb.RELEASE, "woken", "wait", compound=True),
        act(bell, Verb.ACQUIRE, "lock", "wait", compound=True),
    ]


def woken_sleeper(grains: list[Grain]) -> Scene:
    """Ada waits on the bell and is woken before she sleeps; each operation by its grain."""
    scene = Scene("Ada")
    bell = scene.condition("bell")
    scene.takes("Ada", bell)
    scene.recorder.move(0, act(bell, Verb.RELEASE, "wait"))
    for grain, operation in zip(grains, of_wait(bell), strict=True):
        scene.recorder.grain = grain
        scene.does("Ada", operation)
    scene.recorder.back(0, "True")
    return scene


def queue_with_feeder() -> tuple[Scene, Primitive, Actor]:
    """Ada has put 7, and her feeder thread has not moved it yet."""
    scene = Scene("main", "Ada", "Bob")
    jobs = scene.queue("jobs")
    scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail="7"))
    feeder = scene.born("Ada's feeder", parent=1, thread="QueueFeederThread", library=True)
    return scene, jobs, feeder


def test_by_atom_every_operation_of_a_call_is_a_step_and_the_call_stays_visible() -> None:
    scene = woken_sleeper([Grain.ATOM] * 5)
    assert [step.sentence for step in scene.steps[1:]] == [
        "is counted among the sleepers of bell (in wait)",
        "gives the lock inside bell back (in wait)",
        "wakes up on bell (in wait)",
        "reports that it woke up on bell (in wait)",
        "takes the lock inside bell (in wait)",
    ]
    assert {step.call for step in scene.steps[1:]} == {"Condition.wait"}
    assert scene.actor("Ada").call == ""


def test_what_is_left_of_a_call_when_the_xray_goes_off_is_one_step() -> None:
    scene = woken_sleeper([Grain.ATOM, Grain.ATOM, Grain.CALL, Grain.CALL, Grain.CALL])
    assert [step.operation for step in scene.steps[1:]] == ["release sleeping", "release lock", ""]
    assert scene.steps[-1].sentence == "is awake again and has the lock of bell"


def test_nothing_is_told_twice_when_the_xray_comes_on_in_the_middle_of_a_call() -> None:
    scene = woken_sleeper([Grain.CALL, Grain.CALL, Grain.ATOM, Grain.ATOM, Grain.ATOM])
    assert [step.operation for step in scene.steps[1:]] == [
        "acquire wait",
        "release woken",
        "acquire lock",
    ]


@given(CALLS)
def test_the_grain_changes_what_is_told_and_nothing_else(grains: list[Grain]) -> None:
    plain, mixed = woken_sleeper([Grain.CALL] * 5), woken_sleeper(grains)
    assert mixed.state.atoms == plain.state.atoms
    assert mixed.actor("Ada").observed == plain.actor("Ada").observed
    assert [step.n for step in mixed.steps] == list(range(1, len(mixed.steps) + 1))
    assert mixed.actor("Ada").steps == len(mixed.steps) == mixed.state.n


@pytest.mark.parametrize("grain", Grain)
def test_choices_are_offered_at_the_grain_of_the_state(grain: Grain) -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("main", gate)
    scene.waits("Ada", gate, timeout=1.0)
    scene.recorder.grain = grain
    expected = (Choice(1, Move.TIME_OUT, grain),)
    assert scene.state.choices() == scene.recorder.choices() == expected


def test_a_notification_that_nobody_heard_is_noticed_by_atom_as_well() -> None:
    scene = Scene("Ada")
    bell = scene.condition("bell")
    scene.recorder.grain = Grain.ATOM
    scene.notifies("Ada", bell, wakes=False)
    assert scene.state.lost_notifications == {bell.id: scene.state.n}


@pytest.mark.parametrize("operation", sorted({*ATOMS, *ATOMS_IN_VAIN}))
def test_every_operation_on_a_part_has_a_sentence(operation: str) -> None:
    for result in ("True", "False"):
        step = Step(
            1, 1, "Ada", 7, "Queue.get", "get", "jobs", "Queue", result, "", 0, "", "5", False, 0,
            operation,
        )  # fmt: skip
        assert "jobs" in step.sentence
        assert step.sentence.endswith(" (in get)")
        assert "{" not in step.sentence


def test_a_feeder_moves_what_its_process_has_put() -> None:
    scene, jobs, feeder = queue_with_feeder()
    assert scene.state.channel(jobs).unsent(1)
    scene.recorder.announce(feeder.id, act(jobs, Verb.SEND, "items", detail="7"))
    scene.recorder.effect(feeder.id, act(jobs, Verb.SEND, "items", detail="7"))
    assert scene.steps[-1].sentence == "moves 7 into the pipe of jobs"
    assert [item.sender for item in scene.state.channel(jobs).items] == [1]
    scene.recorder.move(feeder.id, act(jobs, Verb.SENT, "items"))
    assert not scene.state.channel(jobs).unsent(1)


def test_a_feeder_that_rests_helps_nobody_and_one_that_can_go_helps_everybody() -> None:
    scene, jobs, feeder = queue_with_feeder()
    scene.ends("Ada")
    scene.wants("Bob", act(jobs, Verb.RECEIVE, "items", "get"))
    scene.wants("main", join(scene.actor("Bob")))
    assert scene.diagnosis.verdict is Verdict.DEADLOCK
    scene.recorder.announce(feeder.id, act(jobs, Verb.SEND, "items", detail="7"))
    assert scene.diagnosis.verdict is None


def test_a_feeder_waits_for_the_put_lock_of_another() -> None:
    scene, jobs, feeder = queue_with_feeder()
    other = scene.born("Bob's feeder", parent=2, thread="QueueFeederThread", library=True)
    take = act(jobs, Verb.ACQUIRE, "put lock")
    scene.does("Bob's feeder", take)
    scene.wants("Ada's feeder", take)
    wait = waiting_for(scene.state, scene.actor("Ada's feeder"))
    assert wait is not None
    assert wait.on == (other.id,)
    assert wait.clause == "waits for the put lock of jobs, held by Bob's feeder"
    assert what_it_does(scene.state, scene.actor("Ada's feeder")) == "acquire put lock of jobs"
    assert feeder.library


def test_a_feeder_that_rests_is_shown_as_waiting() -> None:
    scene, _, feeder = queue_with_feeder()
    assert status(scene.state, feeder) is Status.WAITS
    assert activity(scene.state, feeder) is Activity.WAITING


def test_by_atom_the_pending_operation_is_told_with_its_part_and_its_call() -> None:
    scene = Scene("Ada")
    jobs = scene.queue("jobs", 2)
    scene.wants("Ada", act(jobs, Verb.ACQUIRE, "slots", "put", compound=True, detail="7"))
    ada = scene.actor("Ada")
    assert what_it_does(scene.state, ada) == "put 7 → jobs"
    assert what_it_does(scene.state, ada, Grain.ATOM) == "acquire slots of jobs (put)"
    scene.wants("Ada", act(jobs, Verb.PUT, "items", "put", compound=True, detail="7"))
    ada = scene.actor("Ada")
    assert what_it_does(scene.state, ada, Grain.ATOM) == "put 7 → buffer of jobs (put)"


def test_a_lock_that_was_taken_unseen_can_be_set_right() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.recorder.hold("gate/lock", 1)
    assert scene.state.holders(gate) == (1,)
    scene.recorder.hold("gate/lock", None)
    assert scene.state.semaphore(gate).value == 1
    assert scene.state.holders(gate) == ()
