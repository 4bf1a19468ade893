"""Runs under the X-ray, for tests: stepped atom by atom, or at one grain and then the other."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from running import DEADLINE, Run, world

from syncsim.core.schedule import Grain
from syncsim.core.scheduler import Scheduler


def control(
    path: Path, scheduler: Scheduler, *arguments: str, grains: Iterator[Grain] | None = None
) -> Run:
    """Runs the program to its end; before each choice the next of ``grains`` is switched to."""
    run = Run()
    end = time.monotonic() + 3 * DEADLINE
    with world(path, *arguments, run=run) as real:
        real.settle(end)
        while not real.over:
            real.adapt(scheduler.grain or (next(grains) if grains else Grain.ATOM), end)
            choices = real.choices()
            if not choices and any(actor.outside for actor in real.state.actors):
                real.pump(0.05)  # on a busy machine somebody is slow to begin
                real.settle(end)
                continue
            choice = scheduler.choose(real.state, choices) if choices else None
            if choice is None:
                break
            run.chosen.append(choice)
            real.take(choice, end)
            assert real.quiet or real.over, f"not quiet after {choice}: {real.state}"
        run.state = real.state
    return run


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
