"""The panel of what happened: the steps in words, newest first."""

from __future__ import annotations

from itertools import islice
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from syncsim.core.state import State
from syncsim.session.history import History, Line
from syncsim.ui.look import badge, clean, colour, cut_end, pad, shown


class HappenedPanel(Widget, can_focus=True):
    """Numbered steps; in between, quieter, who begins to wait and what was printed.

    Only the lines on the screen are worked out, so it does not matter how long the run is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "older(-1)", "newer", show=False),
        Binding("down", "older(1)", "older", show=False),
        Binding("pageup", "older(-10)", "newer", show=False),
        Binding("pagedown", "older(10)", "older", show=False),
        Binding("home", "older(-1000000)", "newest", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"happened--newest"}

    def __init__(self, history: History, opening: Content) -> None:
        """``opening`` stands there before the first step."""
        super().__init__(id="happened")
        self.border_title = "What happened"
        self._opening = opening
        self._history = history
        self._lines: list[Line] = []
        self._state = State()
        self._n: int | None = None
        self._skip = 0

    def begin(self, history: History) -> None:
        """Show another run, from its history."""
        self._history = history
        self._skip = 0

    def show(self, state: State, n: int | None) -> None:
        """Show what happened until step ``n``, None being now; ``state`` has the names."""
        if n != self._n:
            self._skip = 0
        named = [actor.name for actor in state.actors]
        renamed = named != [actor.name for actor in self._state.actors]
        self._n, self._state = n, state
        height = self.size.height
        wanted = islice(self._history.lines(n), self._skip, self._skip + height)
        lines = list(wanted)
        if renamed or lines != self._lines:
            self._lines = lines
            self.refresh()

    def action_older(self, by: int) -> None:
        """Scroll; a negative number is towards the newest."""
        skip = max(0, self._skip + by)
        beyond = next(islice(self._history.lines(self._n), skip, None), None)
        if beyond is not None or by < 0:
            self._skip = skip
            self.show(self._state, self._n)
        self.border_subtitle = f"{self._skip} newer lines" if self._skip else None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Older."""
        event.stop()
        self.action_older(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Newer."""
        event.stop()
        self.action_older(-3)

    def on_resize(self) -> None:
        """Redraw for the new height."""
        self.show(self._state, self._n)

    def render_line(self, y: int) -> Strip:
        """One line of the panel."""
        style = self.visual_style
        width = self.size.width
        if not self._lines:
            opening = self._opening.wrap(width)
            return _strip(opening[y] if y < len(opening) else Content(), self, width)
        if y >= len(self._lines):
            return Strip.blank(width, style.rich_style)
        newest = not self._skip and next(
            (at for at, line in enumerate(self._lines) if line.kind == "step"), -1
        )
        return _strip(self._content(self._lines[y], y == newest), self, width)

    def _content(self, line: Line, newest: bool) -> Content:
        actors = self._state.actors
        names = min(12, max((cell_len(clean(a.name)) for a in actors), default=4))
        digits = max(4, len(str(self._state.n)))
        number = f"{line.n if line.n is not None else '':>{digits}} "
        known = line.actor is not None and line.actor < len(actors)
        actor = actors[line.actor] if known and line.actor is not None else None
        who = pad(clean(actor.name if actor else "?"), names)
        room = self.size.width - digits - 4 - names
        tone = {"step": "$foreground", "wait": "$quiet", "print": "italic $foreground"}
        text = line.text if line.kind != "print" else f"› {line.text}"
        return Content.assemble(
            (number, "$quiet"),
            (f"{badge(actor) if actor else ' '} ", colour(actor) if actor else ""),
            (shown(who) + " ", colour(actor) if actor else "$quiet"),
            (
                shown(cut_end(clean(text, 500), room)),
                "bold $foreground" if newest else tone[line.kind],
            ),
        )


def _strip(content: Content, widget: Widget, width: int) -> Strip:
    style = widget.visual_style
    strip = Strip(content.render_segments(style))
    return strip.adjust_cell_length(width, style.rich_style)
