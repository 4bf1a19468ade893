"""A panel made of lines: pieces of text with named styles, drawn with the Line API.

A panel composes its lines anew whenever it is shown a state; only those that differ from
before are drawn again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from syncsim.core.state import Actor
from syncsim.ui import look

#: Where a piece comes from that was not there: in from an edge of its panel.
FROM_LEFT: Final = "<"
FROM_RIGHT: Final = ">"


class Piece(NamedTuple):
    """Clean text in one style (the names of styles, with blanks between).

    Pieces with the same ``key`` in two pictures of a line are the same thing, which can be
    seen to move from one place to the other. What was not there comes from its ``origin``: an
    edge, by which it also leaves, or the place of the thing with that key.
    """

    text: str
    style: str = ""
    key: str = ""
    origin: str = ""


Pieces: TypeAlias = Sequence[Piece]


class Line(NamedTuple):
    """One line: its pieces from left to right, and a style for the whole of it."""

    pieces: tuple[Piece, ...] = ()
    style: str = ""

    @property
    def plain(self) -> str:
        """The text of the line."""
        return "".join(piece.text for piece in self.pieces)


def width_of(pieces: Iterable[Piece]) -> int:
    """Return how many cells the pieces take."""
    return sum([cell_len(piece.text) for piece in pieces])


def fit(pieces: Pieces, width: int) -> list[Piece]:
    """The pieces in at most ``width`` cells, cut at the end with ``…``."""
    if sum([cell_len(piece.text) for piece in pieces]) <= width:
        return list(pieces)
    left = width
    kept: list[Piece] = []
    for at, piece in enumerate(pieces):
        size = cell_len(piece.text)
        # The last cell is for the ellipsis, unless this is the end.
        if size > left or (size == left and any(p.text for p in pieces[at + 1 :])):
            text = look.cut_end(piece.text + " ", left) if size <= left else piece.text
            text = look.cut_end(text, left)
            if text:
                kept.append(piece._replace(text=text))
            return kept
        kept.append(piece)
        left -= size
    return kept


def tag(actor: Actor, limit: int = 12, style: str = "", key: bool = True) -> Piece:
    """A process in its colour: its badge and its name."""
    badge, hue = look.badge(actor), look.hue(actor)
    return _tag(badge, actor.name, hue, limit, style, actor.id if key else -1)


@lru_cache(maxsize=1024)
def _tag(badge: str, name: str, hue: str, limit: int, style: str, number: int) -> Piece:
    text = badge + look.clean(name, limit)
    key = f"actor-{number}" if number >= 0 else ""
    return Piece(text, f"{hue} {style}".strip(), key, FROM_RIGHT)


#: The named styles, each a component class ``look--…`` of every panel.
STYLES: Final = (
    *(f"process-{n}" for n in range(look.COLOURS)),
    "go",
    "rest",
    "quiet",
    "good",
    "unsure",
    "bad",
    "accent",
    "fresh",
    "chosen",
    "faint",
    "faded",
)


class LinePanel(ScrollView, can_focus=True):
    """A framed panel of lines with a scroll bar where they are too many."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"look--{name}" for name in STYLES}

    DEFAULT_CSS = """
    LinePanel {
        border: round $frame;
        border-title-color: $quiet;
        border-title-background: $background;
        border-subtitle-color: $quiet;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-color: $frame;
        scrollbar-background: $background;
        &:focus {
            border: round $accent;
            border-title-color: $accent;
        }
        &.-ascii { border: ascii $frame; }
        &.-ascii:focus { border: ascii $accent; }
        .look--process-0 { color: $process-0; }
        .look--process-1 { color: $process-1; }
        .look--process-2 { color: $process-2; }
        .look--process-3 { color: $process-3; }
        .look--process-4 { color: $process-4; }
        .look--process-5 { color: $process-5; }
        .look--process-6 { color: $process-6; }
        .look--process-7 { color: $process-7; }
        .look--go { color: $foreground; }
        .look--rest { color: $rest; }
        .look--quiet { color: $quiet; }
        .look--faint { color: $frame; }
        .look--good { color: $success; }
        .look--unsure { color: $warning; }
        .look--bad { color: $error; text-style: bold; }
        .look--accent { color: $accent; }
        .look--faded { text-style: dim; }
        .look--fresh { text-style: bold; }
        .look--chosen { background: $chosen; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose_previous", "Choose", show=False, id="panel.previous"),
        Binding("down", "choose_next", "Choose", show=False, id="panel.next"),
        Binding("pageup", "page_up", "Scroll", show=False, id="panel.page-up"),
        Binding("pagedown", "page_down", "Scroll", show=False, id="panel.page-down"),
        Binding("home", "scroll_home", "Scroll", show=False, id="panel.home"),
        Binding("end", "scroll_end", "Scroll", show=False, id="panel.end"),
    ]

    def __init__(self, **names: str | None) -> None:
        super().__init__(name=names.get("name"), id=names.get("id"), classes=names.get("classes"))
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._named: dict[str, Style] = {}
        if look.ascii_only():
            self.add_class("-ascii")

    @property
    def lines(self) -> tuple[str, ...]:
        """The text of each line, scrolled away or not."""
        return tuple(look.shown(line.plain).rstrip() for line in self._lines)

    @property
    def room(self) -> int:
        """The width of a line in cells."""
        return self.scrollable_content_region.width

    @property
    def rows(self) -> int:
        """The number of lines that can be seen at once."""
        return self.scrollable_content_region.height

    def compose_lines(self) -> list[Line]:
        """Return the lines to draw now, in ``room`` cells; each panel has its own."""
        return []

    def draw(self) -> None:
        """Compose the lines, and refresh those that are different."""
        if self.room <= 0:
            return
        lines = self.compose_lines()
        before = self._lines
        self._lines = lines
        if len(lines) != len(before):
            self._strips.clear()
            self.virtual_size = Size(0, len(lines))
            self.refresh()
            return
        changed = [y for y, line in enumerate(lines) if line != before[y]]
        for y in changed:
            self._strips.pop(y, None)
        if len(changed) == len(lines):
            self.refresh()
        else:
            for y in changed:
                self.refresh_line(y)

    def on_resize(self, event: Resize) -> None:
        """Another width, another picture."""
        self._strips.clear()
        self.draw()

    def notify_style_update(self) -> None:
        """The theme or the focus has changed: styles are looked up again."""
        self._named.clear()
        self._strips.clear()
        super().notify_style_update()

    def style(self, names: str) -> Style:
        """The style with these names, the later ones upon the earlier."""
        found = self._named.get(names)
        if found is None:
            found = self.rich_style
            for name in names.split():
                found += self.get_component_rich_style(f"look--{name}", partial=True)
            self._named[names] = found
        return found

    def strip_of(self, line: Line) -> Strip:
        """The line as it is drawn."""
        whole = f" {line.style}" if line.style else ""
        segments = [
            Segment(look.shown(piece.text), self.style(piece.style + whole))
            for piece in line.pieces
        ]
        return Strip(segments).adjust_cell_length(self.room, self.style(whole))

    def render_line(self, y: int) -> Strip:
        """The line at ``y``, counted from the top of what is seen."""
        at = y + self.scroll_offset.y
        if not 0 <= at < len(self._lines):
            return Strip.blank(self.size.width, self.style(""))
        strip = self._strips.get(at)
        if strip is None:
            strip = self._strips[at] = self.strip_of(self._lines[at])
        return strip

    def reveal(self, y: int, height: int = 1) -> None:
        """Scroll so far that these lines are seen."""
        top = self.scroll_offset.y
        if y < top:
            self.scroll_to(y=y, animate=False)
        elif y + height > top + self.rows:
            self.scroll_to(y=y + height - self.rows, animate=False)

    def action_choose_next(self) -> None:
        """The next one down; a panel with nothing to choose scrolls."""
        self.scroll_down(animate=False)

    def action_choose_previous(self) -> None:
        """The next one up; a panel with nothing to choose scrolls."""
        self.scroll_up(animate=False)


class ChoicePanel(LinePanel):
    """A panel in which one chooses among things, of which each takes the same number of lines."""

    #: Lines for each thing.
    high = 1

    @property
    def count(self) -> int:
        """The number of things to choose from."""
        raise NotImplementedError

    @property
    def place(self) -> int | None:
        """The place of the chosen thing, counted from 0."""
        raise NotImplementedError

    def choose(self, place: int) -> None:
        """Choose the thing that stands there."""
        raise NotImplementedError

    def watch_chosen(self) -> None:
        """The cursor has moved."""
        self.draw()
        if self.place is not None:
            self.reveal(self.place * self.high, self.high)

    def choose_next(self) -> None:
        """Choose the next one, round and round."""
        if self.count:
            at = -1 if self.place is None else self.place
            self.choose((at + 1) % self.count)

    def choose_previous(self) -> None:
        """Choose the one before, round and round."""
        if self.count:
            at = self.count if self.place is None else self.place
            self.choose((at - 1) % self.count)

    def action_choose_next(self) -> None:
        """The key for it."""
        self.choose_next()

    def action_choose_previous(self) -> None:
        """The key for it."""
        self.choose_previous()

    def on_click(self, event: Click) -> None:
        """A click chooses the thing drawn there."""
        place = event.get_content_offset(self)
        if place is not None:
            at = (place.y + self.scroll_offset.y) // self.high
            if 0 <= at < self.count:
                self.choose(at)
