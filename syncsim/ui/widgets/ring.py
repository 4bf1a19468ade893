"""The cycle of a deadlock, drawn as a ring of who waits for what, held by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.diagnosis import Link


class Part(NamedTuple):
    """A piece of the drawing: a process (then with its number), a primitive, or an arrow."""

    text: str
    kind: str  # process, primitive or arrow
    actor: ActorId | None = None


Row = list[Part]

#: How the arrows are drawn, from the widest to the narrowest: waits to the right, held by to
#: the right, and the same to the left.
_ARROWS = (
    (" ──waits──▶ ", " ──held by──▶ ", " ◀──waits── ", " ◀──held by── "),
    (" ─waits▶ ", " ─held by▶ ", " ◀waits─ ", " ◀held by─ "),
    (" ─▶ ", " ─▶ ", " ◀─ ", " ◀─ "),
)
_MARGIN = 2


def ring(cycle: Sequence[Link], width: int) -> list[Row]:
    """The drawing in rows of at most ``width`` cells; empty where there is no cycle.

    Two rows, the upper one read to the right and the lower one to the left; where that does not
    fit even with short arrows, one chain, broken into as many rows as it takes.
    """
    if not cycle:
        return []
    for arrows in _ARROWS:
        chain = _chain(cycle, *arrows[:2])
        rows = _folded(chain, arrows, width)
        if rows:
            return rows
    return _wrapped(_chain(cycle, *_ARROWS[-1][:2]), cycle, width)


def _chain(cycle: Sequence[Link], waits: str, held: str) -> list[tuple[Part, str]]:
    """Every node in order, each with the arrow that leads on from it."""
    chain: list[tuple[Part, str]] = []
    for link in cycle:
        chain.append((Part(link.process, "process", link.actor), waits))
        if link.waits_for != link.held_by:
            chain.append((Part(link.waits_for, "primitive"), held))
    return chain


def _folded(chain: list[tuple[Part, str]], arrows: Sequence[str], width: int) -> list[Row]:
    if len(chain) < 2:
        return []
    backwards = dict(zip(arrows[:2], arrows[2:], strict=True))
    best: list[Row] = []
    for fold in range(1, len(chain)):
        rows = _two_rows(chain[:fold], chain[fold:], backwards)
        size = _width(rows[0])
        if size <= width and (not best or size < _width(best[0])):
            best = rows
    return best


def _two_rows(
    upper: list[tuple[Part, str]],
    lower: list[tuple[Part, str]],
    backwards: dict[str, str],
) -> list[Row]:
    """The ring bent once: ``upper`` above, ``lower`` below from right to left."""
    top: Row = []
    for at, (part, arrow) in enumerate(upper):
        top.append(part)
        if at < len(upper) - 1:
            top.append(Part(arrow, "arrow"))
    bottom: Row = []
    for at, (part, _) in enumerate(reversed(lower)):
        bottom.append(part)
        if at < len(lower) - 1:
            # The arrow that leads from the part further right to this one.
            bottom.append(Part(backwards[lower[len(lower) - 2 - at][1]], "arrow"))
    down, up = upper[-1][1], lower[-1][1]
    inner = max(_width(top), _width(bottom))
    head = _word(down)
    tail = _word(up)
    top_line = [Part(" " * _MARGIN, "arrow"), *top]
    top_line.append(Part(f" ─{head}" + "─" * (inner - _width(top)) + "─┐", "arrow"))
    length = _width(top_line)
    left = [Part(" " * _MARGIN + f"└─{tail}─ ", "arrow"), *bottom]
    rest = length - _width(left) - 3
    if rest < 0:
        # The lower row is the longer one: let the upper one reach as far.
        top_line[-1] = Part(top_line[-1].text[:-1] + "─" * -rest + "┐", "arrow")
        length -= rest
        rest = 0
    bottom_line = [*left, Part(" ◀" + "─" * rest + "┘", "arrow")]
    middle = [Part(" " * _MARGIN + "▲" + " " * (length - _MARGIN - 2) + "│", "arrow")]
    return [top_line, middle, bottom_line]


def _word(arrow: str) -> str:
    return arrow.strip(" ─▶")


def _wrapped(chain: list[tuple[Part, str]], cycle: Sequence[Link], width: int) -> list[Row]:
    closing = Part(cycle[0].process, "process", cycle[0].actor)
    rows: list[Row] = [[]]
    for part, arrow in [*chain, (closing, "")]:
        if rows[-1] and _width(rows[-1]) + cell_len(part.text) + cell_len(arrow) > width:
            rows.append([Part("  ", "arrow")])
        rows[-1].append(part)
        if arrow:
            rows[-1].append(Part(arrow, "arrow"))
    return rows


def _width(row: Row) -> int:
    return sum(cell_len(part.text) for part in row)
