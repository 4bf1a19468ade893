"""The virtual world beside the real one: the same choices, the same steps, the same verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.schedule import Choice, Grain, format_schedule
from syncsim.core.steps import Step
from syncsim.program.source import load
from syncsim.puzzles.catalogue import catalogue
from syncsim.real.run import RealRun
from syncsim.virtual.run import VirtualRun

#: (The exchange prints how long it took.)
PUZZLES = [puzzle.program for puzzle in catalogue() if puzzle.slug != "exchange"]
#: The puzzle with a queue.
FED = "producer-consumer"
PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def shown(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """The steps without what differs from run to run anyway."""
    return [{name: value for name, value in asdict(s).items() if name != "pid"} for s in steps]


#: Everything that a manager can keep, by a start method.
MANAGED = Path(__file__).parents[1] / "real" / "programs" / "managed.py"


def run_both(
    path: Path, seed: int, *arguments: str, grains: Sequence[Grain] = (Grain.CALL,), faults: int = 0
) -> None:
    """Each step at one of these grains; so many times a fault instead, if there is one."""
    source = random.Random(seed)
    program = load(path, arguments)
    made: list[Choice] = []
    virtual, real = VirtualRun(program), RealRun(program, patience=30.0)
    try:
        real.settle()
        while real.choices():
            where = f"after {format_schedule(made)!r}"
            grain = source.choice(grains) if len(grains) > 1 else grains[0]
            virtual.adapt(grain)
            real.adapt(grain)
            choices = real.choices()
            assert virtual.choices() == choices, where
            assert virtual.faults() == real.faults(), where
            choice = source.choice(choices)
            if faults and (strikes := real.faults()) and source.random() < 0.3:
                choice, faults = source.choice(strikes), faults - 1
            made.append(choice)
            steps = shown(real.take(choice))
            real.settle()
            assert shown(virtual.take(choice)) == steps, f"{where}, {choice}"
        assert virtual.choices() == ()
        assert diagnose(virtual.state) == diagnose(real.state)
    finally:
        real.close()
        virtual.close()


@pytest.mark.parametrize(
    "path", [*PUZZLES, *PROGRAMS], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_random_schedule_has_the_same_steps_in_both_worlds(path: Path) -> None:
    run_both(path, 1)


#: Without a queue: the feeder of one is an actor on real processes alone.
UNFED = [puzzle.program for puzzle in catalogue() if puzzle.slug not in ("exchange", FED)]


@pytest.mark.parametrize("path", UNFED, ids=lambda path: path.parent.name)
def test_steps_inside_calls_are_the_same_in_both_worlds(path: Path) -> None:
    run_both(path, 1, grains=tuple(Grain))


@pytest.mark.parametrize("path", UNFED, ids=lambda path: path.parent.name)
def test_what_a_person_does_to_a_process_is_the_same_in_both_worlds(path: Path) -> None:
    run_both(path, 2, grains=tuple(Grain), faults=3)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_a_manager_keeps_is_stepped_the_same_in_both_worlds(method: str) -> None:
    run_both(MANAGED, 1, method)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_many_schedules_with_a_manager_have_the_same_steps(seed: int) -> None:
    run_both(MANAGED, seed, "fork")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "path", [*PUZZLES, *PROGRAMS], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_many_random_schedules_have_the_same_steps(path: Path, seed: int) -> None:
    run_both(path, seed)
