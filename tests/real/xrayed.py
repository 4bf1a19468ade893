"""Runs under the X-ray, for tests: stepped atom by atom, or at one grain and then the other."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import running
from running import Run

from syncsim.core.schedule import Grain
from syncsim.core.scheduler import Scheduler


def control(
    path: Path, scheduler: Scheduler, *arguments: str, grains: Iterator[Grain] | None = None
) -> Run:
    """Runs the program to its end; before each choice the next of ``grains`` is switched to."""
    grains = grains or itertools.repeat(Grain.ATOM)
    return running.control(path, scheduler, *arguments, grains=grains)


def switching(seed: int) -> Iterator[Grain]:
    """Now and then the X-ray is switched on or off."""
    dice = random.Random(seed)
    grain = Grain.CALL
    while True:
        if dice.random() < 0.3:
            grain = dice.choice(list(Grain))
        yield grain


def assert_same(one: Run, other: Run) -> None:
    assert other.schedule == one.schedule
    assert other.told == one.told
    assert other.actors == one.actors
    assert other.diagnosis.explanation == one.diagnosis.explanation
    assert other.text("stdout") == one.text("stdout")
