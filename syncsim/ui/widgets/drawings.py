"""Drawings of each kind of primitive: from a state to pieces of text, and nothing else.

A drawing has a head (the kind and a number), a main part, and a rest that stands beside it
or, where there is room, in a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len

from syncsim.core.atoms import Block, Cell, Semaphore
from syncsim.core.kinds import LANES, Family, Role
from syncsim.core.state import Actor, Primitive, State
from syncsim.ui import look
from syncsim.ui.widgets.belts import draw_belt, draw_pipe
from syncsim.ui.widgets.lines import Piece, Pieces, fit, tag, width_of
from syncsim.ui.widgets.recollection import Recollection, going_on, is_set
from syncsim.ui.widgets.workers import draw_workers

_GAP: Final = Piece("   ")


class Drawing(NamedTuple):
    """The drawing of a primitive."""

    number: str
    main: list[Piece]
    rest: list[Piece]
    #: What stands below the main part where there is much room, and says nothing new.
    under: Sequence[Piece] = ()


class Scene(NamedTuple):
    """The things that a drawing is made of."""

    state: State
    primitive: Primitive
    memory: Recollection
    width: int
    names: int  # how wide a process is at the most, with its badge
    rows: int = 1  # how many lines there are for it

    @property
    def capacity(self) -> int | None:
        """The capacity of the primitive."""
        return self.primitive.capacity

    def semaphore(self, role: str) -> Semaphore:
        """The semaphore in that role."""
        return self.state.semaphore(self.primitive, role)

    def waiting(self, *roles: str) -> tuple[Actor, ...]:
        """Return the actors that wait at that part, longest first."""
        return self.state.waiting(self.primitive, *roles)

    def at(self, *methods: str, role: str = "") -> list[Actor]:
        """Return the actors about to make one of these calls here, on that part, that may go on."""
        return [
            actor
            for actor in self.state.actors
            if actor.pending is not None
            and actor.pending.primitive == self.primitive.id
            and actor.pending.call.rpartition(".")[2] in methods
            and role in ("", actor.pending.role)
            and not actor.ended
            and self.state.enabled(actor)
        ]

    def tag(self, actor: Actor | int, style: str = "", key: bool = True) -> Piece:
        """A process, in its colour."""
        who = actor if isinstance(actor, Actor) else self.state.actors[actor]
        # (The names of its children, by which ``names`` goes, may be shorter than "main".)
        return tag(who, max(self.names - 1, len("main")), style, key)

    def tags(self, actors: Iterable[Actor | int], between: str = " ") -> list[Piece]:
        """Several of them."""
        pieces: list[Piece] = []
        for actor in actors:
            if pieces:
                pieces.append(Piece(between, "quiet"))
            pieces.append(self.tag(actor))
        return pieces

    def line(self, actors: Sequence[Actor], words: str = "in line ") -> list[Piece]:
        """Those who wait, in order; nothing if nobody does."""
        return [Piece(words, "quiet"), *self.tags(actors, " › ")] if actors else []


def draw(scene: Scene) -> Drawing:
    """The drawing for the primitive of the scene."""
    parts = scene.primitive.parts
    for family, needed, draw_it in _FAMILIES:
        if scene.primitive.traits.family is family and all(role in parts for role in needed):
            return draw_it(scene)
    if isinstance(scene.state.atoms.get(parts.get(Role.VALUE, "")), Cell):
        return _content(scene)
    return _anything(scene)


def _lock(scene: Scene) -> Drawing:
    main = _holder(scene, Role.LOCK) or [Piece("free", "quiet")]
    line = scene.line(scene.waiting(Role.LOCK))
    if line:  # those in line stand below each other
        main.append(Piece(" " * (8 + scene.names - width_of(main))))
    return Drawing("", main, line)


def _holder(scene: Scene, role: str) -> list[Piece]:
    holders = scene.state.holders(scene.primitive, role)
    if not holders:
        return []
    holder = scene.state.actors[holders[-1]]
    pieces = [Piece("held by ", "quiet"), scene.tag(holder)]
    if len(holders) > 1:
        pieces.append(Piece(f" ×{len(holders)}", "rest"))
    if holder.ended:
        pieces.append(Piece(" who has ended", "bad"))
    else:
        since = scene.memory.since.get((scene.primitive.id, holder.id))
        if since is not None and scene.width >= 60:
            pieces.append(Piece(" " * (scene.names - cell_len(pieces[1].text))))
            pieces.append(Piece(f" since step {since:<4}", "quiet"))
    return pieces


def _semaphore(scene: Scene) -> Drawing:
    semaphore = scene.semaphore(Role.PERMITS)
    value, holders = semaphore.value, semaphore.holders
    whole = max(scene.capacity or 0, value)
    if whole <= 10:
        main = [Piece("◆ ", "accent", f"unit-{n}") for n in range(value)]
        main += [Piece("◇ ", "quiet")] * (whole - value)
    else:
        main = [Piece("◆", "accent"), Piece(f" {value} free ", "rest")]
    if holders:
        main.append(Piece("  "))
    for at, holder in enumerate(holders):
        who = scene.state.actors[holder]
        main += (scene.tag(who, key=holders.index(holder) == at), Piece(" "))
        main.append(
            Piece("◆ who has ended ", "bad")
            if who.ended
            else Piece("◆ ", "accent", f"unit-{whole - 1 - at}")
        )
    count = f"{value}/{whole}" if whole else str(value)
    return Drawing(count, main, scene.line(scene.waiting(Role.PERMITS)))


def _condition(scene: Scene) -> Drawing:
    lock = scene.state.holders(scene.primitive, Role.LOCK)
    asleep = scene.waiting(Role.WAIT)
    awake = [
        actor
        for actor in scene.state.actors
        if actor.pending is not None
        and actor.pending.primitive == scene.primitive.id
        and actor.pending.call.endswith((".wait", ".wait_for"))
        and not actor.ended
        and (
            (actor.pending.role == Role.WAIT and scene.state.enabled(actor))
            or (actor.pending.role == Role.LOCK and actor.call)
        )
    ]
    main = [Piece("lock ", "quiet"), *(scene.tags(lock[-1:]) or [Piece("free", "quiet")])]
    if lock and scene.state.actors[lock[-1]].ended:
        main.append(Piece(" who has ended", "bad"))
    main.append(Piece(" " * (5 + scene.names + 2 - width_of(main))))
    room = "waiting room " if scene.width >= 44 else "asleep "
    main += (Piece(room, "quiet"), *_room(scene.tags(asleep)))
    rest = [Piece("notified ", "quiet"), *scene.tags(awake)] if awake else []
    line = [actor for actor in scene.waiting(Role.LOCK) if actor not in awake]
    if line:
        rest += ([_GAP] if rest else []) + scene.line(line)
    waker = scene.waiting(Role.WOKEN)
    if waker:
        rest += [Piece(" by " if rest else "woken by ", "quiet"), *scene.tags(waker)]
    return Drawing("", main, rest)


def _room(inside: list[Piece]) -> list[Piece]:
    return [Piece("┆ ", "quiet"), *(inside or [Piece(" ")]), Piece(" ┆", "quiet")]


def _event(scene: Scene) -> Drawing:
    on = is_set(scene.state, scene.primitive)
    asleep = scene.waiting(Role.WAIT)
    waking = [a for a in scene.at("wait") if a.pending is not None and a.pending.role == Role.WAIT]
    line = scene.waiting(Role.LOCK)
    busy = {actor.id for actor in (*asleep, *waking, *line)}
    main = [Piece("● on ", "accent") if on else Piece("○ off", "rest")]
    setter = scene.memory.setter.get(scene.primitive.id)
    if on and setter is not None:
        main += (Piece(" by ", "quiet"), scene.tag(setter, key=setter not in busy))
    if asleep:
        main += (_GAP, Piece("asleep ", "quiet"), *scene.tags(asleep))
    rest = [Piece("awake again ", "quiet"), *scene.tags(waking)] if waking else []
    if line:
        rest += ([_GAP] if rest else []) + scene.line(line)
    passed = scene.memory.passed.get(scene.primitive.id)
    if passed is not None and passed not in busy:
        rest += [*([_GAP] if rest else []), scene.tag(passed, key=passed != setter)]
        rest.append(Piece(" goes on", "quiet"))
    return Drawing("", main, rest)


def _barrier(scene: Scene) -> Drawing:
    """A gate that fills, is seen full when the last has come, and empties as they go on."""
    parties = scene.capacity or 0
    asleep = scene.waiting(Role.WAIT)
    going = going_on(scene.state, scene.primitive)
    opened = scene.memory.opened.get(scene.primitive.id)
    if opened is not None:
        last, n = opened
        if n == scene.state.n and all(actor.id != last for actor in going):
            going.append(scene.state.actors[last])
        main = [*_room(scene.tags(going)), Piece(" open", "accent")]
        # Those in line have come for the next time.
        return Drawing(f"{len(going)}/{parties}", main, scene.line(asleep))
    inside = scene.tags(asleep)
    for _ in range(min(parties, 12) - len(asleep)):
        inside.append(Piece(" _" if inside else "_", "quiet"))
    rest = [Piece("goes on ", "quiet"), *scene.tags(going)] if going else []
    return Drawing(f"{len(asleep)}/{parties}", _room(inside), rest)


def _value(scene: Scene) -> Drawing:
    cell = scene.state.atoms[scene.primitive.parts[Role.VALUE]]
    assert isinstance(cell, Cell)
    most = max(8, scene.width // 3)
    reads = scene.memory.reads.get(scene.primitive.id, {})
    now = f"value-{cell.value}"
    main: list[Piece] = []
    if cell.writer is not None:
        before = f"value-{cell.previous}" if cell.previous != cell.value else ""
        main += (
            Piece(look.clean(cell.previous, most), "quiet", before),
            Piece(" → ", "quiet"),
            Piece(look.clean(cell.value, most), "go", now, f"actor-{cell.writer}"),
            Piece("  by ", "quiet"),
            scene.tag(cell.writer, key=cell.writer not in reads),
        )
    else:
        main.append(Piece(look.clean(cell.value, most), "go", now))
    rest: list[Piece] = []
    for actor, read in sorted(reads.items()):
        if scene.state.actors[actor].ended:
            continue
        old = read != cell.value
        rest += (
            *([Piece("  ")] if rest else []),
            scene.tag(actor),
            Piece(f" read {look.clean(read, most)}", "rest" if old else "quiet"),
        )
    waiting = scene.waiting()
    if waiting:
        rest += ([_GAP] if rest else []) + scene.line(waiting)
    return Drawing("", main, rest)


def _unlocked(scene: Scene) -> Drawing:
    """Memory without a lock: in free running nothing says in which order it is used."""
    drawing = _value(scene)
    return drawing._replace(main=[*drawing.main, Piece("  ≈ no lock", "quiet")])


def _block(scene: Scene) -> Drawing:
    """A block of shared memory: how big, who has it open, and whether its name is gone."""
    block = scene.state.atoms[scene.primitive.parts[Role.BLOCK]]
    assert isinstance(block, Block)
    inside = dict.fromkeys(block.open_in)
    main = [Piece("open in ", "quiet"), *(scene.tags(inside) or [Piece("nobody", "quiet")])]
    if block.unlinked:
        main.append(Piece("  unlinked", "rest"))
    elif all(actor.ended for actor in scene.state.actors):
        main.append(Piece("  left behind", "bad"))
    cell = scene.state.atoms.get(scene.primitive.parts.get(Role.VALUE, ""))
    if isinstance(cell, Cell):
        return Drawing("", _unlocked(scene).main, main)
    return Drawing("", [Piece(f"{block.size} bytes  ", "go"), *main], [])


def _content(scene: Scene) -> Drawing:
    """Draw what a server keeps, as the server told: the whole as text, and who changed it last."""
    cell = scene.state.atoms[scene.primitive.parts[Role.VALUE]]
    assert isinstance(cell, Cell)
    by: list[Piece] = []
    if cell.writer is not None:
        by = [Piece("  by ", "quiet"), scene.tag(cell.writer, key=False)]
    most = max(8, scene.width - width_of(by))
    main = [Piece(look.clean(cell.value or "nothing", most), "go"), *by]
    words = "asleep " if Role.WAIT in scene.primitive.parts else "in line "
    return Drawing("", main, scene.line(scene.waiting(), words))


def _queue(scene: Scene) -> Drawing:
    return Drawing(*draw_belt(scene))


def _pipe(scene: Scene) -> Drawing:
    return Drawing(*draw_pipe(scene))


def _pool(scene: Scene) -> Drawing:
    work = scene.state.work(scene.primitive)
    assert work is not None
    return Drawing(*draw_workers(scene, work))


def _anything(scene: Scene) -> Drawing:
    main: list[Piece] = []
    for role in scene.primitive.parts:
        held = _holder(scene, role)
        if held:
            main += ([_GAP] if main else []) + held
    return Drawing("", main, scene.line(scene.waiting()))


#: How a family is drawn, where the primitive has these parts.
_FAMILIES: Final[tuple[tuple[Family, tuple[Role, ...], Callable[[Scene], Drawing]], ...]] = (
    (Family.LOCK, (Role.LOCK,), _lock),
    (Family.SEMAPHORE, (Role.PERMITS,), _semaphore),
    (Family.CONDITION, (Role.LOCK, Role.WAIT), _condition),
    (Family.EVENT, (Role.FLAG,), _event),
    (Family.EVENT, (Role.VALUE, Role.WAIT), _event),
    (Family.BARRIER, (Role.WAIT,), _barrier),
    (Family.PIPE, LANES, _pipe),
    (Family.PIPE, (Role.ITEMS,), _queue),
    (Family.QUEUE, (Role.ITEMS,), _queue),
    (Family.UNLOCKED, (Role.VALUE,), _unlocked),
    (Family.BLOCK, (Role.BLOCK,), _block),
    (Family.SHARED, (Role.VALUE,), _value),
    (Family.WORKERS, (Role.WORK,), _pool),
)


def fitted(main: Pieces, rest: Pieces, width: int) -> list[Piece]:
    """Both in one line: the rest beside the main part, as far as there is room."""
    return fit([*main, _GAP, *rest] if rest else main, width)
