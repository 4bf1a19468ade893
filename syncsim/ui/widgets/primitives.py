"""The primitives, each drawn as what it is: a belt, permits, a waiting room, a flag."""

from __future__ import annotations

from time import monotonic

from rich.cells import cell_len
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from syncsim.core.atoms import Channel
from syncsim.core.diagnosis import Diagnosis
from syncsim.core.served import SERVED
from syncsim.core.state import Primitive, State
from syncsim.ui import look
from syncsim.ui.widgets.drawings import Drawing, Scene, draw, fitted
from syncsim.ui.widgets.lines import ChoicePanel, Line, Piece, fit, width_of
from syncsim.ui.widgets.memory import Memory
from syncsim.ui.widgets.parts import line_of, parts

#: How long a thing takes from its old place to its new one, in seconds.
TRAVEL = 0.24
_FRAME = 1 / 30


class PrimitivesPanel(ChoicePanel):
    """Each primitive in one line, or in two or three where all of them fit so.

    Under the X-ray each has one line, and below it one for each of its parts.
    """

    BORDER_TITLE = "Primitives"

    #: The primitive chosen, by its id; or the part, by its key.
    chosen: reactive[str | None] = reactive[str | None](None)

    def __init__(self, **names: str | None) -> None:
        super().__init__(**names)
        #: Whether things are seen to move; the still picture afterwards says the same.
        self.motion = False
        self._state = State()
        self._xray = False
        self._memory = Memory()
        self._bare: dict[str, tuple[Line, ...]] = {}
        self._before: dict[str, tuple[Line, ...]] = {}
        self._from: dict[str, dict[str, int]] = {}  # where moving things come from, by column
        self._began = 0.0
        self._timer: Timer | None = None

    def show(self, state: State, diagnosis: Diagnosis, *, xray: bool = False) -> None:
        """Show this state; under the X-ray with what the primitives are made of."""
        old, by = self._bare, state.n - self._state.n
        self._state = state
        self._xray = xray
        next_one = self._memory.look(state)
        if by:
            self._before = old if 0 < by <= 2 else {}
            self._stop()
        self.draw()
        if by and next_one and self.motion:
            self._start(old)

    def forget(self) -> None:
        """A new run begins."""
        self._stop()
        self._memory = Memory()
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
        room_for = 1 if self._xray or not things else self.rows // len(things)
        scenes = [Scene(state, p, self._memory, width, names + 1, room_for) for p in things]
        drawings = [draw(scene) for scene in scenes]
        most = 3 if any(drawing.under for drawing in drawings) else 2
        self.high = max(1, min(most, room_for))
        bare: dict[str, tuple[Line, ...]] = {}
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

    def _rows(self, head: list[Piece], drawing: Drawing, width: int) -> tuple[Line, ...]:
        indent = Piece(" " * width_of(head))
        under = [[indent, *fit(drawing.under, width)]] if drawing.under and self.high > 2 else []
        if self.high == 1 or _short(drawing, width):
            rows = [[*head, *fitted(drawing.main, drawing.rest, width)], *under]
        else:
            rows = [[*head, *fit(drawing.main, width)], *under, [indent, *fit(drawing.rest, width)]]
        rows += [[]] * (self.high - len(rows))
        return tuple(Line(tuple(row)) for row in rows)

    # Motion: what has another place than before travels there.

    def _start(self, old: dict[str, tuple[Line, ...]]) -> None:
        for key, rows in self._bare.items():
            if key in old and old[key] != rows:
                was, now = _places(old[key]), _places(rows)
                moved = {
                    thing: was.get(thing, _origin(thing, was, self._state, key))
                    for thing, place in now.items()
                    if was.get(thing, -1) != place
                }
                moving = {thing: place for thing, place in moved.items() if place >= 0}
                if moving:
                    self._from[key] = moving
        if self._from:
            self._began = monotonic()
            self._timer = self.set_interval(_FRAME, self._frame)
            self._refresh_moving()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._from:
            self._refresh_moving()
            self._from = {}

    def _frame(self) -> None:
        if monotonic() - self._began >= TRAVEL:
            self._stop()
        else:
            self._refresh_moving()

    def _refresh_moving(self) -> None:
        for at, key in enumerate(self._bare):
            if key in self._from:
                for y in range(at * self.high, (at + 1) * self.high):
                    self._strips.pop(y, None)
                    self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """A line at rest, or with its things on their way."""
        at = y + self.scroll_offset.y
        if self._from and 0 <= at < len(self._lines):
            key = list(self._bare)[at // self.high]
            if key in self._from:
                return self._on_the_way(self._lines[at], self._from[key])
        return super().render_line(y)

    def _on_the_way(self, line: Line, origins: dict[str, int]) -> Strip:
        done = min(1.0, (monotonic() - self._began) / TRAVEL)
        eased = 1 - (1 - done) ** 2
        flying: list[tuple[int, Piece]] = []
        resting: list[Piece] = []
        x = 0
        for piece in line.pieces:
            size = cell_len(piece.text)
            if piece.key in origins:
                start = origins[piece.key] + 2
                flying.append((round(start + (x - start) * eased), piece))
                piece = Piece(" " * size)
            resting.append(piece)
            x += size
        strip = self.strip_of(Line(tuple(resting), line.style))
        for place, piece in flying:
            size = cell_len(piece.text)
            style = self.style(f"{piece.style} {line.style}".strip())
            strip = Strip.join(
                [
                    strip.crop(0, place),
                    Strip([Segment(look.shown(piece.text), style)]),
                    strip.crop(place + size),
                ]
            )
        return strip.adjust_cell_length(self.room, self.style(line.style))

    # Choosing.

    @property
    def count(self) -> int:
        """How many primitives, and parts that are seen, there are."""
        return len(self._keys())

    @property
    def place(self) -> int | None:
        """Which one of them is chosen."""
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
    return _SHORTER.get(kind, kind).replace(SERVED, "Mgr ") if room < 70 else kind


def _kind_width(state: State, primitive: Primitive, room: int) -> int:
    """How wide the kind and the number of the primitive get, as far as one can know."""
    word = len(_kind(primitive, room))
    if primitive.sort in ("Lock", "RLock"):
        return word
    if state.work(primitive) is not None:
        return word + 1 + len(str(primitive.capacity))
    if primitive.capacity:
        return word + 2 + 2 * len(str(primitive.capacity))
    channel = state.atoms.get(primitive.parts.get("items", ""))
    if isinstance(channel, Channel):
        return word + 1 + len(str(len(channel.items) + len(channel.buffered)))
    return word


def _short(drawing: Drawing, width: int) -> bool:
    """Whether both parts fit beside each other, and need no second line."""
    return not drawing.rest or width_of(drawing.main) + 3 + width_of(drawing.rest) <= width


def _places(rows: tuple[Line, ...]) -> dict[str, int]:
    """The column of each thing that can move."""
    places: dict[str, int] = {}
    for row in rows:
        x = 0
        for piece in row.pieces:
            if piece.key:
                places.setdefault(piece.key, x)
            x += cell_len(piece.text)
    return places


def _origin(thing: str, was: dict[str, int], state: State, primitive: str) -> int:
    """Where a thing comes from that was not there: an item from its sender; -1 from nowhere."""
    if thing.startswith("item-"):
        parts = state.primitives[primitive].parts
        channel = state.atoms.get(parts["items"])
        for item in getattr(channel, "items", ()):
            if thing == f"item-{item.number}":
                return was.get(f"actor-{item.sender}", -1)
    if thing == "taken":
        old = [key for key in was if key.startswith("item-")]
        return max((was[key] for key in old), default=-1)
    return -1
