"""Motion with real processes: in the panel of the stage, and in a terminal."""

from __future__ import annotations

import re

import pytest
from staging import LARGE, Clock
from terminal import Terminal, terminal
from test_real_runs import played, until

from syncsim.core.live import Mode
from syncsim.puzzles.catalogue import find
from syncsim.ui.app import SyncsimApp
from syncsim.ui.screens.stage_screen import StageScreen

pytestmark = pytest.mark.once

FRAMES = 9


@pytest.mark.parametrize(
    "slug",
    [
        "producer-consumer",
        "bounded-resource",
        "two-phase-handshake",
        pytest.param("readers-writers", marks=pytest.mark.slow),
    ],
)
async def test_each_step_that_moves_something_has_four_pictures(slug: str) -> None:
    clock = Clock()
    app = SyncsimApp(find(slug), clock=clock)
    async with app.run_test(size=LARGE) as pilot:
        play = played(app)
        stage = app.screen
        assert isinstance(stage, StageScreen)
        panel = stage._panels.primitives
        await until(pilot, lambda: bool(play.history.now.state.actors))
        moved = n = 0

        def over() -> bool:
            return play.mode is Mode.OVER and play.history.now.state.n == n

        while not over():
            await pilot.press("s")
            # (That it is over is told a moment after the last step.)
            await until(pilot, lambda n=n: stage._drawn[0].state.n > n or over())  # type: ignore[misc]
            n = play.history.now.state.n
            pictures = set()
            for _ in range(FRAMES + 1):
                lines = range(panel.scrollable_content_region.height)
                pictures.add("\n".join(panel.render_line(y).text for y in lines))
                clock.now += 0.3001 / FRAMES
                panel._frame()
            if len(pictures) > 1:
                moved += 1
                assert len(pictures) >= 4, (play.history.now.step, sorted(pictures))
        assert moved >= 8


def step_of(screen: Terminal) -> int:
    found = re.search(r"step (\d+)", screen.lines[0])
    return int(found[1]) if found and "start" in "".join(screen.lines) else -1


def columns_of_a_loaf(screen: Terminal) -> list[int]:
    """Where the first loaf was seen, from the hand of the baker to its place on the shelf."""
    places: list[int] = []

    def look() -> bool:
        line = next((line for line in screen.lines if "Queue" in line), "")
        loaf = line.find("'rye'")
        if loaf >= 0 and loaf not in places[-1:]:
            places.append(loaf)
        return "'rye' ┆" in line

    for n in range(3):  # random:1 lets Ada put in the third step
        screen.until(lambda n=n: step_of(screen) == n)  # type: ignore[misc]
        screen.press("s")
    screen.until(look)
    return places


def test_in_a_terminal_an_item_travels_from_the_baker_along_the_shelf() -> None:
    with terminal("producer-consumer") as screen:
        places: list[int] = []
        for _ in range(10):  # a machine that is busy leaves frames out: once more
            places = columns_of_a_loaf(screen)
            if len(places) >= 4:
                break
            screen.press("r")
        assert len(places) >= 4
        assert places == sorted(places)


def test_in_a_terminal_nothing_travels_where_motion_is_reduced() -> None:
    with terminal("producer-consumer", TEXTUAL_ANIMATIONS="none") as screen:
        assert len(columns_of_a_loaf(screen)) == 1
