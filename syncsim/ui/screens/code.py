"""The program on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from syncsim.core.operation import Site
from syncsim.core.state import State
from syncsim.program.source import Program
from syncsim.ui.widgets.keys import KeyLine, key
from syncsim.ui.widgets.source_panel import SourcePanel


class CodeScreen(Screen[None]):
    """The source as it stands, with everybody where they were when it was opened."""

    CSS_PATH = "code.tcss"
    AUTO_FOCUS = "#code"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("up", "scroll(-1)", "scroll", "Scroll.", id="code.up", sign="↑↓"),
        key("q,escape,c", "app.pop_screen", "back", "Back.", id="code.back", sign="q"),
    ]

    def __init__(self, program: Program, state: State, place: Site | None) -> None:
        super().__init__()
        self._program = program
        self._state = state
        self._place = place

    def compose(self) -> ComposeResult:
        """One panel and the keys."""
        yield SourcePanel(self._program, id="code")
        yield KeyLine(self.BINDINGS)

    def on_mount(self) -> None:
        """Show where everybody is."""
        self.query_one(SourcePanel).show(self._state, self._place)
