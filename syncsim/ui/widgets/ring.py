"""The cycle of a deadlock, drawn as a ring of who waits for what, held by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.graph import Link


class Arc(NamedTuple):
    """A piece of the drawing: a process (then with its number), a primitive, or an arrow."""

    text: str
    kind: str  # process, primitive or arrow
    actor: ActorId | None = None


Row = list[Arc]

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


def _chain(cycle: Sequence[Link], waits: str, held: str) -> list[tuple[Arc, str]]:
    """Every node in order, each with the arrow that leads on from it."""
    chain: list[tuple[Arc, str]] = []
    for link in cycle:
        chain.append((Arc(link.process, "process", link.actor), waits))
        if link.waits_for != link.held_by:
            chain.append((Arc(link.waits_for, "primitive"), held))
    return chain


def _folded(chain: list[tuple[Arc, str]], arrows: Sequence[str], width: int) -> list[Row]:
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
    upper: list[tuple[Arc, str]],
    lower: list[tuple[Arc, str]],
    backwards: dict[str, str],
) -> list[Row]:
    """The ring bent once: ``upper`` above, ``lower`` below from right to left."""
    top: Row = []
    for at, (part, arrow) in enumerate(upper):
        top.append(part)
        if at < len(upper) - 1:
            top.append(Arc(arrow, "arrow"))
    bottom: Row = []
    for at, (part, _) in enumerate(reversed(lower)):
        bottom.append(part)
        if at < len(lower) - 1:
            # The arrow that leads from the part further right to this one.
            bottom.append(Arc(backwards[lower[len(lower) - 2 - at][1]], "arrow"))
    down, up = upper[-1][1], lower[-1][1]
    inner = max(_width(top), _width(bottom))
    head = _word(down)
    tail = _word(up)
    top_line = [Arc(" " * _MARGIN, "arrow"), *top]
    top_line.append(Arc(f" ─{head}" + "─" * (inner - _width(top)) + "─┐", "arrow"))
    length = _width(top_line)
    left = [Arc(" " * _MARGIN + f"└─{tail}─ ", "arrow"), *bottom]
    rest = length - _width(left) - 3
    if rest < 0:
        # The lower row is the longer one: let the upper one reach as far.
        top_line[-1] = Arc(top_line[-1].text[:-1] + "─" * -rest + "┐", "arrow")
        length -= rest
        rest = 0
    bottom_line = [*left, Arc(" ◀" + "─" * rest + "┘", "arrow")]
    middle = [Arc(" " * _MARGIN + "▲" + " " * (length - _MARGIN - 2) + "│", "arrow")]
    return [top_line, middle, bottom_line]


def _word(arrow: str) -> str:
    return arrow.strip(" ─▶")


def _wrapped(chain: list[tuple[Arc, str]], cycle: Sequence[Link], width: int) -> list[Row]:
    closing = Arc(cycle[0].process, "process", cycle[0].actor)
    rows: list[Row] = [[]]
    for part, arrow in [*chain, (closing, "")]:
        if rows[-1] and _width(rows[-1]) + cell_len(part.text) + cell_len(arrow) > width:
            rows.append([Arc("  ", "arrow")])
        rows[-1].append(part)
        if arrow:
            rows[-1].append(Arc(arrow, "arrow"))
    return rows


def _width(row: Row) -> int:
    return sum(cell_len(part.text) for part in row)
