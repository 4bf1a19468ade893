"""The drawings of what a manager keeps, of memory without a lock and of blocks."""

from __future__ import annotations

import pytest

from syncsim.core.atoms import Atom, Block, Cell, Semaphore, Sleepers
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.ui.widgets.drawings import Scene, draw
from syncsim.ui.widgets.inspector import about_primitive
from syncsim.ui.widgets.lanes import lanes
from syncsim.ui.widgets.lines import width_of
from syncsim.ui.widgets.processes_panel import Columns, lane
from syncsim.ui.widgets.recollection import Recollection


def made(kind: str, atoms: dict[str, Atom], capacity: int | None = None) -> Primitive:
    return Primitive("id", kind, "it", {role: role for role in atoms}, capacity)


def state(kind: str, capacity: int | None = None, /, **atoms: Atom) -> State:
    """Main, a server, Ada who waits in the role ``wait``, and one primitive."""
    primitive = made(kind, atoms, capacity)
    sleeping = Operation(Verb.WAKE, "wait", f"{kind}.wait", "id", "wait", compound=True)
    actors = (
        Actor(0, "main", 100, life=Life.ALIVE),
        Actor(1, "SyncManager-1", 101, 0, life=Life.ALIVE, is_server=True),
        Actor(2, "Ada", 102, 0, life=Life.ALIVE, pending=sleeping if "wait" in atoms else None),
    )
    return State(1, actors, atoms, {"id": primitive})


def drawn(it: State, width: int = 80) -> str:
    drawing = draw(Scene(it, it.primitives["id"], Recollection(), width, 9))
    assert width_of(drawing.main) <= width
    parts = ("".join(piece.text for piece in some) for some in (drawing.main, drawing.rest))
    return " | ".join(part.strip() for part in parts if part.strip())


@pytest.mark.parametrize(
    ("it", "text"),
    [
        (state("Manager dict", value=Cell("{'a': 1}", "{}", 2)), "{'a': 1}  by ▌Ada"),
        (state("Manager list", value=Cell("[]")), "[]"),
        (state("Manager Namespace", value=Cell("")), "nothing"),
        (
            state("Manager Queue", value=Cell("[1]"), wait=Sleepers()),
            "[1] | asleep ▌Ada",
        ),
        (state("Manager Event", value=Cell("set"), wait=Sleepers((2,))), "● on | awake again ▌Ada"),
        (state("Manager Event", value=Cell("not set"), wait=Sleepers()), "○ off   asleep ▌Ada"),
        (state("Manager Barrier", 2, value=Cell(), wait=Sleepers()), "┆ ▌Ada _ ┆"),
        (state("Manager Lock", lock=Semaphore(0, 1, holders=(2,))), "held by ▌Ada"),
        (state("Manager Semaphore", 2, permits=Semaphore(1, 9, holders=(2,))), "◆ ◇   ▌Ada ◆"),
        (state("RawValue", value=Cell("1", "0", 2)), "0 → 1  by ▌Ada  ≈ no lock"),
        (state("SharedMemory", block=Block(64, (0, 2, 2))), "64 bytes  open in ▌main ▌Ada"),
        (state("SharedMemory", block=Block(64, (), True)), "64 bytes  open in nobody  unlinked"),
        (
            state("ShareableList", value=Cell("[1]"), block=Block(64, (2,))),
            "[1]  ≈ no lock | open in ▌Ada",
        ),
    ],
    ids=lambda it: "" if isinstance(it, str) else next(iter(it.primitives.values())).kind,
)
def test_each_kind_is_drawn_as_what_it_is(it: State, text: str) -> None:
    assert drawn(it) == text


def test_a_condition_of_a_manager_has_its_waiting_room() -> None:
    it = state("Manager Condition", lock=Semaphore(1, 1, recursive=True), wait=Sleepers())
    assert "lock free" in drawn(it)
    assert "waiting room ┆ ▌Ada ┆" in drawn(it)


@pytest.mark.parametrize("width", [20, 40, 200])
def test_a_content_that_is_long_or_hostile_stays_in_its_place(width: int) -> None:
    it = state("Manager dict", value=Cell("[/foo]\x1b[31m" * 90, "", 2))
    assert "\x1b" not in drawn(it, width)


@pytest.mark.parametrize(
    ("it", "said"),
    [
        (state("Manager dict", value=Cell("{'a': 1}", "{}")), "the server of a manager"),
        (state("Manager dict", value=Cell("{'a': 1}", "{}")), "{'a': 1} (before: {})"),
        (state("RawArray", value=Cell("[1]")), "only about right in free running"),
        (state("SharedMemory", block=Block(64, (2,))), "what is done with buf is not seen"),
        (state("SharedMemory", block=Block(64, (2,), True)), "it cannot be opened any more"),
    ],
)
def test_the_inspector_says_what_is_seen_and_what_is_not(it: State, said: str) -> None:
    assert said in about_primitive(it, it.primitives["id"], ()).plain


def test_a_server_is_shown_as_serving() -> None:
    it = state("Manager list", value=Cell("[]"))
    pieces = lane(it, it.actors[1], 1, (), Columns.of(lanes(it, xray=False), 80), 80, "")
    assert "SyncManager-1" in "".join(piece.text for piece in pieces)
    assert "⇄ serves" in "".join(piece.text for piece in pieces)
