"""The help: what every sign on the screen means, and every key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from syncsim.core.outlook import Outlook
from syncsim.core.words.status import Activity, Status
from syncsim.puzzles.catalogue import Puzzle
from syncsim.ui.about import about
from syncsim.ui.look import KINDS, ascii_only, clean, mark, outlook_mark, shown, texture

#: What each status means.
MEANINGS = {
    Status.STARTING: "its parent has started it; it has not reported yet",
    Status.RUNS: "runs between two operations",
    Status.READY: "its next call can go",
    Status.WAITS: "its next call would block",
    Status.STUCK: "waits for ever: nobody who could help it can go on",
    Status.STOPPED: "stopped by a signal",
    Status.OUTSIDE: "does something that cannot be seen from here",
    Status.SERVES: "is the server of a manager: it answers calls, and does nothing else",
    Status.DONE: "has ended, and its parent knows",
    Status.ZOMBIE: "has ended, and nobody has joined it yet",
    Status.CRASHED: "ended by an exception that nobody caught",
    Status.KILLED: "ended by a signal",
}

#: What each outlook means.
OUTLOOKS = {
    Outlook.SAFE: "after this, nothing can fail any more",
    Outlook.OPEN: "it can still end well, and it can still fail",
    Outlook.DOOMED: "after this, failure is certain",
}

_TEXTURES = {
    Activity.WORKING: "works, or could",
    Activity.HOLDING: "holds something while it waits",
    Activity.WAITING: "waits",
    Activity.ABSENT: "not born yet, or ended",
}

_KEYS = {
    "space": "space", "right": "→", "left": "←", "up": "↑", "down": "↓", "enter": "⏎",
    "plus": "+", "equals_sign": "=", "minus": "-", "slash": "/", "question_mark": "?",
    "escape": "esc", "shift+tab": "⇧tab", "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip


class HelpScreen(ModalScreen[None]):
    """A sheet over the screen one came from."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,question_mark", "dismiss", "back", id="help.back"),
    ]

    def __init__(
        self, bindings: Sequence[BindingType], puzzle: Puzzle | None = None, hints: int = 0
    ) -> None:
        """Begin with the puzzle, and as many of its hints as were given."""
        super().__init__()
        self._puzzle = puzzle
        self._hints = hints
        self._keys = [binding for binding in bindings if isinstance(binding, Binding)]

    def compose(self) -> ComposeResult:
        """One text in a frame that scrolls."""
        with VerticalScroll(id="help") as sheet:
            sheet.border_title = "Help"
            sheet.border_subtitle = Content("q closes")
            lines = [*_story(self._puzzle, self._hints), *_lines(self._keys)]
            yield Static(Content("\n").join(lines), markup=False)


def _story(puzzle: Puzzle | None, hints: int) -> Iterator[Content]:
    if puzzle is None:
        return
    yield about(puzzle)
    yield Content("")
    for number in range(1, min(hints, len(puzzle.hints)) + 1):
        yield Content(shown(clean(puzzle.hint(number))))
    if hints:
        yield Content("")


def _lines(bindings: Sequence[Binding]) -> Iterator[Content]:
    yield Content.styled("Keys", "bold $accent")
    rows: dict[str, list[str]] = {}
    for binding in bindings:
        if binding.tooltip:
            keys = [_KEYS.get(key, key) for key in binding.key.split(",")]
            rows.setdefault(binding.tooltip, []).extend(keys)
    for tooltip, keys in rows.items():
        yield _row(" ".join(keys), "", tooltip)
    yield _row("ctrl+p", "", "All commands, by name; other colours.")
    yield _row("ctrl+q", "", "Quit at once; every run is ended.")
    yield Content("")
    yield Content.styled("A process", "bold $accent")
    for status, meaning in MEANINGS.items():
        looks = mark(status)
        tone = "$error" if looks.tone == "bad" else "$foreground"
        yield _row(looks.sign, looks.word, meaning, tone)
    yield Content.styled(
        "A process has one colour, wherever it is shown; a bar stands before its name.", "$quiet"
    )
    yield Content("")
    yield Content.styled("If this process goes next (once the program was checked)", "bold $accent")
    for outlook, meaning in OUTLOOKS.items():
        looks = outlook_mark(outlook)
        tone = {"good": "$success", "unsure": "$warning", "bad": "bold $error"}[looks.tone]
        yield _row(looks.sign, looks.word, meaning, tone)
    yield Content("")
    yield Content.styled("Time, the newest step at the left", "bold $accent")
    for activity, meaning in _TEXTURES.items():
        yield _row(texture(activity) * 3, "", meaning)
    yield Content("")
    yield Content.styled("Puzzles", "bold $accent")
    for glyph, plain, word in KINDS.values():
        meaning = (
            "see how the processes work together"
            if word == "watch"
            else "be the scheduler: choose who goes, until it goes wrong"
        )
        yield _row(plain if ascii_only() else glyph, word, meaning)
    yield Content("")
    yield Content.styled("Words", "bold $accent")
    yield _row("step", "", "one call of one process that took effect, such as taking a lock")
    yield _row("atom", "", "one operation inside a call, on a part of a primitive: seen by X-ray")
    yield _row("schedule", "", "who went when, as a short text: with it the run can be repeated")
    yield _row("deadlock", "", "somebody waits for ever")


def _row(sign: str, word: str, meaning: str, tone: str = "$foreground") -> Content:
    head = f"  {shown(sign)}  {word}" if word else f"  {shown(sign)}"
    filled = head + " " * max(1, 15 - cell_len(head))
    return Content.assemble((filled, tone), (shown(meaning), "$quiet"))
