"""Faults on the stage: kill, terminate, stop and continue the chosen process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from either import either
from plays import START_ALL
from staging import LARGE, SMALL, Staging, staged
from test_screens_drawn import Compare, playing

from syncsim.core.live import Mode
from syncsim.core.schedule import Choice, Move, parse_schedule
from syncsim.core.scheduler import Replay

SIZES = either("size", [SMALL, LARGE], ids=["80x24", "120x40"])

#: Main starts everyone, then Plato is chosen.
TO_PLATO = ("down", *["enter"] * 4, "down")


def moves(staging: Staging) -> list[Move]:
    schedule = staging.stage.session.playing.history.schedule(
        staging.stage.session.playing.history.now
    )
    assert schedule is not None
    return [choice.move for choice in schedule if choice.move.is_fault]


@SIZES
async def test_k_asks_what_to_do_and_hides_nothing_of_the_processes(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        text = await staging.press(*TO_PLATO, "k")
        assert "What to do to ▌Plato" in text or "What to do to ▐Plato" in text
        assert "kill       SIGKILL  gone at once; what it holds is never given back" in text
        assert "terminate  SIGTERM  asked to end; a handler of its own may answer" in text
        assert "stop       SIGSTOP  halts where it is and keeps what it holds" in text
        assert "continue   SIGCONT  Plato is not stopped." in text
        for name in ("main", "Plato", "Socrates", "Kant", "Hume"):
            assert f"{name} " in text
        line = text.splitlines()[-1]
        assert "k kill" in line
        assert "s stop" in line
        assert "continue" not in line
        text = await staging.press("escape")
        assert "SIGKILL" not in text
        assert "space play" in text


async def test_kk_kills_and_the_others_see_what_comes_of_it() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_PLATO, "enter", "k", "k")
        assert moves(staging) == [Move.KILL]
        assert "Plato    is killed by the person" in text
        assert "✗ killed" in text
        assert "by you (SIGKILL)" in text
        assert staging.live.state.actors[1].ended


async def test_who_is_stopped_can_be_continued_or_killed_only() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_PLATO, "k", "s")
        assert "■ stopped" in text
        assert "Plato is stopped: k continues it." in await staging.press("enter")
        text = await staging.press("k")
        assert "stop       SIGSTOP  Plato is stopped already." in text
        assert "s stop" not in text.splitlines()[-1]
        text = await staging.press("s")
        assert moves(staging) == [Move.STOP]
        text = await staging.press("c")
        assert moves(staging) == [Move.STOP, Move.CONTINUE]
        assert "● ready" in text
        assert "Plato    goes on again" in text


async def test_arrows_and_enter_choose_in_the_menu_and_not_among_the_processes() -> None:
    async with staged() as staging:
        await staging.press(*TO_PLATO, "k", *["down"] * 3, "enter")
        assert moves(staging) == [Move.STOP]
        assert staging.stage._panels.processes.chosen == 1
        await staging.press("k", "up", "enter")
        assert moves(staging) == [Move.STOP, Move.CONTINUE]
        await staging.press("k", "down", "down", "enter")
        assert moves(staging) == [Move.STOP, Move.CONTINUE, Move.TERMINATE]


async def test_nothing_is_chosen_before_one_chooses_it() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_PLATO, "k", "enter")
        assert moves(staging) == []
        assert "SIGKILL" in text  # it is still open
        assert "▸ k  kill" not in text
        assert "do it" not in text.splitlines()[-1]
        text = await staging.press("down")
        assert "▸ k  kill" in text
        assert "⏎ do it" in text.splitlines()[-1]
        text = await staging.press("escape", "k")  # what was chosen before is not chosen again
        assert "▸ k  kill" not in text


async def test_the_schedule_that_is_copied_has_the_fault_and_a_branch_replays_it() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_PLATO, "enter", "k", "k", "down", "enter", "y")
        assert "Schedule copied: a4bb@kc" in text
        await staging.press("left", "b")
        replay = staging.live.scheduler
        assert isinstance(replay, Replay)
        assert replay.schedule == parse_schedule("a4bb@k")
        staging.live.finish()
        await staging.drawn()
        assert moves(staging) == [Move.KILL]
        assert staging.live.state.actors[1].killed is Move.KILL


async def test_a_puzzle_is_not_won_by_killing() -> None:
    async with staged() as staging:
        await staging.press(*TO_PLATO, "enter", "k", "k")  # it has a fork that Hume needs
        staging.live.finish()
        text = await staging.drawn()
        assert "Deadlock" in text
        assert "dead holder" in text
        assert "Goal reached" not in text


async def test_after_a_deadlock_one_may_still_kill_and_the_run_goes_on() -> None:
    async with staged() as staging:
        staging.live.run(*START_ALL, 1, 2, 3, 4)
        text = await staging.press("down", "down", "k")
        assert staging.live.mode is Mode.OVER
        assert "SIGKILL" in text
        await staging.press("k")
        assert staging.live.mode is Mode.PAUSED
        assert staging.live.state.choices() == (Choice(0),)  # main may join it


async def test_playing_pauses_while_one_chooses() -> None:
    async with staged() as staging:
        await staging.press("down", "space", "k")
        assert staging.live.mode is Mode.PAUSED


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (("k",), "Choose a process first"),
        (("s", "s", "left", "down", "k"), "This is the past"),
    ],
)
async def test_where_nothing_can_be_done_it_is_said(keys: tuple[str, ...], why: str) -> None:
    async with staged() as staging:
        text = await staging.press(*keys)
        assert why in text
        assert "SIGKILL" not in text


async def test_with_everybody_ended_there_is_nobody_to_kill() -> None:
    async with staged() as staging:
        staging.live.finish()
        text = await staging.press("down", "k")
        assert "SIGKILL" not in text
        assert "k fault" not in text.splitlines()[-1]


async def test_a_restart_closes_the_menu() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_PLATO, "k", "r")
        assert "SIGKILL" not in text
        assert "step 0" in text


async def test_a_click_does_what_is_written_there() -> None:
    async with staged() as staging:
        await staging.press(*TO_PLATO, "k")
        await staging.pilot.click("#faults", offset=(6, 3))
        await staging.drawn()
        assert moves(staging) == [Move.STOP]


@SIZES
def test_the_menu_drawn(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before: Callable[[Any], Any] = playing(staging, *TO_PLATO, "enter", "k")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_one_who_is_stopped_drawn(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before: Callable[[Any], Any] = playing(staging, *TO_PLATO, "enter", "k", "s", "k")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)
