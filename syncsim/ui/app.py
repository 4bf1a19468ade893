"""The application: themes, signals, and which screen comes first."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from syncsim.puzzles.catalogue import Puzzle
from syncsim.session.background_check import BackgroundCheck, Begin
from syncsim.session.closing import wait_for_closed
from syncsim.ui.look import THEMES, ascii_only, theme_variables

if TYPE_CHECKING:  # the first screen must be there at once; the rest is for the stage
    from syncsim.core.live import Live
    from syncsim.core.scheduler import Scheduler
    from syncsim.program.source import Program
    from syncsim.session.playing import Start
    from syncsim.session.speed import Clock


def start_real(program: Program, scheduler: Scheduler) -> Live:
    """Run the program with real processes."""
    from syncsim.session.monitor import Monitor  # not before somebody plays

    return Monitor(program, scheduler)


class SyncsimApp(App[int]):
    """Opens the gallery, or the stage on what it is given."""

    TITLE = "syncsim"
    # The gallery is the default screen, for which Textual does not read a CSS_PATH.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "screens/gallery.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+c,ctrl+q",
            "quit",
            "quit",
            show=False,
            priority=True,
            id="app.quit",
            tooltip="End every run and quit.",
        ),
        Binding(
            "ctrl+z",
            "suspend_process",
            "suspend",
            show=False,
            id="app.suspend",
            tooltip="Back to the shell; fg returns.",
        ),
    ]

    def __init__(
        self,
        opening: Puzzle | Program | None = None,
        start: Start = start_real,
        begin: Begin = BackgroundCheck,
        clock: Clock = time.monotonic,
        *,
        start_method: str = "",
    ) -> None:
        super().__init__()
        self._opening = opening
        self._start_method = start_method
        self._start = start
        self._begin = begin
        self._clock = clock
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.set_class(ascii_only(), "-ascii")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for the themes of others."""
        return theme_variables()

    def get_default_screen(self) -> Screen[None]:
        """The gallery is under everything."""
        from syncsim.ui.screens.gallery import GalleryScreen

        return GalleryScreen()

    def on_mount(self) -> None:
        """Be told when the terminal or the system wants us gone, or has us back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            try:
                loop.add_signal_handler(number, self.exit, 128 + number, 128 + number)
            except (NotImplementedError, RuntimeError, ValueError):
                break  # not in the main thread: then it is not ours to handle
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        if self._opening is not None:
            self.play(self._opening)

    def play(self, what: Puzzle | Program | Path) -> None:
        """Put a puzzle, a program, or the program in a file on the stage.

        Raises ``ProgramError`` where it cannot be read.
        """
        from syncsim.program.source import load
        from syncsim.ui.screens.stage_screen import StageScreen

        if isinstance(what, Puzzle):
            program, puzzle = load(what.program), what
        else:
            program, puzzle = load(what) if isinstance(what, Path) else what, None
        program = replace(program, start_method=self._start_method)
        self.push_screen(StageScreen(program, puzzle, self._start, self._begin, self._clock))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette offers every key of the screen by its description."""
        for _, binding, enabled, tooltip in screen.active_bindings.values():
            if enabled and tooltip and not binding.system:
                title = binding.description[:1].upper() + binding.description[1:]
                yield SystemCommand(
                    title,
                    tooltip,
                    lambda action=binding.action: self.call_later(screen.run_action, action),
                )
        yield SystemCommand("Theme", "Choose other colours", self.action_change_theme)


def run_app(puzzle_or_program: Puzzle | Program | None = None, start_method: str = "") -> int:
    """Open the screen and stay until one quits; the exit code.

    ``start_method`` is the default of whatever is played; empty: as Python has it.
    """
    app = SyncsimApp(puzzle_or_program, start_method=start_method)
    try:
        app.run()
    finally:
        wait_for_closed()
    return app.return_code or 0
