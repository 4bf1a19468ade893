"""A live run in the virtual world: it does what it is told, and nothing by itself."""

from __future__ import annotations

import threading

import pytest
from plays import START_ALL, Play, condition, philosophers, producer_consumer, program

from syncsim.core.live import Diagnosed, Mode, ModeChanged, Printed, Refused, Stepped
from syncsim.core.schedule import Choice, Move
from syncsim.core.scheduler import Replay

pytestmark = pytest.mark.once


def refusals(live: Play) -> list[str]:
    return [update.why for update in live.updates if isinstance(update, Refused)]


def test_it_plays_only_as_far_as_it_is_advanced_and_stops_at_a_verdict() -> None:
    live = philosophers()
    live.advance(5)
    assert live.state.n == 0
    live.use(Replay("a4bcde"))
    live.play()
    live.advance(3)
    assert live.state.n == 3
    live.advance(100)
    assert live.state.n == 8
    diagnosed, *modes = list(live.updates)[-3:]
    assert isinstance(diagnosed, Diagnosed)
    assert modes == [ModeChanged(Mode.PAUSED), ModeChanged(Mode.OVER)]


def test_a_step_is_told_with_its_choice_and_in_free_running_without() -> None:
    live = philosophers()
    live.step(0)
    live.free()
    live.advance()
    told = [update.choice for update in live.updates if isinstance(update, Stepped)]
    assert told == [Choice(0), None]


def test_what_a_step_prints_is_told_before_the_step() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 1, 1)
    printed = Printed(1, "stdout", "eats\n")
    assert live.updates.index(printed) == len(live.updates) - 2
    assert isinstance(live.updates[-1], Stepped)


def test_who_cannot_go_is_refused_with_the_reason() -> None:
    live = philosophers()
    live.run(*START_ALL, 1, 2, 1)
    assert refusals(live) == ["Plato waits for forks[1], held by Socrates."]
    live.fault(2, Move.STOP)
    live.step(2)
    assert refusals(live)[-1] == "Socrates is stopped: continue it first."
    live.step(9)
    assert refusals(live)[-1] == "There is no such process."


def test_a_schedule_of_another_program_is_refused_and_the_run_pauses() -> None:
    live = philosophers()
    live.use(Replay("z"))
    live.play()
    live.advance()
    assert "cannot be followed" in refusals(live)[0]
    assert live.mode is Mode.PAUSED


def test_nobody_is_killed_where_the_virtual_world_would_have_to_guess() -> None:
    live = producer_consumer()
    live.run(0, 1)
    live.fault(1, Move.KILL)
    assert "cannot be" in refusals(live)[0]
    assert not live.state.actors[1].ended


def test_the_xray_goes_on_and_off_in_the_middle_of_a_call() -> None:
    live = condition()
    live.run(*START_ALL[:3], 1, 1)
    live.xray(on=True)
    n = live.run(1).n
    live.xray(on=False)
    assert live.run(1).n == n + 1
    assert live.state.actors[1].pending is not None


def test_it_can_be_closed_from_any_thread() -> None:
    live = Play(program("counter"))
    live.run(0, 0, 1)
    thread = threading.Thread(target=live.close)
    thread.start()
    thread.join(60)
    assert live.closed
    assert live.mode is Mode.OVER
    live.step()
    assert refusals(live) == ["The run is over: restart it or look back."]
