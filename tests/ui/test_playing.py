"""Playing a run: draining it, looking back, starting again from an earlier moment."""

from __future__ import annotations

import threading

import pytest
from plays import START_ALL, Play
from plays import program as program_of

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Broken, Live, Mode
from syncsim.core.schedule import Choice
from syncsim.core.scheduler import Replay, Scheduler
from syncsim.program.source import Program
from syncsim.session.closing import wait_for_closed
from syncsim.session.playing import Playing

RUNS: list[Play] = []


def start(program: Program, scheduler: Scheduler) -> Live:
    live = Play(program, scheduler)
    RUNS.append(live)
    return live


def playing(*actors: int) -> Playing:
    made = Playing(program_of("dining-philosophers"), start)
    RUNS[-1].run(*actors)
    made.drain()
    return made


def test_it_begins_paused_at_a_speed_one_can_follow() -> None:
    play = playing()
    assert play.mode is Mode.PAUSED
    assert RUNS[-1].steps_per_second == 4


def test_one_looks_back_and_forward_again_to_the_present() -> None:
    play = playing(*START_ALL)
    assert play.back()
    assert play.moment.state.n == 3
    play.forward()
    assert play.at is None
    assert play.moment.state.n == 4


def test_before_the_beginning_there_is_nothing() -> None:
    play = playing(0)
    assert play.back()
    assert play.moment.state.n == 0
    assert not play.back()


def test_speed_goes_up_to_flat_out_and_no_further() -> None:
    play = playing()
    play.faster(100)
    assert play.speed is None
    assert RUNS[-1].steps_per_second is None
    play.faster(-100)
    assert play.speed == 0.5


def test_a_branch_replays_what_led_there_and_then_waits() -> None:
    play = playing(*START_ALL, 1, 2)
    before = RUNS[-1]
    play.back()
    assert play.branch()
    live = RUNS[-1]
    assert live is not before
    assert isinstance(live.scheduler, Replay)
    assert live.steps_per_second is None
    for _ in range(10):
        live.advance()
        play.drain()
    assert play.history.now.state.n == 5
    assert play.mode is Mode.PAUSED or not live.updates
    assert live.mode is Mode.PAUSED
    assert live.scheduler.name == "random:1"
    assert live.steps_per_second == 4
    assert play.history.schedule(play.history.now) == [Choice(0)] * 4 + [Choice(1)]


def test_a_branch_that_goes_another_way_says_so() -> None:
    play = playing(*START_ALL, 1, 2)
    play.back()
    assert play.branch()
    live = RUNS[-1]
    live.play()
    live.advance(2)
    live.pause()
    play.drain()
    assert "another way" in play.said
    assert not play.replaying


def test_restarting_forgets_everything_but_the_speed() -> None:
    play = playing(*START_ALL)
    play.faster(1)
    play.restart()
    play.drain()
    assert play.history.now.state.n == 0
    assert RUNS[-1].steps_per_second == 8


def test_the_verdict_is_known() -> None:
    play = playing(*START_ALL, 1, 2, 3, 4)
    assert play.verdict is not None
    assert play.verdict.diagnosis.verdict is Verdict.DEADLOCK
    assert play.diagnosis is play.verdict.diagnosis


def test_a_state_of_the_past_is_judged_for_itself() -> None:
    play = playing(*START_ALL, 1, 2, 3, 4)
    play.back()
    assert play.diagnosis is not None
    assert play.diagnosis.verdict is None


def test_a_fault_is_kept_for_the_screen_to_say() -> None:
    play = playing()
    RUNS[-1].updates.append(Broken("The run was broken off."))
    play.drain()
    assert play.broken == "The run was broken off."


def test_a_run_that_does_not_end_keeps_nobody_from_quitting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = playing()
    ended = threading.Event()
    monkeypatch.setattr(RUNS[-1], "close", ended.wait)
    others = threading.enumerate()  # runs of other tests may be closing, too
    play.close()
    (thread,) = (one for one in threading.enumerate() if one not in others)
    assert thread.daemon
    wait_for_closed(0.1)  # comes back, though it would never end
    assert thread.is_alive()
    ended.set()
    thread.join(60)
    assert not thread.is_alive()


def test_whoever_cannot_start_again_is_told_and_asks_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = playing(0)

    def fails(program: Program, scheduler: Scheduler) -> Live:
        raise OSError("too many open files")

    monkeypatch.setattr(play, "_start", fails)
    play.restart()
    assert "cannot be started again" in play.broken
    play.step()
    play.drain()
    assert play.said.startswith("The run is over: r restarts it")
    assert play.history.now.state.n == 0
