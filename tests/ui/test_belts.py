"""Queues, pipes and barriers say who stands where, in every size of the drawing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bare import Bare
from msgspec.structs import replace
from plays import Play, barrier, event, producer_consumer, program

from syncsim.core.atoms import Channel, Item
from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import State
from syncsim.ui.widgets.primitives_panel import PrimitivesPanel

pytestmark = pytest.mark.once

#: Of the panel: where the terminal has 200, 120, 80 and 64 columns; one, two or three lines each.
SIZES = pytest.mark.parametrize(
    "size", [(w, h) for w in (106, 65, 80, 64) for h in (3, 4, 8)], ids=lambda s: f"{s[0]}x{s[1]}"
)

Size = tuple[int, int]


def conversation() -> Play:
    """Ada asks 7 and 6, Bob answers each with 8 and 9."""
    return Play(program("talk"))


def shown(script: Callable[[], Play]) -> Bare[PrimitivesPanel]:
    return Bare(PrimitivesPanel(), script())


def tight(lines: tuple[str, ...]) -> str:
    """What is drawn, without blanks: how wide the places are depends on the room."""
    return "".join("".join(lines).split())


@SIZES
async def test_a_pipe_has_two_lanes_each_with_its_own_items(size: Size) -> None:
    app = shown(conversation)
    async with app.run_test(size=size):
        drawn = tight(app.run_to(0, 0, 1, 1))
        assert "▌Ada─▶┆│6│7┆─▶▌Bob" in drawn
        assert "─◌┆││┆◀─" in drawn  # Ada waits for an answer
        drawn = tight(app.run_to(2, 2))
        assert "▌Ada─▶┆││6┆─▶▌Bob" in drawn
        assert "◀─┆8││┆◀─" in drawn
        drawn = tight(app.run_to(1))
        assert "▌Ada8◀─┆" in drawn  # the answer is with who asked


@SIZES
async def test_a_taken_item_is_with_who_took_it_and_not_with_who_waits(size: Size) -> None:
    live = producer_consumer()
    app = Bare(PrimitivesPanel(), live)
    async with app.run_test(size=size):
        app.run_to(0, 0, 0)  # Bob and Cleo stand at the exit, Bob in front
        app.run_to(1)
        app.run_to(3)  # Cleo is quicker
        exit_of_the_belt = app.panel.lines[0].partition("─▶ ▌Cleo")
        assert exit_of_the_belt[2].startswith(" 111")
        assert "▌Bob 111" not in "".join(app.panel.lines)


@SIZES
async def test_who_flushes_stands_where_one_puts_and_not_where_one_gets(size: Size) -> None:
    live = producer_consumer()
    live.run(0, 1, 1)
    (shelf,) = live.state.primitives.values()
    flush = Operation(
        verb=Verb.FLUSH,
        atom=shelf.parts["items"],
        call="Queue.flush",
        primitive=shelf.id,
        role="items",
    )
    baker = replace(live.state.actors[1], pending=flush)
    pipe = Channel(items=(Item("222", 1, 1),), sent=1, sending=(1,))
    state: State = replace(
        live.state,
        actors=(live.state.actors[0], baker),
        atoms={**live.state.atoms, shelf.parts["items"]: pipe},
    )
    assert state.blocked(baker)
    app = Bare(PrimitivesPanel(), live)
    async with app.run_test(size=size):
        app.panel.show(state, diagnose(state))
        text = "".join(app.panel.lines)
        assert "▌Ada ─◌ ┆" in text
        assert "◌─ ▌Ada" not in text
        assert "in line to get" not in text


@SIZES
async def test_a_barrier_is_seen_full_when_the_last_has_come(size: Size) -> None:
    app = shown(barrier)
    async with app.run_test(size=size):
        assert "2/3  ┆ ▌Ada ▌Bob _ ┆" in app.run_to(0, 0, 0, 1, 2)[0]
        assert "3/3  ┆ ▌Ada ▌Bob ▌Cleo ┆ open" in app.run_to(3)[0]
        for who in (1, 2, 3, 1):  # both wake up, Cleo goes on, then Ada
            app.run_to(who)
        assert "1/3  ┆ ▌Bob ┆ open" in app.panel.lines[0]
        app.run_to(2)
        assert "0/3  ┆ _ _ _ ┆" in app.panel.lines[0]


async def test_a_barrier_that_was_not_seen_to_open_is_not_called_open() -> None:
    live = barrier()
    app = Bare(PrimitivesPanel(), live)
    async with app.run_test(size=(80, 4)):
        app.run_to(0, 0, 0, 1, 2)
        live.run(3, 1)  # two steps that were not seen
        (line, *_) = app.run_to(2)
        assert "open" not in line
        assert "goes on" in line


async def test_an_event_is_set_by_who_set_it_as_long_as_it_is_set() -> None:
    live = event()
    app = Bare(PrimitivesPanel(), live)
    async with app.run_test(size=(100, 6)):
        app.run_to(0, 0, 1)
        assert "● on  by ▌Ada" in "".join(app.panel.lines)
        state = live.state
        flags = (primitive.parts["flag"] for primitive in state.primitives.values())
        (flag,) = (name for name in flags if state.atoms[name].value)
        cleared = replace(
            state, n=state.n + 1, atoms={**state.atoms, flag: replace(state.atoms[flag], value=0)}
        )
        again = replace(state, n=state.n + 2)  # set again, nobody saw by whom
        for later in (cleared, again):
            app.panel.show(later, diagnose(later))
        assert "● on" in "".join(app.panel.lines)
        assert "by ▌Ada" not in "".join(app.panel.lines)
