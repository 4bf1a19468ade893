"""Motion of things from one picture of a primitive to the next, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len

from syncsim.ui.widgets.lines import FROM_LEFT, FROM_RIGHT, Line, Piece

#: The lines of one primitive.
Rows: TypeAlias = tuple[Line, ...]

#: What moves by fewer cells has only made room for something else.
_LEAST = 2


class Spot(NamedTuple):
    """A cell of the picture."""

    row: int
    column: int


class Flight(NamedTuple):
    """A piece on its way; one that ``leaves`` is no longer there afterwards."""

    piece: Piece
    start: Spot
    end: Spot
    leaves: bool = False

    def at(self, progress: float) -> Spot:
        """The place at that part of the way, from 0 to 1: quick at first, then slower."""
        eased = 1 - (1 - progress) ** 2
        row = self.start.row + (self.end.row - self.start.row) * eased
        column = self.start.column + (self.end.column - self.start.column) * eased
        return Spot(round(row), round(column))


def flights(old: Rows, new: Rows, left: int, right: int) -> list[Flight]:
    """The way of each thing that is elsewhere now; between ``left`` and ``right`` they come and go.

    A thing that is nowhere in the old picture, and has no origin there, is just there.
    """
    was, now = _places(old), _places(new)
    edges = {FROM_LEFT: left, FROM_RIGHT: right}
    found = []
    for key, (piece, end) in now.items():
        if key in was:
            start = was[key][1]
        elif piece.origin in edges:
            start = Spot(end.row, edges[piece.origin])
        elif piece.origin in was:
            start = was[piece.origin][1]
        else:
            continue
        if start.row != end.row or abs(start.column - end.column) >= _LEAST:
            found.append(Flight(piece, start, end))
    for key, (piece, start) in was.items():
        if key not in now and piece.origin in edges:
            found.append(Flight(piece, start, Spot(start.row, edges[piece.origin]), leaves=True))
    return found


def _places(rows: Rows) -> dict[str, tuple[Piece, Spot]]:
    """Each thing that can move, where it stands first."""
    places: dict[str, tuple[Piece, Spot]] = {}
    for y, row in enumerate(rows):
        x = 0
        for piece in row.pieces:
            if piece.key:
                places.setdefault(piece.key, (piece, Spot(y, x)))
            x += cell_len(piece.text)
    return places


def frame(rows: Rows, flying: Sequence[Flight], progress: float, width: int) -> Rows:
    """The picture while things are on their way, in at most ``width`` cells."""
    away = {flight.end for flight in flying if not flight.leaves}
    drawn = []
    for y, row in enumerate(rows):
        cells: list[Piece] = []
        for piece in row.pieces:
            here = Spot(y, sum(cell_len(cell.text) for cell in cells))
            cells.append(Piece(" " * cell_len(piece.text)) if here in away else piece)
        for flight in flying:
            place = flight.at(progress)
            if place.row == y:
                cells = _over(cells, flight.piece, place.column, width)
        drawn.append(Line(tuple(cells), row.style))
    return tuple(drawn)


def _over(cells: list[Piece], piece: Piece, column: int, width: int) -> list[Piece]:
    """The pieces of a line with one laid over them, as far as it is within the width."""
    text, _ = _halves(piece.text, max(0, width - column))
    before, after = _split(cells, column)
    _, rest = _split(after, cell_len(text))
    return [*before, piece._replace(text=text), *rest]


def _split(cells: Sequence[Piece], at: int) -> tuple[list[Piece], list[Piece]]:
    """The pieces before and after that many cells; a wide sign that is cut becomes blanks."""
    before: list[Piece] = []
    for index, piece in enumerate(cells):
        size = cell_len(piece.text)
        if at < size:
            head, tail = _halves(piece.text, at)
            rest = [piece._replace(text=tail), *cells[index + 1 :]]
            return [*before, piece._replace(text=head)] if at else before, rest
        before.append(piece)
        at -= size
    return [*before, Piece(" " * at)], []


def _halves(text: str, at: int) -> tuple[str, str]:
    spread = [part for sign in text for part in (sign, *[""] * (cell_len(sign) - 1))]
    head, tail = spread[:at], spread[at:]
    if tail and tail[0] == "":  # the cut goes through a wide sign
        return "".join(head[:-1]) + " ", " " + "".join(tail)
    return "".join(head), "".join(tail)
