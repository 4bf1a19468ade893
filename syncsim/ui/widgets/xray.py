"""The X-ray: the parts of a primitive, a line for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.kinds import PURPOSES, Role, part_name
from syncsim.core.operation import Verb
from syncsim.core.state import Primitive, State
from syncsim.ui import look
from syncsim.ui.widgets.lines import Piece, tag

_GAP: Final = Piece("   ")


class XrayRow(NamedTuple):
    """One part of one primitive."""

    primitive: Primitive
    role: str

    @property
    def key(self) -> str:
        """The key that tells the part from all other parts, and from all primitives."""
        return f"{self.primitive.id}\n{self.role}"

    @property
    def meaning(self) -> str:
        """The purpose of the part, in a few words."""
        return PURPOSES.get(self.role, "")


def parts(primitive: Primitive) -> list[XrayRow]:
    """Its parts, if it consists of more than one."""
    return [XrayRow(primitive, role) for role in primitive.parts if len(primitive.parts) > 1]


def part_of(state: State, key: str | None) -> XrayRow | None:
    """The part with that key; None where that is no part."""
    primitive, _, role = (key or "").partition("\n")
    found = state.primitives.get(primitive)
    return XrayRow(found, role) if found is not None and role in found.parts else None


def value_of(primitive: Primitive, role: str, atom: Atom | None) -> str:
    """Return the content of the part now, in a word or a number."""
    match atom:
        case Semaphore() if role == Role.SLOTS:
            return f"{atom.value} of {primitive.capacity}" if primitive.capacity else "no bound"
        case Semaphore() if atom.is_lock and role.endswith("lock"):
            return "taken" if not atom.value else "free"
        case Semaphore():
            return str(atom.value)
        case Channel():
            return ", ".join(item.label for item in atom.items) or "nothing"
        case Cell():
            return atom.value
        case _:
            return ""


def line_of(state: State, part: XrayRow, names: int, last: bool) -> list[Piece]:
    """The part: its name, its value, who holds it, who waits there, and what it is for."""
    primitive, role = part.primitive, part.role
    widest = max(len(part_name(each)) for each in primitive.parts)
    pieces = [
        Piece("  ╰ " if last else "  ├ ", "faint"),
        Piece(part_name(role).ljust(widest) + "  ", "rest"),
    ]
    pieces += _inside(state, part, names)
    waiting = state.waiting(primitive, role)
    flushing = [a.id for a in waiting if a.pending is not None and a.pending.verb is Verb.FLUSH]
    others = [a.id for a in waiting if a.id not in flushing]
    for word, actors in (
        ("asleep " if role == Role.WAIT else "in line ", others),
        ("flushing ", flushing),
    ):
        if actors:
            pieces += (_GAP, Piece(word, "quiet"), *_tags(state, actors, names))
    pieces += _buffers(state, part, names)
    if part.meaning:
        pieces += (_GAP, Piece(f"({part.meaning})", "faint"))
    return pieces


def _inside(state: State, part: XrayRow, names: int) -> Iterator[Piece]:
    primitive, role = part.primitive, part.role
    atom = state.atoms.get(primitive.parts[role])
    held = state.holders(primitive, role)
    if held:
        yield Piece("held by ", "quiet")
        yield from _tags(state, list(dict.fromkeys(held)), names)
        if len(held) > 1 and len(set(held)) == 1:
            yield Piece(f" ×{len(held)}", "rest")
        return
    yield Piece(look.clean(value_of(primitive, role, atom), 40), "go")


def _buffers(state: State, part: XrayRow, names: int) -> Iterator[Piece]:
    """Draw the items that were put into the queue and are in no pipe yet."""
    atom = state.atoms.get(part.primitive.parts[part.role])
    if isinstance(atom, Channel) and atom.buffered:
        yield Piece("   in the buffer of ", "quiet")
        for at, sender in enumerate(dict.fromkeys(item.sender for item in atom.buffered)):
            own = [item.label for item in atom.buffered if item.sender == sender]
            yield Piece("  " if at else "")
            yield tag(state.actors[sender], names, key=False)
            yield Piece(" " + look.clean(", ".join(own), 24), "rest")


def _tags(state: State, actors: Sequence[int], names: int) -> Iterator[Piece]:
    for at, actor in enumerate(actors):
        if at:
            yield Piece(" ")
        yield tag(state.actors[actor], names, key=False)
