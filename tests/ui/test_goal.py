"""The goal of a puzzle on the stage: all of it, and a par that says what it counts."""

from __future__ import annotations

import re

import pytest
from checks import CAN_DEADLOCK, DEADLOCK, _step
from either import either
from msgspec.structs import replace
from staging import LARGE, SMALL, TO_THE_DEADLOCK, Staging, staged

from syncsim.puzzles.catalogue import Puzzle, catalogue, find
from syncsim.ui.widgets.header import GoalLine

SIZES = either("size", [SMALL, LARGE], ids=["80x24", "120x40"])


def goal(staging: Staging) -> list[str]:
    """The lines of the screen on which the goal stands."""
    region = staging.stage.query_one(GoalLine).region
    return [line.rstrip() for line in staging.text.splitlines()[region.y : region.bottom]]


def read(staging: Staging) -> str:
    """The goal and its par, as one reads them: the words in their order, the par at the end."""
    first, *rest = goal(staging)
    words, _, par = first.partition("   par ")
    return " ".join(" ".join([words, *rest, f"par {par}" if par else ""]).split())


def told(puzzle: Puzzle, by_call: str = "") -> str:
    par = f" par {puzzle.goal.par} steps{by_call}" if puzzle.goal.par else ""
    return f"Goal: {puzzle.goal.text}{par}"


@pytest.mark.parametrize("puzzle", catalogue(), ids=lambda puzzle: puzzle.slug)
async def test_every_goal_can_be_read_in_full_where_it_is_narrow(puzzle: Puzzle) -> None:
    async with staged(puzzle, SMALL) as staging:
        assert read(staging) == told(puzzle)
        await staging.press("x")
        assert read(staging) == told(puzzle, " by call")


@SIZES
async def test_a_goal_has_a_second_line_only_where_it_needs_one(size: tuple[int, int]) -> None:
    short, long = find("dining-philosophers"), find("if-instead-of-while")
    async with staged(short, size) as staging:
        assert len(goal(staging)) == 1
    async with staged(long, size) as staging:
        assert len(goal(staging)) == (2 if size == SMALL else 1)
        await staging.pilot.resize_terminal(*LARGE)
        await staging.drawn()
        assert len(goal(staging)) == 1


@pytest.mark.parametrize("size", [SMALL, (40, 12)])
async def test_what_is_too_long_for_two_lines_is_cut_before_its_par_is(
    size: tuple[int, int],
) -> None:
    puzzle = find("dining-philosophers")
    endless = replace(puzzle.goal, text="Bring them all to a standstill, " * 9, par=8)
    async with staged(replace(puzzle, goal=endless), size) as staging:
        first, second = goal(staging)
        assert first.startswith(" Goal: Bring")
        assert first.endswith("   par 8 steps")
        assert second.endswith("…")
        assert "Processes" in staging.text


@SIZES
async def test_a_goal_reached_by_call_is_beside_its_par(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        text = await staging.press(*TO_THE_DEADLOCK)
        assert "Goal reached in 8 steps · deadlock" in text
        assert " par 8  ─" in text
        assert "by call" not in text


@SIZES
async def test_a_goal_reached_inside_calls_says_that_its_par_is_by_call(
    size: tuple[int, int],
) -> None:
    async with staged("if-instead-of-while", size) as staging:
        await staging.press("N", "x", "down", "enter")
        staging.live.finish()
        text = await staging.drawn()
        assert re.search(r"Goal reached in \d+ steps with the X-ray · an assertion fails", text)
        assert " par 23 by call  ─" in text
        await staging.press("x", "left")
        assert read(staging).endswith("par 23 steps by call")  # it was not all by call


async def test_whole_calls_under_the_xray_are_counted_as_the_par_is() -> None:
    async with staged() as staging:
        text = await staging.press("x", *TO_THE_DEADLOCK, "x")
        assert "Goal reached in 8 steps · deadlock" in text
        assert "par 8 steps by call" not in text


async def test_a_par_is_by_call_beside_a_failure_told_inside_calls() -> None:
    async with staged("if-instead-of-while") as staging:
        assert read(staging).endswith("par 23 steps")
        await staging.press("v")
        steps = (_step(1, 0, "main", operation="release sleeping"),)
        inside = replace(DEADLOCK, schedule="A2BCB", steps=steps)
        staging.check.come_to(replace(CAN_DEADLOCK, failures=(inside,)), None)
        assert "1 step under the X-ray" in await staging.drawn()
        assert read(staging).endswith("par 23 steps by call")
        await staging.press("v")
        assert read(staging).endswith("par 23 steps")


async def test_a_par_beside_a_failure_told_by_call_is_as_it_was() -> None:
    async with staged() as staging:
        await staging.press("v")
        staging.check.come_to(CAN_DEADLOCK, None)
        assert "Deadlock in 8 steps," in await staging.drawn()
        assert read(staging).endswith("par 8 steps")
