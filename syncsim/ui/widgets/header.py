"""The line at the top: which program, which step, how it goes on, who picks, how fast."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Mode
from syncsim.core.outlook import Outlook
from syncsim.session.speed import spoken
from syncsim.session.stage_view import StageView
from syncsim.ui.look import ascii_only, clean, cut, cut_end, outlook_mark, shown
from syncsim.ui.widgets.verdict_band import brief


class Standing(NamedTuple):
    """All that the header says."""

    title: str
    step: int = 0
    mode: Mode = Mode.PAUSED
    scheduler: str = ""
    speed: float | None = None
    #: The step one looks at, when that is a step of the past.
    looking_at: int | None = None
    #: A word that takes the place of the mode's: "starting".
    instead: str = ""
    #: The verdict that stands, in a word with its sign: "⊗ deadlock".
    verdict: str = ""
    #: Whether one steps atom by atom.
    xray: bool = False
    #: What may still come of the run, where that is known; how it can fail; and since which step
    #: it can only fail.
    outlook: Outlook | None = None
    fails: str = ""
    since: int | None = None

    @classmethod
    def of(cls, view: StageView) -> Standing:
        """Return what the header says of that view."""
        verdict, seen = view.verdict, view.foreseen
        stands = view.past is None and verdict not in (None, Verdict.FINISHED)
        return cls(
            view.title, view.present.n, view.mode, view.picks, view.speed, view.past,
            _instead(view), brief(verdict) if stands and verdict else "", view.xrayed,
            seen.outlook if seen else None, " or ".join(seen.fails) if seen else "",
            view.doomed_since,
        )  # fmt: skip


def _instead(view: StageView) -> str:
    """Return the word in the place of the mode's, where there is one."""
    if view.broken:
        return "broken"
    if view.replaying:
        return "going back there"
    if not view.present.actors:
        return "starting"
    return f"waiting for {cut(clean(view.awaited), 24)}" if view.awaited else ""


#: A glyph, the same in ASCII, a word and a style.
_MODES = {
    Mode.PAUSED: ("‖", "=", "paused", "$foreground"),
    Mode.PLAYING: ("▶", ">", "playing", "$accent"),
    Mode.FREE: ("»", ">>", "free running", "$accent"),
    Mode.OVER: ("□", "[]", "over", "$foreground"),
}


#: From so many cells on, whole sentences are worth more than the last fields.
ROOMY = 100

#: What the left side needs at the least: our name, and the beginning of the title.
_LEAST = 20


def _outlook(now: Standing, *, brief: bool) -> tuple[str, str]:
    """Return what may still come, in words, and their style."""
    if now.outlook is None:
        return "", ""
    sign = outlook_mark(now.outlook).sign
    since = f" since step {now.since}" if now.since else ""
    match now.outlook:
        case Outlook.SAFE:
            return f"{sign} {'safe' if brief else 'nothing can fail'}", "$success"
        case Outlook.OPEN:
            return f"{sign} {'either way' if brief else 'can still go either way'}", "$warning"
        case Outlook.DOOMED if brief:
            return f"{sign} doomed{since}", "bold $error"
        case Outlook.DOOMED:
            since = f"{since.strip()} it " if since else ""
            return f"{sign} {since}can only fail: {now.fails}", "bold $error"
        case _:
            assert_never(now.outlook)


def _width(fields: list[tuple[str, str]], gap: int) -> int:
    return sum(cell_len(text) for text, _ in fields) + gap * (len(fields) - 1)


class GoalLine(Widget):
    """The goal of a puzzle, and its par; what two lines do not hold is cut, but never the par.

    The par counts steps by call: it says so as soon as there are smaller ones beside it.
    """

    DEFAULT_CSS = """
    GoalLine { height: auto; padding: 0 1; color: $foreground; background: $background; }
    """

    _WORD = "Goal: "

    def __init__(self, goal: str, par: int | None) -> None:
        super().__init__(id="goal")
        self._goal = shown(clean(goal))
        self._steps = par
        self._closely = False

    def show(self, *, closely: bool) -> bool:
        """Say whether steps inside calls are counted, too; return whether that is news."""
        news = closely != self._closely and self._steps is not None
        self._closely = closely
        if news:
            self.refresh(layout=True)
        return news

    @property
    def _par(self) -> str:
        if self._steps is None:
            return ""
        return f"   par {self._steps} steps" + (" by call" if self._closely else "")

    def _room(self, width: int) -> int:
        return max(8, width - len(self._WORD) - len(self._par))

    def _lines(self, width: int) -> list[str]:
        """The goal in what room the par leaves."""
        room = self._room(width)
        if cell_len(self._goal) <= room:
            return [self._goal]
        first = Content(self._goal).wrap(room)[0].plain
        rest = self._goal[len(first) :].strip()
        return [first.rstrip(), shown(cut_end(rest, room))]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line, or two."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The par stands in the first line, under which the goal goes on where it is long."""
        width = self.size.width
        first, *rest = self._lines(width)
        if rest:
            first += " " * (self._room(width) - cell_len(first))
        lines = [Content.assemble((self._WORD, "$accent"), first, (self._par, "$quiet"))]
        lines += [Content(" " * len(self._WORD) + line) for line in rest]
        return Content("\n").join(lines)


class Header(Widget):
    """One line; drawn anew only when what it says has changed."""

    DEFAULT_CSS = """
    Header { height: 1; padding: 0 1; background: $background; color: $quiet; }
    """

    def __init__(self, standing: Standing) -> None:
        super().__init__(id="header")
        self._standing = standing

    def show(self, standing: Standing) -> None:
        """Say that."""
        if standing != self._standing:
            self._standing = standing
            self.refresh()

    def render(self) -> Content:
        """Title at the left, the rest right-aligned; the least important goes first."""
        now = self._standing
        glyph, plain, word, style = _MODES[now.mode]
        if now.looking_at is not None:
            glyph, plain, word, style = "◂", "<", "looking back", "bold $warning"
            step = f"step {now.looking_at} of {now.step}"
        else:
            step = f"step {now.step}"
        if now.instead:
            glyph, plain, word, style = "…", "~", now.instead, "$quiet"
        mode = f"{plain if ascii_only() else glyph} {word}"
        picks = now.mode is Mode.FREE
        fields: list[tuple[str, str]] = [
            (step, "bold $foreground"),
            (mode, style),
            ("X-ray" if now.xray else "", "bold $accent"),
            (now.verdict, "bold $error"),
            _outlook(now, brief=self.size.width < ROOMY),
            ("the system picks" if picks else clean(now.scheduler, 24), "$quiet"),
            ("" if picks else spoken(now.speed), "$quiet"),
        ]
        fields = [(shown(text), tone) for text, tone in fields if text]
        gap = "   " if self.size.width >= 100 else "  "
        most = self.size.width - _LEAST
        while len(fields) > 2 and _width(fields, len(gap)) > most:
            fields.pop()
        right = Content(gap).join([Content.styled(text, tone) for text, tone in fields])
        name = Content.styled("syncsim ", "$accent") + Content.styled(shown("› "), "$quiet")
        room = self.size.width - right.cell_length - name.cell_length - 2
        title = shown(clean(now.title, max(room, 8)))
        left = name + Content.styled(title, "bold $foreground")
        blank = max(1, self.size.width - left.cell_length - right.cell_length)
        return left + Content(" " * blank) + right
