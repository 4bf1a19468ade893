"""Whoever picks the next process picks one that is offered, and can say how to do it again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import Scene

from syncsim.core.schedule import Choice, Grain, Move, ScheduleError, format_schedule
from syncsim.core.scheduler import (
    Random,
    Replay,
    ReplayError,
    RoundRobin,
    Scheduler,
    scheduler_named,
)
from syncsim.core.state import State

EMPTY = State()
offers = st.lists(
    st.lists(
        st.builds(Choice, st.integers(0, 5), st.sampled_from([Move.GO, Move.TIME_OUT])),
        min_size=1,
        max_size=6,
        unique_by=lambda choice: choice.actor,
    ).map(sorted),
    min_size=1,
    max_size=60,
)


def picks(scheduler: Scheduler, story: list[list[Choice]]) -> list[Choice | None]:
    return [scheduler.choose(EMPTY, offered) for offered in story]


@given(offers, st.integers())
def test_random_picks_one_that_is_offered(story: list[list[Choice]], seed: int) -> None:
    chosen = picks(Random(seed), story)
    assert all(choice in offered for choice, offered in zip(chosen, story, strict=True))


@given(offers, st.integers())
def test_the_same_seed_makes_the_same_choices(story: list[list[Choice]], seed: int) -> None:
    assert picks(Random(seed), story) == picks(Random(seed), story)


def test_different_seeds_make_different_choices() -> None:
    story = [[Choice(0), Choice(1), Choice(2)]] * 20
    assert len({tuple(picks(Random(seed), story)) for seed in range(20)}) == 20


def test_random_gives_everyone_a_chance_and_time_runs_out_now_and_then() -> None:
    offered = [Choice(0), Choice(1), Choice(2), Choice(3, Move.TIME_OUT)]
    random = Random(7)
    counted = Counter(random.choose(EMPTY, offered) for _ in range(3000))
    assert set(counted) == set(offered)
    assert 200 < counted[Choice(3, Move.TIME_OUT)] < 400
    assert all(800 < counted[Choice(n)] < 1000 for n in range(3))


@given(offers)
def test_round_robin_picks_one_that_is_offered(story: list[list[Choice]]) -> None:
    chosen = picks(RoundRobin(), story)
    assert all(choice in offered for choice, offered in zip(chosen, story, strict=True))


@given(st.lists(st.integers(0, 9), min_size=1, unique=True), st.integers(1, 5))
def test_round_robin_lets_everyone_go_once_before_anyone_goes_twice(
    actors: list[int], rounds: int
) -> None:
    offered = [Choice(actor) for actor in sorted(actors)]
    assert picks(RoundRobin(), [offered] * (len(offered) * rounds)) == offered * rounds


@given(offers)
def test_in_round_robin_time_runs_out_only_when_nobody_can_move(story: list[list[Choice]]) -> None:
    for choice, offered in zip(picks(RoundRobin(), story), story, strict=True):
        assert choice is not None
        assert (choice.move is Move.TIME_OUT) == all(
            other.move is Move.TIME_OUT for other in offered
        )


@given(offers, st.integers())
def test_a_replay_makes_the_same_choices_and_then_wants_no_more(
    story: list[list[Choice]], seed: int
) -> None:
    chosen = [choice for choice in picks(Random(seed), story) if choice is not None]
    replay = Replay(format_schedule(chosen))
    assert picks(replay, story) == chosen
    assert replay.choose(EMPTY, story[0]) is None


def test_a_replay_that_is_not_offered_says_which_choice_and_who() -> None:
    state = Scene("main", "Ada").state
    replay = Replay("ab")
    assert replay.choose(state, [Choice(0)]) == Choice(0)
    with pytest.raises(ReplayError, match=r"choice 2 is b \(Ada\), which cannot go there"):
        replay.choose(state, [Choice(0)])


@given(offers, st.integers(), st.sets(st.integers(0, 50)))
def test_what_a_replay_wants_next_may_be_made_without_it(
    story: list[list[Choice]], seed: int, by_hand: set[int]
) -> None:
    chosen = [choice for choice in picks(Random(seed), story) if choice is not None]
    replay = Replay(chosen)
    for at, (choice, offered) in enumerate(zip(chosen, story, strict=True)):
        if at in by_hand:
            replay.made(choice)
        else:
            assert replay.choose(EMPTY, offered) == choice
    assert replay.choose(EMPTY, story[0]) is None


@pytest.mark.parametrize(
    "other", [Choice(0), Choice(1, Move.TIME_OUT), Choice(1, Move.GO, Grain.ATOM)]
)
def test_a_replay_that_was_left_wants_no_more_even_where_it_could_be_followed(
    other: Choice,
) -> None:
    replay = Replay("ab3")
    assert replay.choose(EMPTY, [Choice(0), Choice(1)]) == Choice(0)
    replay.made(other)
    assert replay.choose(EMPTY, [Choice(0), Choice(1)]) is None
    assert replay.grain is None
    replay.made(Choice(1))
    assert replay.choose(EMPTY, [Choice(0), Choice(1)]) is None


def test_a_replay_of_another_program_names_a_process_that_is_not_there() -> None:
    with pytest.raises(ReplayError, match=r"choice 1 is _99_ \(process 99\)"):
        Replay("_99_").choose(EMPTY, [Choice(0)])


def test_a_timeout_is_not_taken_for_a_step_that_goes_through() -> None:
    with pytest.raises(ReplayError, match="b@t"):
        Replay("b@t").choose(Scene("main", "Ada").state, [Choice(1)])


def test_a_replay_refuses_what_is_no_schedule() -> None:
    with pytest.raises(ScheduleError):
        Replay("!")


@pytest.mark.parametrize("name", ["round-robin", "random:0", "random:7", "random:-3"])
def test_a_scheduler_is_asked_for_by_the_name_it_has(name: str) -> None:
    assert scheduler_named(name).name == name


def test_random_alone_is_random_with_seed_zero() -> None:
    assert scheduler_named("random").name == "random:0"


@pytest.mark.parametrize(
    "name",
    ["", "Random", "random:", "random:x", "random:1.5", "random:--1", "random:²", "round-robin:1"],
)
def test_an_unknown_scheduler_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(ValueError, match=r"random:(7|SEED)"):
        scheduler_named(name)


def test_where_nobody_can_go_nobody_is_picked() -> None:
    for scheduler in (RoundRobin(), Random(3), Replay("a")):
        assert scheduler.choose(EMPTY, []) is None


def test_only_a_schedule_asks_for_faults_and_also_where_nobody_can_go() -> None:
    scene = Scene("main", "Ada")
    scene.recorder.stop(1)
    replay = Replay("b@cb@k")
    assert replay.choose(scene.state, []) == Choice(1, Move.CONTINUE)
    scene.recorder.stop(1, stopped=False)
    assert replay.choose(scene.state, [Choice(0)]) == Choice(1, Move.KILL)
    assert replay.choose(scene.state, [Choice(0)]) is None


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("b@c", r"1 is b@c \(Ada\), but Ada is not stopped;"),
        ("c@k", r"1 is c@k \(Bob\), but Bob has ended;"),
        ("d@k", r"1 is d@k \(process 3\), which cannot go there;"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_the_reason(schedule: str, why: str) -> None:
    scene = Scene("main", "Ada", "Bob")
    scene.ends("Bob")
    with pytest.raises(ReplayError, match=why):
        Replay(schedule).choose(scene.state, scene.state.choices())
