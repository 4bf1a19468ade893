"""What counts as reaching the goal of a puzzle."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncsim.core.deadlock.verdict import Diagnosis, Verdict
from syncsim.core.live import Diagnosed
from syncsim.core.schedule import Move
from syncsim.core.state import Actor, State
from syncsim.puzzles.catalogue import Goal
from syncsim.puzzles.goals import is_reached, result_of

pytestmark = pytest.mark.once

WATCH = Goal(kind="watch", text="See them finish.")
BREAK = Goal(kind="break", text="Make them wait.", verdict=Verdict.DEADLOCK, par=8)
STATE = State(actors=(Actor(0, "main", 1), Actor(1, "Ada", 2)))


def verdict(kind: Verdict, n: int = 3) -> Diagnosed:
    return Diagnosed(Diagnosis(kind), n)


@pytest.mark.parametrize("kind", Verdict)
def test_each_goal_is_reached_by_one_verdict_alone(kind: Verdict) -> None:
    assert is_reached(WATCH, kind, STATE) == (kind is Verdict.FINISHED)
    assert is_reached(BREAK, kind, STATE) == (kind is Verdict.DEADLOCK)


def test_no_goal_is_reached_where_a_person_has_killed_somebody() -> None:
    killed = replace(STATE.actors[1], killed=Move.KILL)
    state = replace(STATE, actors=(STATE.actors[0], killed))
    assert not is_reached(BREAK, Verdict.DEADLOCK, state)
    assert not is_reached(WATCH, Verdict.FINISHED, state)


def test_a_goal_to_break_is_the_persons_alone_and_one_to_watch_is_not() -> None:
    result = result_of(BREAK, [verdict(Verdict.DEADLOCK)], lambda n: STATE, "random:1")
    assert result is not None
    assert (result.reached, result.by) == (False, "random:1")
    result = result_of(BREAK, [verdict(Verdict.DEADLOCK)], lambda n: STATE, "")
    assert result is not None
    assert (result.reached, result.by) == (True, "")
    result = result_of(WATCH, [verdict(Verdict.FINISHED)], lambda n: STATE, "random:1")
    assert result is not None
    assert result.reached


def test_the_verdict_that_is_the_goal_is_told_and_else_the_newest() -> None:
    verdicts = [verdict(Verdict.DEADLOCK, 3), verdict(Verdict.CRASH, 5)]
    result = result_of(BREAK, verdicts, lambda n: STATE, "")
    assert result is not None
    assert result.verdict.n == 3
    result = result_of(WATCH, verdicts, lambda n: STATE, "")
    assert result is not None
    assert (result.verdict.n, result.reached) == (5, False)
    result = result_of(None, verdicts, lambda n: STATE, "")
    assert result is not None
    assert (result.verdict.n, result.reached) == (5, None)
    assert result_of(BREAK, [], lambda n: STATE, "") is None
