"""Each puzzle on real processes: a seed is a run, a schedule is the same run again."""

from __future__ import annotations

from functools import cache

import pytest
from either import either
from running import Run, control

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import Random, Replay, RoundRobin
from syncsim.puzzles.catalogue import Puzzle, catalogue, find

PUZZLES = catalogue()
SOME_SEEDS = (1, 2)
ALL_SEEDS = range(1, 51)
each_puzzle = pytest.mark.parametrize("puzzle", PUZZLES, ids=lambda puzzle: puzzle.slug)


@cache
def run_with(slug: str, seed: int) -> Run:
    return control(find(slug).program, Random(seed))


def assert_same(one: Run, other: Run) -> None:
    assert other.schedule == one.schedule
    assert other.told == one.told
    assert other.actors == one.actors
    assert other.diagnosis.verdict is one.diagnosis.verdict
    assert other.diagnosis.explanation == one.diagnosis.explanation
    assert other.diagnosis.findings == one.diagnosis.findings
    assert other.text("stdout") == one.text("stdout")


def assert_repeats(puzzle: Puzzle, seed: int) -> Run:
    """The same seed, and then the schedule of the run, make the same steps."""
    run = run_with(puzzle.slug, seed)
    assert_same(run, control(puzzle.program, Random(seed)))
    assert_same(run, control(puzzle.program, Replay(run.schedule)))
    return run


def assert_outcomes(puzzle: Puzzle, verdicts: set[Verdict | None]) -> None:
    if puzzle.goal.kind == "watch":
        assert verdicts == {Verdict.FINISHED}
    else:
        assert verdicts == {Verdict.FINISHED, puzzle.goal.verdict}


@either("seed", SOME_SEEDS)
@each_puzzle
def test_a_seed_makes_the_same_steps_twice_and_its_schedule_a_third_time(
    puzzle: Puzzle, seed: int
) -> None:
    assert_repeats(puzzle, seed)


@each_puzzle
def test_a_run_ends_as_its_goal_allows(puzzle: Puzzle) -> None:
    allowed = {Verdict.FINISHED, puzzle.goal.verdict or Verdict.FINISHED}
    verdicts = {run_with(puzzle.slug, seed).diagnosis.verdict for seed in SOME_SEEDS}
    assert verdicts <= allowed


@each_puzzle
def test_steps_are_numbered_and_every_process_is_known(puzzle: Puzzle) -> None:
    run = run_with(puzzle.slug, 1)
    assert [step.n for step in run.steps] == list(range(1, len(run.steps) + 1))
    assert run.state.n == len(run.steps)
    assert {step.process for step in run.steps} <= {actor.name for actor in run.state.actors}
    assert run.state.actors[0].name == "main"
    assert len({actor.pid for actor in run.state.actors}) == len(run.state.actors)


@each_puzzle
def test_every_step_of_a_process_has_its_line_in_the_program(puzzle: Puzzle) -> None:
    lines = puzzle.program.read_text().splitlines()
    for step in run_with(puzzle.slug, 2).steps:
        if step.call not in ("exit", "Queue.flush"):  # leaving is asked for by no line
            assert step.file == str(puzzle.program)
            assert lines[step.line - 1].strip()


@each_puzzle
def test_every_primitive_has_the_name_the_source_gives_it(puzzle: Puzzle) -> None:
    for primitive in run_with(puzzle.slug, 1).state.primitives.values():
        assert "#" not in primitive.name
        for name in primitive.name.partition("[")[0].split("/"):  # a Pipe has two ends
            assert name in puzzle.program.read_text()


@each_puzzle
def test_in_round_robin_every_run_is_the_same(puzzle: Puzzle) -> None:
    assert_same(control(puzzle.program, RoundRobin()), control(puzzle.program, RoundRobin()))


@pytest.mark.slow
@each_puzzle
def test_fifty_seeds_each_make_the_same_steps_three_times(puzzle: Puzzle) -> None:
    verdicts = {assert_repeats(puzzle, seed).diagnosis.verdict for seed in ALL_SEEDS}
    assert_outcomes(puzzle, verdicts)
