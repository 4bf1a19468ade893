"""The recorder counts what happened, and a state taken from it is never changed again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import Scene, acquire, act, join, release

from syncsim.core.faults import possible, why_not
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import FAULTS, Choice, Move
from syncsim.core.state import Life, Primitive, State

NAMES = ("main", "Ada", "Bob", "Cleo")
stories = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 6)), max_size=40)


class Workshop(Scene):
    """Four processes with a lock, an RLock, two permits, a queue and a value."""

    def __init__(self) -> None:
        super().__init__(*NAMES)
        self.gate = self.lock("gate")
        self.door = self.rlock("door")
        self.boats = self.semaphore("boats", 2)
        self.jobs = self.queue("jobs")
        self.count = self.value("count")

    def attempt(self, who: str, what: int) -> None:
        """One of seven things, if it would not block (nor be an error)."""
        operation = (
            acquire(self.gate),
            release(self.gate),
            acquire(self.door),
            acquire(self.boats),
            act(self.jobs, Verb.PUT, "items", "put", detail=who),
            act(self.jobs, Verb.RECEIVE, "items", "get"),
            act(self.count, Verb.WRITE, "value", "set", detail=who),
        )[what]
        if operation.verb is Verb.RELEASE and self.state.semaphore(self.gate).value:
            return
        self.wants(who, operation)
        if self.recorder.can_go(self.actor(who)):
            self.recorder.effect(self.actor(who).id, operation)


def tell(scene: Workshop, story: list[tuple[str, int]]) -> list[State]:
    states = []
    for who, what in story:
        scene.attempt(who, what)
        states.append(scene.state)
    return states


@given(stories)
def test_a_state_taken_earlier_never_changes(story: list[tuple[str, int]]) -> None:
    scene = Workshop()
    pictures = []
    for who, what in story:
        pictures.append((scene.state, repr(scene.state)))
        scene.attempt(who, what)
    scene.ends("Bob", -9)
    scene.lock("late")
    assert all(repr(state) == picture for state, picture in pictures)


@given(stories)
def test_steps_are_counted_from_one_without_a_gap(story: list[tuple[str, int]]) -> None:
    scene = Workshop()
    tell(scene, story)
    assert [step.n for step in scene.steps] == list(range(1, len(scene.steps) + 1))
    assert scene.state.n == len(scene.steps)
    for actor in scene.state.actors:
        assert actor.steps == sum(step.actor == actor.id for step in scene.steps)


@given(stories)
def test_the_recorder_and_its_state_offer_the_same_choices(story: list[tuple[str, int]]) -> None:
    scene = Workshop()
    for who, what in story:
        scene.attempt(who, what)
        assert scene.recorder.choices() == scene.state.choices()
        for actor in scene.recorder.actors:
            assert scene.recorder.can_go(actor) == scene.state.enabled(actor)


@given(stories)
def test_who_holds_what_is_told_alike_from_both_sides(story: list[tuple[str, int]]) -> None:
    scene = Workshop()
    for state in tell(scene, story):
        for primitive in state.primitives.values():
            held_by = {
                holder for role in primitive.parts for holder in state.holders(primitive, role)
            }
            assert held_by == {a.id for a in state.actors if primitive in state.holdings(a)}


@given(st.permutations([0, 0, 0, 0, 1, 1, 1, 1]))
def test_what_was_observed_decides_the_state_and_not_the_order(order: list[int]) -> None:
    def run(order: list[int]) -> tuple[object, ...]:
        scene = Scene("Ada", "Bob")
        locks = [scene.lock("hers"), scene.lock("his")]
        for actor in order:
            held = scene.state.holdings(scene.state.actors[actor])
            operation = release(locks[actor]) if held else acquire(locks[actor])
            scene.does(("Ada", "Bob")[actor], operation)
        return tuple(a.observed for a in scene.state.actors), dict(scene.state.atoms)

    assert run(order) == run(sorted(order))


def test_another_observation_is_another_state() -> None:
    def observed(text: str) -> int:
        scene = Scene("Ada")
        count = scene.value("count", text)
        scene.does("Ada", act(count, Verb.READ, "value", "get"))
        return scene.actor("Ada").observed

    assert observed("1") == observed("1")
    assert observed("1") != observed("2")


def test_a_step_says_all_that_is_to_be_shown() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    site = Site("/tmp/program.py", 7, "work")
    scene.does("Ada", act(gate, Verb.ACQUIRE, "lock", site=site), "True")
    (step,) = scene.steps
    assert (step.n, step.actor, step.process, step.pid) == (1, 1, "Ada", 1001)
    assert (step.call, step.verb, step.primitive, step.kind) == (
        "Lock.acquire",
        "acquire",
        "gate",
        "Lock",
    )
    assert (step.result, step.complete, step.sentence) == ("True", True, "takes gate")
    assert (step.file, step.line, step.function) == ("/tmp/program.py", 7, "work")


def test_a_step_says_how_long_it_was_waited_for() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Bob", gate)
    scene.gives("Ada", gate)
    scene.recorder.effect(2, acquire(gate), "True")
    assert [step.waited for step in scene.steps] == [0, 0, 1]


def test_the_state_says_since_when_somebody_waits_and_who_is_first_in_line() -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    gate, other = scene.lock("gate"), scene.lock("other")
    scene.takes("Ada", gate)
    scene.waits("Cleo", gate)
    scene.takes("Ada", other)
    scene.waits("Bob", gate)
    assert [actor.name for actor in scene.state.waiting(gate)] == ["Cleo", "Bob"]
    assert [actor.since for actor in scene.state.waiting(gate)] == [1, 2]


def test_a_call_of_many_operations_is_one_step_when_it_returns() -> None:
    scene = Scene("Ada")
    jobs = scene.queue("jobs", 2)
    scene.does("Ada", act(jobs, Verb.ACQUIRE, "slots", "put", compound=True))
    scene.does("Ada", act(jobs, Verb.PUT, "items", "put", compound=True, detail="7"))
    assert scene.steps == []
    assert scene.actor("Ada").call == "Queue.put"
    scene.recorder.back(0, "None")
    (step,) = scene.steps
    assert (step.call, step.detail, step.sentence) == ("Queue.put", "7", "puts 7 into jobs")
    assert scene.actor("Ada").call == ""


def test_a_call_that_must_wait_in_the_middle_is_a_step_of_its_own() -> None:
    scene = Scene("Ada")
    bell = scene.condition("bell")
    scene.takes("Ada", bell)
    scene.does("Ada", act(bell, Verb.RELEASE, "sleeping", "wait", compound=True))
    scene.does("Ada", act(bell, Verb.RELEASE, "lock", "wait", compound=True))
    scene.sleeps_on("Ada", bell)
    begun = scene.steps[-1]
    assert (begun.call, begun.result, begun.complete) == ("Condition.wait", "waits", False)
    assert begun.sentence == "gives up the lock of bell and waits to be notified"
    assert not scene.state.enabled(scene.actor("Ada"))


def test_a_call_that_raises_has_the_exception_as_its_result() -> None:
    scene = Scene("Ada")
    jobs = scene.queue("jobs", 1)
    scene.does("Ada", act(jobs, Verb.ACQUIRE, "slots", "put", compound=True), "False")
    scene.recorder.back(0, "Full")
    assert scene.steps[-1].result == "Full"


def test_a_real_result_that_differs_from_the_model_is_a_divergence() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    with pytest.raises(DivergenceError, match=r"Bob got True from Lock\.acquire, but .* False"):
        scene.does("Bob", acquire(gate), "True")


def test_an_acquire_that_failed_for_real_changes_nothing() -> None:
    scene = Scene("Ada")
    gate = scene.lock("gate")
    assert scene.does("Ada", acquire(gate), "False") == "False"
    assert scene.state.semaphore(gate).value == 1


def test_what_the_feeder_does_is_no_step_of_its_process() -> None:
    scene = Scene("Ada")
    jobs = scene.queue("jobs")
    scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail="7"))
    assert scene.recorder.feeding == {"jobs/items"}
    for verb in (Verb.SEND, Verb.SENT):
        scene.recorder.move(0, act(jobs, verb, "items"))
    assert scene.recorder.feeding == set()
    assert len(scene.steps) == 1
    assert [item.label for item in scene.state.channel(jobs).items] == ["7"]


def test_an_item_that_the_feeder_drops_is_owed_no_more() -> None:
    scene = Scene("Ada")
    jobs = scene.queue("jobs")
    scene.does("Ada", act(jobs, Verb.PUT, "items", "put", detail="7"))
    scene.recorder.drop("jobs/items", 0)
    assert scene.recorder.feeding == set()
    assert scene.state.channel(jobs).buffered == ()


def test_who_has_ended_offers_nothing_and_keeps_what_it_held() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.takes("Ada", gate)
    scene.waits("Ada", gate, timeout=1.0)
    scene.ends("Ada", -9)
    ada = scene.actor("Ada")
    assert (ada.life, ada.pending, ada.exitcode) == (Life.ENDED, None, -9)
    assert scene.state.choices() == ()
    assert scene.state.holdings(ada) == (gate,)


def test_a_timeout_is_a_choice_only_where_the_call_would_block() -> None:
    scene = Scene("main", "Ada", "Bob")
    gate = scene.lock("gate")
    scene.waits("Ada", gate, timeout=1.0)
    assert scene.state.choices() == (Choice(1),)
    scene.takes("Bob", gate)
    assert scene.state.choices() == (Choice(1, Move.TIME_OUT),)


def test_a_join_goes_through_when_its_process_has_ended() -> None:
    scene = Scene("main", "Ada")
    scene.joins("main", "Ada")
    assert not scene.state.enabled(scene.actor("main"))
    scene.ends("Ada")
    assert scene.state.enabled(scene.actor("main"))
    assert scene.recorder.can_go(scene.actor("main"))


def test_a_pid_that_comes_again_is_the_newest_process() -> None:
    scene = Scene("main", "Ada")
    scene.ends("Ada")
    again = scene.born("Bob", pid=scene.actor("Ada").pid)
    scene.wants("main", join(again))
    assert scene.state.by_pid(str(again.pid)) == again
    assert not scene.state.enabled(scene.actor("main"))
    assert not scene.recorder.can_go(scene.actor("main"))


def test_nobody_holds_the_places_of_a_queue() -> None:
    scene = Scene("Ada")
    jobs = scene.queue("jobs", 2)
    scene.does("Ada", act(jobs, Verb.ACQUIRE, "slots", "put", compound=True))
    assert scene.state.holdings(scene.actor("Ada")) == ()


def test_an_operation_on_nothing_known_always_goes_through() -> None:
    scene = Scene("Ada")
    scene.does("Ada", Operation(Verb.SLEEP, call="sleep", detail="0.1"))
    assert scene.steps[-1].sentence == "sleeps 0.1 s"
    assert isinstance(scene.lock("gate"), Primitive)


def test_a_fault_is_a_step_in_words_and_no_call_of_the_process() -> None:
    scene = Scene("main", "Ada")
    for move in FAULTS:
        scene.recorder.fault(1, move)
    assert [(step.n, step.process, step.move, step.sentence) for step in scene.steps] == [
        (1, "Ada", Move.KILL, "is killed by the person"),
        (2, "Ada", Move.TERMINATE, "is told by the person to end"),
        (3, "Ada", Move.STOP, "is stopped"),
        (4, "Ada", Move.CONTINUE, "goes on again"),
    ]
    assert scene.actor("Ada").steps == 0


def test_who_is_stopped_offers_nothing_until_it_is_continued() -> None:
    scene = Scene("main", "Ada")
    gate = scene.lock("gate")
    scene.waits("Ada", gate)
    scene.recorder.fault(1, Move.STOP)
    assert scene.state.choices() == scene.recorder.choices() == ()
    assert not scene.state.enabled(scene.actor("Ada"))
    assert not scene.state.blocked(scene.actor("Ada"))
    assert not scene.recorder.can_go(scene.actor("Ada"))
    assert scene.state.waiting(gate) == ()
    scene.recorder.fault(1, Move.CONTINUE)
    assert scene.state.choices() == scene.recorder.choices() == (Choice(1),)


def test_the_threads_of_a_process_are_stopped_with_it() -> None:
    scene = Scene("main", "Ada")
    thread = scene.born("helper", 1, pid=scene.actor("Ada").pid, thread="helper")
    scene.recorder.fault(1, Move.STOP)
    assert scene.recorder.actors[thread.id].stopped
    assert not scene.actor("main").stopped
    assert why_not(scene.state, scene.recorder.actors[thread.id], Move.KILL) == (
        "helper is a thread: signals go to Ada, the process it belongs to."
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([*FAULTS, None])), max_size=30))
def test_what_can_be_done_to_a_process_depends_on_how_it_stands(
    story: list[tuple[int, Move | None]],
) -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    for actor, move in story:
        offered = possible(scene.state)
        if move is None:
            scene.recorder.end(actor, 0)
        elif Choice(actor, move) in offered:
            scene.recorder.fault(actor, move)
            if move is Move.KILL:
                scene.recorder.end(actor, -9)
        else:
            assert why_not(scene.state, scene.state.actors[actor], move).endswith(".")
        for one in scene.state.actors:
            moves = [choice.move for choice in possible(scene.state) if choice.actor == one.id]
            if one.ended:
                assert moves == []
            elif one.stopped:
                assert moves == [Move.KILL, Move.CONTINUE]
            else:
                assert moves == [Move.KILL, Move.TERMINATE, Move.STOP]


def test_who_died_asleep_is_remembered_where_it_slept() -> None:
    scene = Scene("main", "Ada", "Bob")
    bell = scene.condition("bell")
    scene.sleeps_on("Ada", bell)
    scene.waits("Bob", bell)
    scene.ends("Ada", -9)
    scene.ends("Bob", -9)
    assert scene.actor("Ada").asleep_on == bell.id
    assert scene.actor("Bob").asleep_on == ""


def test_who_died_on_its_way_to_sleep_or_from_it_is_counted_where_it_sleeps() -> None:
    scene = Scene("main", "Ada", "Bob", "Cleo")
    bell = scene.condition("bell")
    for who in ("Ada", "Bob", "Cleo"):
        scene.takes(who, bell)
        scene.does(who, act(bell, Verb.RELEASE, "sleeping", "wait", compound=True))
        scene.does(who, act(bell, Verb.RELEASE, "lock", "wait", compound=True))
    scene.does("main", act(bell, Verb.RELEASE, "wait", "notify", compound=True))
    scene.does("main", act(bell, Verb.RELEASE, "wait", "notify", compound=True))
    for who in ("Bob", "Cleo"):
        scene.does(who, act(bell, Verb.ACQUIRE, "wait", "wait", compound=True))
    scene.does("Cleo", act(bell, Verb.RELEASE, "woken", "wait", compound=True))
    for who in ("Ada", "Bob", "Cleo"):
        scene.ends(who, -9)
    asleep_on = [scene.actor(who).asleep_on for who in ("Ada", "Bob", "Cleo")]
    assert asleep_on == [bell.id, bell.id, ""]


def test_a_release_that_is_refused_is_one_step_and_gives_nothing() -> None:
    scene = Scene("Ada")
    lock = scene.lock("lock")
    scene.recorder.effect(0, release(lock), "None")
    assert scene.steps[-1].sentence == "calls release on lock: ValueError"
    scene.recorder.refused(0, release(lock), "ValueError")
    assert scene.state.semaphore(lock).value == 1
    assert len(scene.steps) == 1


def test_a_release_that_was_only_told_before_the_taking_is_not_refused() -> None:
    scene = Scene("Ada", "Bob")
    lock = scene.lock("lock")
    scene.recorder.effect(0, release(lock), "None")  # Bob has the lock, and has not said so yet
    scene.recorder.effect(1, acquire(lock), "True")
    assert scene.state.semaphore(lock).value == 1


def test_a_look_at_a_value_gives_nothing_even_where_strangers_are_believed() -> None:
    scene = Scene("Ada")
    count = scene.semaphore("count", 0)
    scene.recorder.effect(0, act(count, Verb.VALUE, "permits", "get_value"), "True", believe=True)
    assert scene.state.semaphore(count, "permits").value == 0


def test_what_is_made_under_a_name_used_before_begins_anew() -> None:
    scene = Scene("Ada")
    scene.does("Ada", act(scene.value("count", "0"), Verb.WRITE, "value", "set", detail="7"))
    count = scene.value("count", "0")
    assert scene.state.atoms[count.parts["value"]].value == "0"
