"""The program, with a marker at the line where each process is."""

from __future__ import annotations

import os
from typing import ClassVar

from pygments.token import Token
from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.highlight import HighlightTheme, highlight
from textual.scroll_view import ScrollView
from textual.strip import Strip

from syncsim.core.state import Actor, State
from syncsim.program.source import Program
from syncsim.ui.look import ascii_only, badge, clean, colour, cut, shown

Marks = dict[int, tuple[Actor, ...]]


#: Where there is room, who is there stands no further right than this.
_TAGS = 60


class Quiet(HighlightTheme):
    """Syntax without colours of its own: colour belongs to the processes."""

    STYLES = {  # noqa: RUF012 (declared so by Textual)
        Token.Comment: "$quiet italic",
        Token.Keyword: "$accent",
        Token.Literal.String: "$foreground 70%",
        Token.Literal.Number: "$foreground 70%",
        Token.Name.Class: "bold",
        Token.Name.Function: "bold",
        Token.Operator.Word: "$accent",
    }


class SourcePanel(ScrollView, can_focus=True, inherit_bindings=False):
    """The source, numbered; what is in line with a line stands at its right end.

    ``show`` repaints only the lines whose markers have changed.
    """

    # Not the arrows to the left and right: on the stage they look back and forward.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "scroll", show=False, id="source.up"),
        Binding("down", "scroll_down", "scroll", show=False, id="source.down"),
        Binding("pageup", "page_up", "scroll", show=False, id="source.page_up"),
        Binding("pagedown", "page_down", "scroll", show=False, id="source.page_down"),
        Binding("home", "scroll_home", "scroll", show=False, id="source.home"),
        Binding("end", "scroll_end", "scroll", show=False, id="source.end"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"source--here"}
    DEFAULT_CSS = """
    SourcePanel { scrollbar-size: 0 1; }
    SourcePanel .source--here { background: $chosen; }
    """

    def __init__(self, program: Program, *, id: str = "source") -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = clean(program.name, 40).replace("[", "\\[")
        self._path = os.path.realpath(program.path)
        self._same: dict[str, bool] = {}
        text = program.text.removesuffix("\n").split("\n")
        code = [shown(clean(line.expandtabs(4), 400)) for line in text]
        self._lines = highlight("\n".join(code), language="python", theme=Quiet).split(
            "\n", allow_blank=True
        )
        self._digits = len(str(len(code)))
        self._longest = max(map(cell_len, code), default=0) + self._digits + 2
        self._marks: Marks = {}
        self._here = 0

    def on_mount(self) -> None:
        """Say how much there is to scroll."""
        self.virtual_size = Size(self._longest, len(self._lines))

    def show(self, state: State, here: int = 0) -> None:
        """Where everybody is; ``here`` is the line of the action, 0 if there is none."""
        marks: Marks = {}
        for actor in state.actors:
            site = actor.site
            if site is not None and not actor.ended and self.holds(site.file):
                marks[site.line] = (*marks.get(site.line, ()), actor)
        changed = {
            line
            for line in marks.keys() | self._marks.keys()
            if _who(marks.get(line, ())) != _who(self._marks.get(line, ()))
        }
        if here != self._here:
            changed |= {here, self._here}
            self._reveal(here)
        self._marks, self._here = marks, here
        for line in changed:
            self.refresh_line(line - 1)

    def holds(self, file: str) -> bool:
        """Whether that is the file shown here."""
        if file not in self._same:
            self._same[file] = os.path.realpath(file) == self._path
        return self._same[file]

    def _reveal(self, line: int) -> None:
        """Scroll as little as needed to see that line with some of what is around it."""
        height = self.scrollable_content_region.height
        if not line or not height:
            return
        around = min(3, (height - 1) // 2)
        top = self.scroll_offset.y
        if line - 1 - around < top:
            self.scroll_to(y=max(0, line - 1 - around), animate=False)
        elif line + around > top + height:
            self.scroll_to(y=line + around - height, animate=False)

    def on_resize(self) -> None:
        """Keep the action in view."""
        self._reveal(self._here)

    def render_line(self, y: int) -> Strip:
        """One line of the program, with who is there."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        style = self.visual_style
        number = y + top + 1
        if number > len(self._lines):
            return Strip.blank(width, style.rich_style)
        if number == self._here:
            style = self.get_visual_style("source--here")
        actors = self._marks.get(number, ())
        code = self._lines[number - 1]
        tags = self._tags(actors, width - self._digits - 2 - code.cell_length)
        column = max(_TAGS, self._digits + code.cell_length + 2) + tags.cell_length
        tags = tags.pad_right(max(0, width - column))
        gutter = Content.styled(f"{number:>{self._digits}} ", "$foreground" if actors else "$quiet")
        room = width - gutter.cell_length - tags.cell_length
        code = (code[left:] if left else code).truncate(max(0, room), ellipsis=not ascii_only())
        line = Strip(code.render_segments(style))
        return Strip.join(
            [
                Strip(gutter.render_segments(style)),
                line.adjust_cell_length(room, style.rich_style),
                Strip(tags.render_segments(style)),
            ]
        )

    def _tags(self, actors: tuple[Actor, ...], room: int) -> Content:
        """Who is there: names while there is room, then a bar of colour for each."""
        if not actors:
            return Content("")
        pointer = Content.styled(shown(" ◀ "), "$quiet")
        names = Content(" ").join(
            [Content.styled(shown(cut(clean(a.name), 12)), colour(a)) for a in actors]
        )
        if pointer.cell_length + names.cell_length <= room:
            return pointer + names
        if len(actors) == 1 and room >= 9:
            only = actors[0]
            return pointer + Content.styled(shown(cut(clean(only.name), room - 3)), colour(only))
        shown_here = actors[:8]
        bars = Content("").join(
            [Content.styled(badge(actor), colour(actor)) for actor in shown_here]
        )
        rest = len(actors) - len(shown_here)
        return pointer + bars + Content.styled(f"+{rest}" if rest else "", "$quiet")


def _who(actors: tuple[Actor, ...]) -> tuple[int, ...]:
    return tuple(actor.id for actor in actors)
