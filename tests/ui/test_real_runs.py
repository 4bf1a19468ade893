"""The stage with real processes: what one sees is so, and nothing of it stays behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from textual.pilot import Pilot

from syncsim.core.live import Mode
from syncsim.puzzles.catalogue import find
from syncsim.session.playing import Playing
from syncsim.ui.app import SyncsimApp
from syncsim.ui.screens.stage_screen import StageScreen

PATIENCE = 60.0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        await pilot.pause(0.02)


def played(app: SyncsimApp) -> Playing:
    stage = app.screen
    assert isinstance(stage, StageScreen)
    return stage.session.playing


async def test_the_pids_on_the_stage_live_until_one_leaves() -> None:
    app = SyncsimApp(find("ab-ba"))
    async with app.run_test(size=(120, 40)) as pilot:
        play = played(app)
        await until(pilot, lambda: bool(play.history.now.state.actors))
        for n in (1, 2):
            await pilot.press("s")
            await until(pilot, lambda n=n: play.history.now.state.n >= n)  # type: ignore[misc]
        pids = [actor.pid for actor in play.history.now.state.actors if not actor.ended]
        assert len(pids) >= 2
        assert all(alive(pid) for pid in pids)
        await pilot.press("q")
        await until(pilot, lambda: not any(alive(pid) for pid in pids))


async def test_one_branches_off_and_makes_the_same_steps_until_there() -> None:
    app = SyncsimApp(find("dining-philosophers"))
    async with app.run_test(size=(120, 40)) as pilot:
        play = played(app)
        await pilot.press(*["plus"] * 12, "space")
        await until(pilot, lambda: play.mode is Mode.OVER)
        before = [m.step.sentence for m in play.history.moments if m.step]
        await pilot.press("left", "left", "left", "b")
        await until(pilot, lambda: not play.replaying)
        await until(pilot, lambda: play.history.now.state.n == len(before) - 3)
        assert [m.step.sentence for m in play.history.moments if m.step] == before[:-3]
        assert not play.broken
