"""The primitives, each drawn as what it is: a belt, permits, a waiting room, a flag."""

from __future__ import annotations

import time

from rich.cells import cell_len
from textual.events import Resize
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from syncsim.core.atoms import Channel
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.kinds import MANAGED, Family, Role
from syncsim.core.state import Primitive, State
from syncsim.session.speed import SLOW_LINE, Clock
from syncsim.ui import look
from syncsim.ui.widgets.drawings import Drawing, Scene, draw, fitted
from syncsim.ui.widgets.lines import ChoicePanel, Line, Piece, fit, width_of
from syncsim.ui.widgets.motion import Flight, Rows, flights, frame
from syncsim.ui.widgets.recollection import Recollection
from syncsim.ui.widgets.xray import line_of, parts

#: Seconds from one picture to the next while things move.
_FRAME = 1 / (10 if SLOW_LINE else 30)


class PrimitivesPanel(ChoicePanel):
    """Each primitive in one line, or in two or three where all of them fit so.

    Under the X-ray each has one line, and below it one for each of its parts.
    """

    BORDER_TITLE = "Primitives"

    #: The primitive chosen, by its id; or the part, by its key.
    chosen: reactive[str | None] = reactive[str | None](None)

    def __init__(self, clock: Clock = time.monotonic, **names: str | None) -> None:
        super().__init__(**names)
        #: Seconds that a thing takes to its new place; 0: it is there at once. The still picture
        #: afterwards says the same.
        self.travel = 0.0
        self._clock = clock
        self._state = State()
        self._xray = False
        self._memory = Recollection()
        self._bare: dict[str, Rows] = {}
        self._before: dict[str, Rows] = {}
        self._left = 0  # where the drawings begin, beside their heads
        self._from: dict[str, Rows] = {}  # the picture that moving things come from
        self._flying: dict[str, list[Flight]] = {}
        self._began = 0.0
        self._timer: Timer | None = None

    def show(self, state: State, diagnosis: Diagnosis, *, xray: bool = False) -> None:
        """Show this state; under the X-ray with what the primitives are made of."""
        old, by = self._bare, state.n - self._state.n
        self._state = state
        self._xray = xray
        self._memory.look(state)
        if by:
            self._before = old if 0 < by <= 2 else {}
            self._land()
        self.draw()
        if abs(by) == 1 and self.travel:
            self._start(old)
        elif (
            self._from and self._progress < 1
        ):  # the state has settled while things are on their way
            self._set_off()

    def forget(self) -> None:
        """A new run begins."""
        self._land()
        self._memory = Recollection()
        self._state = State()
        self._before = {}

    # The picture at rest.

    def compose_lines(self) -> list[Line]:
        """The same number of lines for each thing, so that none of them jumps."""
        state = self._state
        things = list(state.primitives.values())
        room = self.room - 2
        title = min(
            max((cell_len(look.clean(p.name, 200)) for p in things), default=0),
            12 if room < 60 else 16 if room < 70 else 20,
        )
        names = min(
            max((cell_len(look.clean(a.name, 200)) for a in state.actors if a.id), default=4),
            8 if room < 64 else 14,
        )
        # The head is as wide as the widest kind; the drawing has what is left.
        kind = max((_kind_width(state, p, room) for p in things), default=0)
        if room - title - kind < 20:
            kind = 0
        width = max(8, room - title - kind - 4)
        self._left = room - width
        room_for = 1 if self._xray or not things else self.rows // len(things)
        scenes = [Scene(state, p, self._memory, width, names + 1, room_for) for p in things]
        drawings = [draw(scene) for scene in scenes]
        most = 3 if any(drawing.under for drawing in drawings) else 2
        self.high = max(1, min(most, room_for))
        bare: dict[str, Rows] = {}
        for primitive, drawing in zip(things, drawings, strict=True):
            head = _head(primitive, drawing, title, kind, room)
            bare[primitive.id] = self._rows(head, drawing, width)
            inside = parts(primitive) if self._xray else []
            for part in inside:
                pieces = line_of(state, part, max(names, 14), last=part is inside[-1])
                bare[part.key] = (Line(tuple(pieces)),)
        self._bare = bare
        lines: list[Line] = []
        chosen = self.chosen
        for key, rows in bare.items():
            here = key == chosen
            fresh = key in self._before and self._before[key] != rows
            style = " ".join(n for n, on in (("fresh", fresh), ("chosen", here)) if on)
            for at, row in enumerate(rows):
                cursor = Piece("▸ " if here and not at else "  ", "accent")
                lines.append(Line((cursor, *fit(row.pieces, room)), style))
        return lines

    def _rows(self, head: list[Piece], drawing: Drawing, width: int) -> Rows:
        indent = Piece(" " * width_of(head))
        under = [[indent, *fit(drawing.under, width)]] if drawing.under and self.high > 2 else []
        if self.high == 1 or _short(drawing, width):
            rows = [[*head, *fitted(drawing.main, drawing.rest, width)], *under]
        else:
            rows = [[*head, *fit(drawing.main, width)], *under, [indent, *fit(drawing.rest, width)]]
        rows += [[]] * (self.high - len(rows))
        return tuple(Line(tuple(row)) for row in rows)

    # Motion: what has another place than before travels there.

    def _start(self, old: dict[str, Rows]) -> None:
        self._from = old
        self._began = self._clock()
        self._set_off()

    def _set_off(self) -> None:
        """Find what moves between the pictures, and start to animate it."""
        self._flying = {}
        for key, rows in self._bare.items():
            if self._from.get(key, rows) != rows:
                moving = flights(self._from[key], rows, self._left, self.room - 2)
                if moving:
                    self._flying[key] = moving
        self._refresh_moving()
        if self._flying and self._timer is None:
            self._timer = self.set_interval(_FRAME, self._frame)

    def _land(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._from = {}
        if self._flying:
            self._refresh_moving()
            self._flying = {}

    def _frame(self) -> None:
        if self._progress >= 1:
            self._land()
        else:
            self._refresh_moving()

    @property
    def _progress(self) -> float:
        """The share of their way that the flying pieces have behind them, from 0 to 1."""
        return min(1.0, (self._clock() - self._began) / self.travel) if self.travel else 1.0

    def _refresh_moving(self) -> None:
        for at, key in enumerate(self._bare):
            if key in self._flying:
                for y in range(at * self.high, (at + 1) * self.high):
                    self._strips.pop(y, None)
                    self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """A line at rest, or with its things on their way."""
        at = y + self.scroll_offset.y
        if self._flying and 0 <= at < len(self._lines):
            place, row = divmod(at, self.high)
            key = list(self._bare)[place]
            if key in self._flying:
                rows = frame(self._bare[key], self._flying[key], self._progress, self.room - 2)
                line = self._lines[at]
                return self.strip_of(Line((line.pieces[0], *rows[row].pieces), line.style))
        return super().render_line(y)

    def on_resize(self, event: Resize) -> None:
        """Stop the animation: its paths are for the old size."""
        self._land()

    # Choosing.

    @property
    def count(self) -> int:
        """The number of primitives, and of parts that are seen."""
        return len(self._keys())

    @property
    def place(self) -> int | None:
        """The place of the chosen one."""
        keys = self._keys()
        return keys.index(self.chosen) if self.chosen in keys else None

    def choose(self, place: int) -> None:
        """Choose that one of them."""
        self.chosen = self._keys()[place]

    def _keys(self) -> list[str]:
        keys = []
        for primitive in self._state.primitives.values():
            keys.append(primitive.id)
            keys += [part.key for part in parts(primitive)] if self._xray else []
        return keys


def _head(primitive: Primitive, drawing: Drawing, title: int, kind: int, room: int) -> list[Piece]:
    """The name of the primitive, its kind and its number."""
    title_piece = Piece(look.pad(look.clean(primitive.name, title), title) + "  ", "go")
    if not kind:
        return [title_piece]
    word = _kind(primitive, room)
    if drawing.number:
        word += drawing.number.rjust(max(kind - len(word), len(drawing.number) + 1))
    return [title_piece, Piece(look.pad(word, kind) + "  ", "quiet")]


_SHORTER = {
    "BoundedSemaphore": "BoundedSem",
    "JoinableQueue": "Joinable",
}


def _kind(primitive: Primitive, room: int) -> str:
    kind = look.clean(primitive.kind.removeprefix("ProcessPool"), 18)
    return _SHORTER.get(kind, kind).replace(MANAGED, "Mgr ") if room < 70 else kind


def _kind_width(state: State, primitive: Primitive, room: int) -> int:
    """Return how wide the kind and the number of the primitive get, as far as that is known."""
    word = len(_kind(primitive, room))
    if primitive.traits.family is Family.LOCK:
        return word
    if state.work(primitive) is not None:
        return word + 1 + len(str(primitive.capacity))
    if primitive.capacity:
        return word + 2 + 2 * len(str(primitive.capacity))
    channel = state.atoms.get(primitive.parts.get(Role.ITEMS, ""))
    if isinstance(channel, Channel):
        return word + 1 + len(str(len(channel.items) + len(channel.buffered)))
    return word


def _short(drawing: Drawing, width: int) -> bool:
    """Return whether both parts fit beside each other, and need no second line."""
    return not drawing.rest or width_of(drawing.main) + 3 + width_of(drawing.rest) <= width
