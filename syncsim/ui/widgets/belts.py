"""Drawings of queues and pipes: belts on which items go from those who put to those who get."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len

from syncsim.core.atoms import Channel, Item
from syncsim.core.kinds import LANES, Role
from syncsim.core.operation import Verb
from syncsim.core.state import Actor
from syncsim.ui import look
from syncsim.ui.widgets.lines import FROM_LEFT, Piece, width_of
from syncsim.ui.widgets.recollection import Taken

if TYPE_CHECKING:
    from syncsim.ui.widgets.drawings import Scene

#: Number, main part, rest, and what stands below: the fields of a drawing.
_Drawn = tuple[str, list[Piece], list[Piece], Sequence[Piece]]

_GAP: Final = Piece("   ")
_SENDS: Final = ("put", "send", "send_bytes")
_GETS: Final = ("get", "recv", "recv_bytes", "poll")


class _Ends(NamedTuple):
    """The processes at the two ends of a belt: at its entry and at its exit."""

    entry: Actor | None
    may_enter: bool
    exit: Actor | None
    may_leave: bool
    #: What the one at the exit has just taken.
    taken: Taken | None


def draw_belt(scene: Scene) -> _Drawn:
    """A queue, or a pipe with one direction."""
    channel = _channel(scene, Role.ITEMS)
    held = len(channel.items) + len(channel.buffered)
    count = f"{held}/{scene.capacity}" if scene.capacity else str(held)
    putting, taking = scene.at(*_SENDS), scene.at(*_GETS)
    put_line = scene.waiting(Role.SLOTS, Role.PUT_LOCK)
    waiting = scene.waiting(Role.ITEMS, Role.GET_LOCK)
    # Who waits until its own items are in the pipe gets nothing.
    flushing = [actor for actor in waiting if _flushes(actor)]
    get_line = [actor for actor in waiting if not _flushes(actor)]
    get_line.sort(key=lambda actor: _role(actor) != Role.ITEMS)
    # At the belt's entry is the one who may put, or is next in line, or flushes.
    entering = [*putting, *put_line, *flushing]
    ends = _ends(scene, Role.ITEMS, entering, putting, [*taking, *get_line], taking)
    main, under = _lane(scene, Role.ITEMS, ends, scene.width)
    at_ends = {actor.id for actor in (ends.entry, ends.exit) if actor is not None}
    rest: list[Piece] = []
    for words, actors in (
        ("in line to put ", put_line),
        ("flushing ", flushing),
        ("in line to get ", get_line),
    ):
        line = scene.line([a for a in actors if a.id not in at_ends], words)
        rest += [_GAP, *line] if rest and line else line
    return count, main, rest, under


def draw_pipe(scene: Scene) -> _Drawn:
    """A pipe with two directions: a lane each, beside each other where there is one line."""
    beside = scene.rows == 1
    there, back = (_ends_of_lane(scene, at) for at in (0, 1))
    if beside:
        field = 2 * (scene.names + 4)
        belts = scene.width - field - 10
        main, _ = _lane(scene, Role.ITEMS, there, field + belts // 2)
        taken = back if back.taken is not None else back._replace(exit=None)
        rest = _lane_back(scene, taken._replace(entry=None), belts // 2 + 8, field=0)
    else:
        main, _ = _lane(scene, Role.ITEMS, there, scene.width)
        rest = _lane_back(scene, back, scene.width, field=scene.names)
    at_ends = {a.id for ends in (there, back) for a in (ends.entry, ends.exit) if a is not None}
    line = scene.line([a for a in scene.waiting(*LANES) if a.id not in at_ends], "in line to get ")
    return "", main, [*rest, _GAP, *line] if line else rest, ()


def _ends_of_lane(scene: Scene, at: int) -> _Ends:
    """The ends of one lane of a pipe; where nobody is just now, who was there last."""
    role = LANES[at]
    sending, getting = scene.at(*_SENDS, role=role), scene.at(*_GETS, role=role)
    here, other = (_last_at(scene, end) for end in (at, 1 - at))
    line = [*getting, *scene.waiting(role)]
    return _ends(
        scene,
        role,
        [*sending, *here],
        [*sending, *here],
        [*line, *other],
        getting or ([] if line else other),
    )


def _last_at(scene: Scene, end: int) -> list[Actor]:
    last = scene.memory.ends.get((scene.primitive.id, end))
    actor = scene.state.actors[last] if last is not None else None
    return [actor] if actor is not None and not actor.ended else []


def _ends(
    scene: Scene,
    role: str,
    entry: Sequence[Actor],
    may_enter: Sequence[Actor],
    leave: Sequence[Actor],
    may_leave: Sequence[Actor],
) -> _Ends:
    """The first at each end; at the exit, who has just taken something stands before all."""
    first = next(iter(entry), None)
    taken = scene.memory.taken.get(scene.primitive.id)
    if taken is not None and taken.role == role:
        return _Ends(first, first in may_enter, scene.state.actors[taken.actor], True, taken)
    last = next(iter(leave), None)
    return _Ends(first, first in may_enter, last, last is None or last in may_leave, None)


def _lane(scene: Scene, role: str, ends: _Ends, width: int) -> tuple[list[Piece], list[Piece]]:
    """Entry, belt, exit from left to right; and the rollers below the belt."""
    field = scene.names
    left = [Piece(" ─▶ " if ends.may_enter or ends.entry is None else " ─◌ ", "quiet")]
    if ends.entry is not None:
        left.insert(0, scene.tag(ends.entry)._replace(origin=FROM_LEFT))
    left.insert(0, Piece(" " * max(0, field + 4 - width_of(left))))
    right = [Piece(" ─▶ " if ends.may_leave else " ◌─ ", "quiet")]
    if ends.exit is not None:
        right.append(scene.tag(ends.exit))
    belt = _belt(scene, role, width - 2 * (field + 4))
    if ends.taken is not None:
        room = width - width_of([*left, *belt, *right]) - 1
        right += (Piece(" "), *_in_hand(ends.taken, max(room, 2)))
    under = [Piece(" " * width_of(left)), Piece(_rollers(belt), "faint")]
    return [*left, *belt, *right], under


def _lane_back(scene: Scene, ends: _Ends, width: int, field: int) -> list[Piece]:
    """Exit, belt, entry from left to right: what is sent back goes to the left."""
    left = [Piece(" ◀─ " if ends.may_leave else " ─◌ ", "quiet")]
    if ends.taken is not None:
        left = [Piece(" "), *_in_hand(ends.taken, 8), *left]
    if ends.exit is not None:
        left.insert(0, scene.tag(ends.exit)._replace(origin=FROM_LEFT))
    if field:
        left.insert(0, Piece(" " * max(0, field + 4 - width_of(left))))
    right = [Piece(" ◀─ ", "quiet")]
    if ends.entry is not None:
        right.append(scene.tag(ends.entry))
    room = width - width_of(left) - max(field + 4, width_of(right))
    return [*left, *reversed(_belt(scene, Role.ITEMS_BACK, room)), *right]


def _in_hand(taken: Taken, room: int) -> list[Piece]:
    return [Piece(look.clean(taken.label, min(room, 12)), "rest", f"{taken.role}-taken", taken.key)]


def _channel(scene: Scene, role: str) -> Channel:
    channel = scene.state.atoms[scene.primitive.parts[role]]
    assert isinstance(channel, Channel)
    return channel


def _flushes(actor: Actor) -> bool:
    return actor.pending is not None and actor.pending.verb is Verb.FLUSH


def _role(actor: Actor) -> str:
    return actor.pending.role if actor.pending else ""


def _rollers(belt: list[Piece]) -> str:
    """The rollers of a belt: one below the middle of each place."""
    text = _cells("".join(piece.text for piece in belt))
    ends = [at for at, sign in enumerate(text) if sign in "┆│»"]
    line = ["─"] * (ends[-1] + 1)
    for start, end in pairwise(ends):
        line[(start + end) // 2] = "◦"
    line[: ends[0] + 1] = " " * ends[0] + "╰"
    line[ends[-1]] = "╯"
    return "".join(line)


def _cells(text: str) -> str:
    """The text with one sign for each cell."""
    return "".join(sign + " " * (cell_len(sign) - 1) for sign in text)


def _belt(scene: Scene, role: str, room: int) -> list[Piece]:
    """Items and free places between two dotted ends, the oldest item at the right."""
    channel = _channel(scene, role)
    items = [*channel.buffered[::-1], *channel.items[::-1]]
    labels = [look.clean(item.label, 12) for item in items]
    widest = max([cell_len(label) for label in labels], default=1)
    widest = scene.memory.widest[scene.primitive.id] = max(
        widest, scene.memory.widest.get(scene.primitive.id, 1), 1
    )
    places = scene.capacity or max(3, len(items))
    cell, pad, more = widest, 1, 0
    if places * (cell + 3) >= room:
        pad = 0
        cell = min(widest, (room - 1) // places - 1)
    if cell < min(3, widest):  # not all places can be shown: those at the exit are
        cell = min(widest, 7)
        places = max(1, (room - 5) // (cell + 1))
        more = max(0, len(items) - places)
        items, labels = items[more:], labels[more:]
    blank = Piece(" " * pad)
    pieces = [Piece("┆", "quiet")]
    if more:
        pieces.insert(0, Piece(f"+{more}"[:4].rjust(4), "quiet"))
    empty = places - len(items)
    waiting = len(channel.buffered) - more  # in the buffers of their senders, not in the pipe
    for at in range(places):
        index = at - empty
        if index < 0:
            pieces.append(Piece(" " * (cell + 2 * pad)))
        else:
            item = items[index]
            key = f"{role}-{item.number or _next_number(channel, waiting - index)}"
            pieces += (blank, *_item(scene, item, cell, key, index < waiting), blank)
        if 0 <= index < waiting:
            pieces.append(Piece("»", "rest"))
        else:
            pieces.append(Piece("│", "faint") if at < places - 1 else Piece("┆", "quiet"))
    return pieces


def _next_number(channel: Channel, place: int) -> int:
    """The number that the item at that place in the buffers will have; 0 where that is open."""
    return channel.sent + place if len({item.sender for item in channel.buffered}) == 1 else 0


def _item(scene: Scene, item: Item, cell: int, key: str, buffered: bool) -> list[Piece]:
    """Draw an item; one that the feeder has not sent yet is faded, with » after it."""
    label = look.clean(item.label, cell)
    sender = scene.state.actors[item.sender] if item.sender < len(scene.state.actors) else None
    hue = look.hue(sender) if sender else "go"
    return [
        Piece(" " * (cell - cell_len(label))),
        Piece(
            label,
            f"{hue} faded" if buffered else hue,
            "" if key.endswith("-0") else key,
            f"actor-{item.sender}",
        ),
    ]
