"""The processes, a lane each: who runs, who waits for what, and on whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive

from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.operation import Verb
from syncsim.core.outlook import Outlook
from syncsim.core.schedule import Grain
from syncsim.core.state import Actor, State
from syncsim.core.words.lineage import signal_name
from syncsim.core.words.status import Status, status
from syncsim.core.words.waiting import waiting_for, what_it_does
from syncsim.ui import look
from syncsim.ui.widgets.lanes import lanes
from syncsim.ui.widgets.lines import ChoicePanel, Line, Piece, fit, tag, width_of

#: A text from a program is looked at only so far.
_MOST = 200

#: Nobody has written anything.
_SILENT: Mapping[int, str] = MappingProxyType({})

#: The tones of marks, for a text in the frame.
_TONES = {"good": "$success", "unsure": "$warning", "bad": "bold $error"}

#: How many cells a mark takes, with the blank before it.
_MARK = 2


class Columns(NamedTuple):
    """The widths that all lanes share; 0 leaves a column out."""

    number: int
    name: int
    pid: int
    word: int

    @classmethod
    def of(cls, actors: Sequence[tuple[Actor, int]], width: int) -> Columns:
        """Return the columns that fit these processes into ``width`` cells."""
        longest = max((_name_width(a, depth) for a, depth in actors), default=0)
        name = min(max(longest, 4), 8 if width < 44 else 10 if width < 54 else 16)
        pid = max((len(str(a.pid)) for a, _ in actors), default=0)
        return cls(
            number=len(str(max((a.id for a, _ in actors), default=1) or 1)),
            name=name,
            pid=pid if width >= 50 else 0,
            word=8 if width >= 40 else 0,
        )


def _indent(depth: int) -> str:
    """Return the indent before the name of a process whose parent is not the main process."""
    return "  " * (depth - 2) + "└ " if depth > 1 else ""


def _name_width(actor: Actor, depth: int) -> int:
    return len(_indent(depth)) + cell_len(look.clean(actor.name, _MOST))


def doing(state: State, actor: Actor, now: Status, grain: Grain) -> list[Piece]:
    """Draw what the process is doing or waits for, and on whom; or how it ended."""
    tone = look.mark(now).tone
    match now:
        case Status.CRASHED:
            return [Piece(look.clean(actor.error, _MOST), tone)]
        case Status.KILLED:
            signal = signal_name(-(actor.exitcode or 0))
            return [Piece(f"by you ({signal})" if actor.killed else f"by {signal}", tone)]
        case Status.ZOMBIE:
            return [Piece("nobody has joined it", tone)]
        case Status.DONE:
            return [Piece(f"exit code {actor.exitcode}", tone)] if actor.exitcode else []
        case Status.OUTSIDE if actor.whereabouts is not None:
            return [Piece(look.clean(actor.whereabouts.words, _MOST), tone)]
    if actor.rests:
        full = bool(state.holdings(actor))  # it is in the middle of sending
        return [Piece("for room in the pipe" if full else "for something to send", tone)]
    wait = waiting_for(state, actor)
    if wait is None:
        return [Piece(look.clean(what_it_does(state, actor, grain), _MOST), tone)]
    if actor.pending is not None and actor.pending.verb is Verb.JOIN and wait.on:
        return [Piece("join ", tone), *(tag(state.actors[who]) for who in wait.on)]
    if not wait.on:
        return [Piece(look.clean(_short(wait.clause), _MOST), tone)]
    pieces = [Piece(look.clean(wait.what, 24), tone), Piece(" ←", "quiet")]
    for who in dict.fromkeys(wait.on):
        pieces += (Piece(" "), tag(state.actors[who]))
    return pieces


def _short(clause: str) -> str:
    """The clause after the word ``waits`` of its column: "bell to be notified"."""
    for word in ("waits ", "for ", "on ", "at "):
        clause = clause.removeprefix(word)
    return clause.replace(" until it is ", " to be ")


def lane(
    state: State,
    actor: Actor,
    depth: int,
    stuck: tuple[int, ...],
    columns: Columns,
    width: int,
    output: str,
    grain: Grain = Grain.CALL,
) -> tuple[Piece, ...]:
    """The lane of a process, so deep in the family, without the cursor, in ``width`` cells."""
    now = status(state, actor, stuck)
    how = look.mark(now)
    hue = look.hue(actor)
    number = "" if actor.is_main or actor.thread else str(actor.id)
    indent = _indent(depth)[: columns.name // 2]
    name = look.clean(actor.name, columns.name - len(indent))
    pieces = [
        Piece(number.rjust(columns.number) + " ", "quiet"),
        *([Piece(indent, "quiet")] if indent else []),
        Piece(look.badge(actor) + look.pad(name, columns.name - len(indent)) + "  ", hue),
    ]
    if columns.pid:
        pieces.append(Piece(str(actor.pid).rjust(columns.pid) + "  ", "quiet"))
    pieces.append(Piece(how.sign + " ", "accent" if how.tone == "go" else how.tone))
    if columns.word:
        pieces.append(Piece(how.word.ljust(columns.word) + " ", how.tone))
    pieces += doing(state, actor, now, grain)
    pieces = fit(pieces, width)
    left = width - width_of(pieces) - 2
    if output and left >= 4:
        said = f"“{look.cut_end(output, left - 3)}”"
        gap = width - width_of(pieces) - cell_len(said) - 1
        pieces += (Piece(" " * gap), Piece(said, "quiet"))
    return tuple(pieces)


def _legend() -> Content:
    """Return the legend of the marks, for the frame."""
    return Content("  ").join(
        [
            Content.assemble((mark.sign, _TONES[mark.tone]), " ", mark.word)
            for mark in map(look.outlook_mark, Outlook)
        ]
    )


class ProcessesPanel(ChoicePanel):
    """A lane for each process: in order of birth, but children of a child right after it.

    Under the X-ray there is one for each feeder thread, too.
    """

    BORDER_TITLE = "Processes"

    #: The process chosen, by its number.
    chosen: reactive[int | None] = reactive[int | None](None)

    def __init__(self, **names: str | None) -> None:
        super().__init__(**names)
        self._state = State()
        self._stuck: tuple[int, ...] = ()
        self._last = _SILENT
        self._marks: Mapping[int, Outlook] | None = None
        self._xray = False
        self._bare: dict[int, tuple[Piece, ...]] = {}  # the lanes as they are now ...
        self._before: dict[int, tuple[Piece, ...]] = {}  # ... and as they were a step ago

    def show(
        self,
        state: State,
        diagnosis: Diagnosis,
        last: Mapping[int, str] = _SILENT,
        *,
        xray: bool = False,
        marks: Mapping[int, Outlook] | None = None,
    ) -> None:
        """Show this state; ``last`` is the last line that each process has written.

        ``marks`` say what may come if that one goes next; None: there is no room for any.
        """
        if state.n != self._state.n:
            near = 0 < state.n - self._state.n <= 2
            self._before = self._bare if near else {}
        elif xray != self._xray:
            self._before = {}
        self._state = state
        self._xray = xray
        self._stuck = diagnosis.stuck
        self._last = last
        if (marks is None) != (self._marks is None):
            self.border_subtitle = _legend() if marks is not None else None
            self._before = {}
        self._marks = marks
        self.draw()

    def forget(self) -> None:
        """A new run begins."""
        self._before = {}
        self._state = State()

    def compose_lines(self) -> list[Line]:
        """A line for each process."""
        state = self._state
        marks = self._marks
        room = self.room - 2 - (_MARK if marks is not None else 0)
        actors = lanes(state, xray=self._xray)
        columns = Columns.of(actors, room)
        grain = Grain.ATOM if self._xray else Grain.CALL
        self._bare = {
            a.id: lane(state, a, depth, self._stuck, columns, room, self._last.get(a.id, ""), grain)
            for a, depth in actors
        }
        lines = []
        chosen = self.chosen
        for key, pieces in self._bare.items():
            fresh = key in self._before and self._before[key] != pieces
            here = key == chosen
            style = " ".join(name for name, on in (("fresh", fresh), ("chosen", here)) if on)
            cursor = Piece("▸ " if here else "  ", "accent")
            if marks is not None and key in marks:
                sign = look.outlook_mark(marks[key])
                gap = Piece(" " * (room - width_of(pieces) + _MARK - 1))
                pieces = (*pieces, gap, Piece(sign.sign, sign.tone))
            lines.append(Line((cursor, *pieces), style))
        return lines

    @property
    def count(self) -> int:
        """The number of lanes."""
        return len(self._lanes())

    @property
    def place(self) -> int | None:
        """The lane of the chosen process."""
        order = self._lanes()
        return order.index(self.chosen) if self.chosen in order else None

    def choose(self, place: int) -> None:
        """Choose the process of that lane."""
        self.chosen = self._lanes()[place]

    def _lanes(self) -> list[int]:
        """The actors of the lanes, from the first lane on."""
        return [actor.id for actor, _ in lanes(self._state, xray=self._xray)]
