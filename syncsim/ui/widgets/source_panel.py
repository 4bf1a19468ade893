"""The program, with a marker at the line where each process is.

Of a program of several files, the one in which the action is.
"""

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

from syncsim.core.operation import Site
from syncsim.core.state import Actor, State
from syncsim.program.source import Program, source_of
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


class _Page:
    """One file, ready to be shown."""

    def __init__(self, path: str, name: str, text: str) -> None:
        code = [
            shown(clean(line.expandtabs(4), 400)) for line in text.removesuffix("\n").split("\n")
        ]
        self.path = path
        self.name = name
        self.lines = highlight("\n".join(code), language="python", theme=Quiet).split(
            "\n", allow_blank=True
        )
        self.digits = len(str(len(code)))
        self.size = Size(max(map(cell_len, code), default=0) + self.digits + 2, len(code))


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
        self._program: Program | None = None
        self.read(program)

    def read(self, program: Program) -> None:
        """Show that program; its files are read anew where its text is another one."""
        if self._program is not None and self._program.text == program.text:
            return
        self._program = program
        self._page = _Page(os.path.realpath(program.path), program.name, program.text)
        self._pages: dict[str, _Page | None] = {str(program.path): self._page}
        self.border_title = clean(self.title, 40).replace("[", "\\[")
        self._marks: Marks = {}
        self._here = 0
        if self.is_mounted:
            self.virtual_size = self._page.size
            self.refresh(layout=True)

    @property
    def title(self) -> str:
        """The name of the file that is shown."""
        return self._page.name

    def on_mount(self) -> None:
        """Say how much there is to scroll."""
        self.virtual_size = self._page.size

    def show(self, state: State, place: Site | None = None) -> None:
        """Show where everybody is; ``place`` is that of the action."""
        here = self._turn_to(place) if place is not None else 0
        marks: Marks = {}
        for actor in state.actors:
            site = actor.site
            if site is not None and not actor.ended and self._open(site.file) is self._page:
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

    def _turn_to(self, place: Site) -> int:
        """Show the file of that place; its line there, 0 where the file cannot be read."""
        page = self._open(place.file)
        if page is None:
            return 0
        if page is not self._page:
            self._page = page
            self._marks, self._here = {}, 0
            self.virtual_size = page.size
            self.border_title = clean(self.title, 40).replace("[", "\\[")
            self.refresh(layout=True)
            self.call_after_refresh(self._reveal, place.line)  # there is now more, or less, to see
        return place.line

    def _open(self, file: str) -> _Page | None:
        if file not in self._pages:
            path = os.path.realpath(file)
            known = next(
                (page for page in self._pages.values() if page and page.path == path), None
            )
            text = source_of(file) if known is None else None
            made = _Page(path, os.path.basename(file), text) if text is not None else None
            self._pages[file] = known or made
        return self._pages[file]

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
        if number > len(self._page.lines):
            return Strip.blank(width, style.rich_style)
        if number == self._here:
            style = self.get_visual_style("source--here")
        actors = self._marks.get(number, ())
        code = self._page.lines[number - 1]
        tags = self._tags(actors, width - self._page.digits - 2 - code.cell_length)
        column = max(_TAGS, self._page.digits + code.cell_length + 2) + tags.cell_length
        tags = tags.pad_right(max(0, width - column))
        gutter = Content.styled(
            f"{number:>{self._page.digits}} ", "$foreground" if actors else "$quiet"
        )
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
        """Name the processes at a line; without room, a bar of colour stands for each."""
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
