"""An app with nothing but one panel."""

from __future__ import annotations

from typing import Generic, TypeVar

from plays import Play
from textual.app import App, ComposeResult

from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.live import Printed, Settled, Stepped
from syncsim.session.history import History
from syncsim.ui import look
from syncsim.ui.widgets.lines import LinePanel
from syncsim.ui.widgets.processes_panel import ProcessesPanel
from syncsim.ui.widgets.timeline import TimelinePanel

P = TypeVar("P", bound=LinePanel)


class Bare(App[None], Generic[P]):
    """The panel fills the screen; ``drain`` shows it what has happened."""

    def __init__(self, panel: P, live: Play) -> None:
        super().__init__()
        self.panel = panel
        self.live = live
        self.history = History()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return look.theme_variables()

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.drain()

    def drain(self) -> tuple[str, ...]:
        """Show the panel the state now; what its lines say."""
        while self.live.updates:
            update = self.live.updates.popleft()
            if isinstance(update, Stepped | Settled) and isinstance(self.panel, TimelinePanel):
                self.panel.add(update.state)
            match update:
                case Stepped():
                    self.history.add(update)
                case Settled():
                    self.history.settle(update)
                case Printed():
                    self.history.hear(update)
        state = self.live.state
        if isinstance(self.panel, ProcessesPanel):
            self.panel.show(state, diagnose(state), self.history.now.last)
        else:
            self.panel.show(state, diagnose(state))  # type: ignore[attr-defined]
        return self.panel.lines

    def run_to(self, *actors: int) -> tuple[str, ...]:
        """Step these actors, one picture each; what the lines say afterwards."""
        for actor in actors:
            self.live.step(actor)
            self.drain()
        return self.panel.lines

    def seen(self) -> list[str]:
        """The rendered lines of the panel as they are on the screen."""
        region = self.panel.scrollable_content_region
        return [self.panel.render_line(y).text for y in range(region.height)]
