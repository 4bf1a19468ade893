"""The gallery: the puzzles by chapter, and what each is about."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from syncsim.puzzles.catalogue import FIRST, Puzzle, PuzzleError, catalogue
from syncsim.ui.about import about, primitives
from syncsim.ui.look import KINDS, ascii_only, clean, shown
from syncsim.ui.widgets.keys import KeyLine, key

#: What the keys do while one types, by the field one types into.
_TYPING: dict[str | None, list[BindingType]] = {
    "search": [
        key("up", "move(-1)", "choose", "Choose a puzzle.", id="search.choose", sign="↑↓"),
        key("enter", "play", "play", "Play the chosen puzzle.", id="search.play", sign="⏎"),
        key(
            "escape", "leave_input", "back to the list", "Close the search.",
            id="search.back", sign="esc",
        ),
    ],
    "open": [
        key("enter", "open", "open", "Put that file on the stage.", id="open.open", sign="⏎"),
        key(
            "escape", "leave_input", "back to the list", "Close the path.",
            id="open.back", sign="esc",
        ),
    ],
}  # fmt: skip


class GalleryScreen(Screen[None]):
    """Chapters at the left, the story of the chosen puzzle at the right."""

    AUTO_FOCUS = "#puzzles"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("up,k", "move(-1)", "choose", "Choose a puzzle.", id="gallery.previous", sign="↑↓"),
        key("down,j", "move(1)", "next", "Choose a puzzle.", id="gallery.next", show=False),
        key(
            "enter", "play", "play", "Put the chosen puzzle on the stage.",
            id="gallery.play", sign="⏎",
        ),
        key(
            "slash", "search", "search", "Show only the puzzles in which the words occur.",
            id="gallery.search", sign="/",
        ),
        key(
            "o", "open", "open a file", "Put a Python file of your own on the stage.",
            id="gallery.open",
        ),
        key(
            "escape", "leave_input", "all puzzles", "Close the search, or the path.",
            id="gallery.all", show=False,
        ),
        key(
            "question_mark", "help", "help", "What the signs mean, and all keys.",
            id="gallery.help", sign="?",
        ),
        key("q", "app.quit", "quit", "Quit syncsim.", id="gallery.quit"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._puzzles: tuple[Puzzle, ...] = ()
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """A title, the list, the story, the keys."""
        try:
            self._puzzles = catalogue()
        except PuzzleError as error:
            self._trouble = str(error)
        yield Static(
            Content.assemble(
                ("syncsim", "bold $accent"),
                ("  how processes synchronize: see it, step it, break it", "$quiet"),
            ),
            id="title",
        )
        with Horizontal(id="hall"):
            with Vertical(id="list"):
                yield OptionList(id="puzzles", markup=False)
            with VerticalScroll(id="about", can_focus=False):
                yield Static(id="story", markup=False)
        yield Static(id="trouble", markup=False)
        yield KeyLine(self.BINDINGS)

    def on_mount(self) -> None:
        """Show all puzzles."""
        self.query_one("#puzzles").border_title = "Puzzles"
        self._list("")
        if self._trouble:
            self.complain(self._trouble)

    # -- the list ---------------------------------------------------------------------------

    def _list(self, words: str) -> None:
        """Only the puzzles in which every word occurs."""
        options = self.query_one(OptionList)
        options.clear_options()
        chapter = None
        entries: list[Option | None] = []
        for puzzle in self._puzzles:
            if not all(word in _searched(puzzle) for word in words.lower().split()):
                continue
            if puzzle.chapter != chapter:
                if chapter is not None:
                    entries.append(Option("", disabled=True))
                chapter = puzzle.chapter
                heading = f"{chapter.number}  {clean(chapter.title)}"
                entries.append(Option(Content.styled(heading, "$quiet"), disabled=True))
            entries.append(Option(_entry(puzzle), id=puzzle.slug))
        if not entries:
            text = "No puzzle has these words." if words else "There are no puzzles."
            entries.append(Option(Content.styled(text, "$quiet"), disabled=True))
        options.add_options(entries)
        places = {entry.id: at for at, entry in enumerate(entries) if entry and not entry.disabled}
        first = next(iter(places.values()), None)
        options.highlighted = first if words else places.get(FIRST, first)
        if first is None:
            self.query_one("#story", Static).update("")
        else:
            self._tell()  # now, so that the first picture is whole

    @property
    def chosen(self) -> Puzzle | None:
        """The puzzle that is chosen."""
        option = self.query_one(OptionList).highlighted_option
        return next((p for p in self._puzzles if option and p.slug == option.id), None)

    @on(OptionList.OptionHighlighted)
    def _tell(self) -> None:
        puzzle = self.chosen
        if puzzle is not None:
            self.query_one("#story", Static).update(about(puzzle))
            self.query_one("#about").scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_play()

    @on(DescendantFocus)
    def _name_keys(self) -> None:
        """In a field, letters are letters: the line of keys says only what is so."""
        focused = self.focused.id if self.focused is not None else None
        self.query_one(KeyLine).use(_TYPING.get(focused, self.BINDINGS))

    # -- keys -------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Choose another one, also while one types."""
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_play(self) -> None:
        """Play the chosen puzzle."""
        puzzle = self.chosen
        if puzzle is not None:
            self._play(puzzle)

    async def action_search(self) -> None:
        """Type words to search for."""
        await self._close_input("open")
        hint = "a word of the title, the story, a primitive"
        await self._ask(Input(placeholder=hint, id="search"), "Search", before="#puzzles")

    async def action_open(self) -> None:
        """Type the path of a file."""
        hint = "the path of a Python file"
        await self._ask(Input(placeholder=hint, id="open"), "Open a file", before="#trouble")

    async def _ask(self, field: Input, title: str, before: str) -> None:
        """Put the field on the screen, unless it is there, and let it have the keys."""
        there = self.query(f"#{field.id}")
        if not there:
            field.border_title = title
            place = self.query_one(before)
            await (place.parent if isinstance(place.parent, Widget) else self).mount(
                field, before=place
            )
        self.set_focus(there.first() if there else field)

    async def action_leave_input(self) -> None:
        """Close the inputs and show all puzzles again."""
        self.complain("")
        await self._close_input("open")
        await self._close_input("search")

    def action_help(self) -> None:
        """Show what the signs mean."""
        from syncsim.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.BINDINGS))

    @on(Input.Changed, "#search")
    def _search(self, event: Input.Changed) -> None:
        self._list(event.value)

    @on(Input.Submitted, "#search")
    def _found(self) -> None:
        self.set_focus(self.query_one(OptionList))  # whoever comes back chooses, and types no more
        self.action_play()

    @on(Input.Changed, "#open")
    def _retyped(self) -> None:
        self.complain("")

    @on(Input.Submitted, "#open")
    async def _open(self, event: Input.Submitted) -> None:
        path = event.value.strip()
        if not path or self._play(Path(path).expanduser()):
            await self._close_input("open")

    async def _close_input(self, name: str) -> None:
        for field in self.query(f"#{name}"):
            await field.remove()
            if name == "search":
                self._list("")
            self.set_focus(self.query_one(OptionList))

    def _play(self, what: Puzzle | Path) -> bool:
        """Open the puzzle or file on the stage; return False if it cannot be read."""
        from syncsim.program.source import ProgramError
        from syncsim.ui.app import SyncsimApp

        assert isinstance(self.app, SyncsimApp)
        try:
            self.app.play(what)
        except (ProgramError, OSError, RuntimeError) as error:  # RuntimeError: ~nobody
            self.complain(str(error))
            return False
        self.complain("")
        return True

    def complain(self, sentence: str) -> None:
        """Say what is wrong, or nothing."""
        line = self.query_one("#trouble", Static)
        line.update(Content(shown(clean(sentence, 500))))
        line.display = bool(sentence)


def _entry(puzzle: Puzzle) -> Content:
    glyph, plain, _ = KINDS[puzzle.goal.kind]
    return Content.assemble(
        (f" {plain if ascii_only() else glyph} ", "$accent"), shown(clean(puzzle.title, 60))
    )


@cache
def _searched(puzzle: Puzzle) -> str:
    texts = (
        puzzle.title, puzzle.chapter.title, puzzle.story, puzzle.goal.text, puzzle.goal.kind,
        puzzle.slug, *primitives(puzzle.program),
    )  # fmt: skip
    return " ".join(texts).lower()
