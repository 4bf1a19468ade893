"""The goal of a puzzle on the stage: all of it can be read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from scripted import condition, philosophers
from staging import LARGE, SMALL, Staging, staged

from syncsim.puzzles.catalogue import Puzzle, catalogue, find
from syncsim.ui.widgets.header import GoalLine

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


def goal(staging: Staging) -> list[str]:
    """The lines of the screen on which the goal stands."""
    region = staging.stage.query_one(GoalLine).region
    return [line.rstrip() for line in staging.text.splitlines()[region.y : region.bottom]]


def read(staging: Staging) -> str:
    """The goal and its par, as one reads them: the words in their order, the par at the end."""
    first, *rest = goal(staging)
    words, _, par = first.partition("   par ")
    return " ".join(" ".join([words, *rest, f"par {par}" if par else ""]).split())


def told(puzzle: Puzzle) -> str:
    par = f" par {puzzle.goal.par} steps" if puzzle.goal.par else ""
    return f"Goal: {puzzle.goal.text}{par}"


@pytest.mark.parametrize("puzzle", catalogue(), ids=lambda puzzle: puzzle.slug)
async def test_every_goal_can_be_read_in_full_where_it_is_narrow(puzzle: Puzzle) -> None:
    async with staged(philosophers, puzzle, SMALL) as staging:
        assert read(staging) == told(puzzle)


@SIZES
async def test_a_goal_has_a_second_line_only_where_it_needs_one(size: tuple[int, int]) -> None:
    short, long = find("dining-philosophers"), find("if-instead-of-while")
    async with staged(philosophers, short, size) as staging:
        assert len(goal(staging)) == 1
    async with staged(condition, long, size) as staging:
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
    async with staged(philosophers, replace(puzzle, goal=endless), size) as staging:
        first, second = goal(staging)
        assert first.startswith(" Goal: Bring")
        assert first.endswith("   par 8 steps")
        assert second.endswith("…")
        assert "Processes" in staging.text
