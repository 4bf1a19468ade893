"""A stage without a screen: the orders, and the one value that there is to see."""

from __future__ import annotations

import pytest
from checks import ScriptedCheck
from plays import START_ALL, Play, program
from staging import Clock

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Mode
from syncsim.core.scheduler import Scheduler
from syncsim.program.source import Program
from syncsim.puzzles.catalogue import find
from syncsim.session.stage import NOTICE, Stage
from syncsim.session.stage_view import Attention, StageView

pytestmark = pytest.mark.once


class Played:
    """A stage on the philosophers."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.runs: list[Play] = []
        puzzle = find("dining-philosophers")
        stage = Stage(program(puzzle.slug), puzzle, self._start, ScriptedCheck, self.clock)
        self.stage = stage

    def _start(self, program: Program, scheduler: Scheduler) -> Play:
        self.runs.append(Play(program, scheduler))
        return self.runs[-1]

    def view(self, attention: Attention | None = None) -> StageView:
        self.stage.take_in()
        return self.stage.view(attention or Attention())


def test_where_nothing_has_happened_two_views_are_the_same() -> None:
    played = Played()
    assert played.view() == played.view()
    before = played.view()
    played.stage.step()
    assert played.view() != before
    assert played.view() == played.view()


def test_the_way_to_the_goal_by_hand_and_back() -> None:
    played = Played()
    for actor in (*START_ALL, 1, 2, 3, 4):
        played.view()
        played.stage.step_of(actor)
    view = played.view()
    assert view.result is not None
    assert view.result.reached
    assert view.verdict is Verdict.DEADLOCK
    played.stage.back()
    view = played.view()
    assert (view.past, view.result) == (7, None)
    history = view.history
    played.stage.branch()
    played.runs[-1].advance(10)
    view = played.view()
    assert view.history is not history
    assert (view.present.n, view.past) == (7, None)


def test_what_cannot_be_is_said_for_a_while() -> None:
    played = Played()
    played.stage.step_of(None)
    assert played.view().notice.startswith("Choose a process first")
    played.clock.now += NOTICE
    assert played.view().notice == ""
    played.stage.hint()
    played.clock.now += 10 * NOTICE
    assert played.view().notice.startswith("Hint 1 of 3")


def test_a_verdict_that_there_is_no_room_for_is_not_told() -> None:
    played = Played()
    played.runs[-1].run(*START_ALL, 1, 2, 3, 4)
    assert played.view().result is not None
    assert played.view(Attention(covers_verdict=True)).result is None
    assert played.view(Attention(fault_words={})).result is None


def test_who_is_inspected_is_asked_once_per_state() -> None:
    played = Played()
    asked: list[int] = []
    played.runs[-1].inspect = asked.append  # type: ignore[method-assign]
    for _ in range(3):
        played.view(Attention(inspected=0))
    assert asked == [0]
    played.stage.step()
    played.view(Attention(inspected=0))
    played.view(Attention(inspected=0))
    assert asked == [0, 0]


def test_a_fault_is_not_offered_where_all_is_over() -> None:
    played = Played()
    played.view()
    assert played.stage.may_fault(0)
    played.runs[-1].run(*START_ALL, *(guest for guest in range(1, 5) for _ in range(11)))
    played.runs[-1].finish()
    assert played.view().mode is Mode.OVER
    assert not played.stage.may_fault(0)
    assert played.view().notice.startswith("The run is over")
