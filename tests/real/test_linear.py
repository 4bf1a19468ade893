"""The events of a free run are a true linearization of what happened."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from linear import Checker
from plans import Plan, plans
from running import DEADLINE

from syncsim.core.recorder import DivergenceError
from syncsim.program.source import load
from syncsim.real.run import RealRun

PLAYER = Path(__file__).parent / "truth" / "player.py"
#: So many programs are played in one stage.
ROUND = 200


class Stage:
    """A watched player, to which one plan after the other is given."""

    def __init__(self, *arguments: str) -> None:
        self.checker = Checker()
        self.played = 0
        reader, self._plans = os.pipe()
        self._world = RealRun(
            load(PLAYER, arguments),
            controlled=False,
            stdin=reader,
            on_print=self._hear,
            on_records=self.checker.take_in,
        )
        os.close(reader)

    def _hear(self, actor: int | None, stream: str, text: str) -> None:
        assert stream == "stdout", text
        self.played += text.count("played")

    def play(self, plan: Plan) -> list[str]:
        """What the checker says of it."""
        expected = self.played + 1
        os.write(self._plans, json.dumps(plan).encode() + b"\n")
        end = time.monotonic() + DEADLINE
        while self.played < expected:
            assert time.monotonic() < end, f"does not end: {self._world.state}"
            self._world.pump(0.05)
            self.checker.compare(self._world.state)
        self.checker.conclude()
        return self.checker.complaints

    def close(self) -> None:
        os.close(self._plans)
        self._world.close()


@dataclass
class Played:
    """What came of many programs, played in one stage after the other."""

    programs: int = 0
    operations: int = 0
    #: The first that went wrong, and how: nothing is played after it.
    failure: str = ""

    @contextlib.contextmanager
    def stage(self) -> Iterator[Stage]:
        with contextlib.closing(Stage()) as stage:
            yield stage
            self.programs += stage.played
            self.operations += stage.checker.checked

    def play(self, stage: Stage, plan: Plan) -> None:
        try:
            complaints = stage.play(plan)
        except (AssertionError, DivergenceError) as error:
            complaints = [*stage.checker.complaints, repr(error)]
        if complaints:
            self.failure = f"{complaints}\n{json.dumps(plan)}"


def play_many(method: str, count: int, *, always_the_same: bool) -> Played:
    played = Played()

    # What comes of a plan comes in the order of that moment: it is not played again to shrink it.
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=always_the_same,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(plans(method))
    def make(plan: Plan) -> None:
        made.append(plan)

    made: list[Plan] = []
    make()
    for start in range(0, len(made), ROUND):
        with played.stage() as stage:
            for plan in made[start : start + ROUND]:
                if not played.failure:
                    played.play(stage, plan)
    assert not played.failure, played.failure
    return played


@pytest.mark.parametrize(("method", "count"), [("fork", 20), ("spawn", 2), ("forkserver", 2)])
def test_a_free_run_is_told_in_an_order_that_can_be_true(method: str, count: int) -> None:
    assert play_many(method, count, always_the_same=True).programs == count


@pytest.mark.slow
@pytest.mark.parametrize(("method", "count"), [("fork", 3000), ("spawn", 60), ("forkserver", 60)])
def test_thousands_of_free_runs_are_told_in_an_order_that_can_be_true(
    method: str, count: int
) -> None:
    played = play_many(method, count, always_the_same=False)
    print(f"{played.programs} programs by {method}, {played.operations:,} operations checked")
    assert played.programs == count


#: Somebody who holds, tries, puts, gets and waits, and others who do so at the same time.
CROWD: Plan = {
    "method": "fork",
    "things": [["Lock"], ["Queue"], ["Pipe"], ["Event"], ["Semaphore", 2]],
    "scripts": [
        [
            ["put", 1, 0],
            ["send", 2, me],
            *(20 * [["hold", 0, [["attempt", 4, 0, [["go_on"]]]]], ["is_set", 3]]),
            ["receive", 2, me, 0.05],
            ["get", 1, 0.05],
            ["set", 3],
            ["await_event", 3, 0.05],
        ]
        for me in (0, 1)
    ],
}


@pytest.mark.parametrize(
    ("mutant", "complaint"),
    [
        ("release_is_told_afterwards", "taken by two|by the recorder"),
        ("acquire_is_told_before", "taken by two"),
        ("a_try_lies", "cannot have been 0"),
        ("put_is_told_afterwards", "were lost|is .*by the recorder|was sent"),
        ("send_is_told_afterwards", "what nobody has sent"),
        ("a_record_is_lost", "taken by two|were lost|cannot have been"),
        ("a_record_is_told_twice", "taken by two"),
        ("an_end_is_told_too_early", "has not left"),
    ],
)
def test_an_order_that_cannot_be_true_is_complained_about(mutant: str, complaint: str) -> None:
    with contextlib.closing(Stage(mutant)) as stage:
        for _ in range(20):
            found: list[str] = []
            with contextlib.suppress(DivergenceError):
                found = stage.play(CROWD)
            found = found or stage.checker.complaints
            if found:
                break
        assert re.search(complaint, "\n".join(found)), found
