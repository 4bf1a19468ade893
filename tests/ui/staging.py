"""The whole application with runs in the virtual world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from checks import ScriptedCheck
from plays import Play
from rest import at_rest
from textual.pilot import Pilot

from syncsim.core.live import Live
from syncsim.core.scheduler import Scheduler
from syncsim.program.source import Program
from syncsim.puzzles.catalogue import Puzzle, find
from syncsim.session.background_check import Check
from syncsim.ui.app import SyncsimApp
from syncsim.ui.screens.stage_screen import StageScreen

SMALL = (80, 24)
LARGE = (120, 40)

#: The keys that lead the four philosophers into their deadlock: main starts all, then each
#: takes the left fork.
TO_THE_DEADLOCK = ("down", *["enter"] * 4, *["down", "enter"] * 4)


class Clock:
    """It stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Staging:
    """An app, and every run and every check that it started, the newest last."""

    def __init__(self, opening: Puzzle | Program | str | None = "dining-philosophers") -> None:
        self.runs: list[Play] = []
        self.checks: list[ScriptedCheck] = []
        self.pilot: Pilot[int]
        self.clock = Clock()
        puzzle = find(opening) if isinstance(opening, str) else opening
        self.app = SyncsimApp(puzzle, self._start, self._check, self.clock)
        self.app.animation_level = "none"

    def _start(self, program: Program, scheduler: Scheduler) -> Live:
        live = Play(program, scheduler)
        self.runs.append(live)
        return live

    def _check(self, program: Program) -> Check:
        check = ScriptedCheck(program)
        self.checks.append(check)
        return check

    @property
    def check(self) -> ScriptedCheck:
        """The newest check."""
        return self.checks[-1]

    @property
    def live(self) -> Play:
        """The newest run."""
        return self.runs[-1]

    @property
    def stage(self) -> StageScreen:
        """The stage, also where another screen is over it."""
        return next(s for s in self.app.screen_stack if isinstance(s, StageScreen))

    @property
    def text(self) -> str:
        """What is on the screen, as text."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    async def press(self, *keys: str) -> str:
        """Press the keys and wait until what they did is drawn; the text on the screen."""
        # One sees what has happened before one presses a key; and what a key does decides who
        # gets the next.
        await self._draw()
        for key in keys:
            await self.pilot.press(key)
            await self._draw()
        return self.text

    async def drawn(self) -> str:
        """Wait until what has happened is drawn; the text on the screen."""
        await self._draw()
        return self.text

    async def _draw(self) -> None:
        for _ in range(3):
            if any(isinstance(screen, StageScreen) for screen in self.app.screen_stack):
                self.stage.look()
            await at_rest(self.app)


@asynccontextmanager
async def staged(
    opening: Puzzle | Program | str | None = "dining-philosophers",
    size: tuple[int, int] = LARGE,
) -> AsyncIterator[Staging]:
    """The app, running."""
    staging = Staging(opening)
    async with staging.app.run_test(size=size) as staging.pilot:
        await staging._draw()
        yield staging
