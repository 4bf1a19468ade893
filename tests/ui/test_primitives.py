"""The drawings of the primitives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bare import Bare
from msgspec.structs import replace
from plays import (
    START_ALL,
    Play,
    barrier,
    condition,
    event,
    hostile,
    items_of,
    lockers,
    philosophers,
    pool,
    producer_consumer,
    value,
)
from rest import at_rest
from rich.cells import cell_len

from syncsim.core.atoms import Channel, Item
from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.state import Life, Primitive, State
from syncsim.ui.widgets.primitives_panel import PrimitivesPanel


def app_of(live: Play) -> Bare[PrimitivesPanel]:
    return Bare(PrimitivesPanel(), live)


async def test_a_lock_shows_its_holder_and_who_is_in_line() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(*START_ALL, 1, 2)
        assert lines[0] == "  forks[0]  Lock  held by ▌Plato    since step 5"
        assert "forks[1]  Lock  held by ▌Socrates since step 6" in lines[1]
        assert lines[1].endswith("in line ▌Plato")
        assert lines[2].endswith("free")


async def test_a_dead_holder_is_named() -> None:
    live = philosophers()
    state = live.run(*START_ALL, 1)
    dead = replace(state.actors[1], life=Life.ENDED, pending=None, exitcode=-9)
    state = replace(state, actors=(state.actors[0], dead, *state.actors[2:]))
    app = app_of(live)
    async with app.run_test(size=(90, 8)):
        app.panel.show(state, diagnose(state))
        assert "held by ▌Plato who has ended" in app.panel.lines[0]


async def test_since_when_is_not_said_where_steps_were_not_seen() -> None:
    app = app_of(lockers(4))
    async with app.run_test(size=(90, 8)):
        app.run_to(*START_ALL, 1)
        assert "since step 5" in app.panel.lines[0]
        app.live.run(1, 1, 1, 1)  # gave it back, took it again, not looked at
        app.drain()
        assert "held by ▌Worker-1" in app.panel.lines[0]
        assert "since" not in app.panel.lines[0]


async def test_a_semaphore_shows_its_permits_and_who_has_them() -> None:
    app = app_of(pool())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(0, 0, 0, 0, 0)
        assert "boats  Semaphore 3/3  ◆ ◆ ◆" in lines[0]
        lines = app.run_to(1, 2)
        assert "boats  Semaphore 1/3  ◆ ◇ ◇   ▌Ada ◆ ▌Bob ◆" in lines[0]
        lines = app.run_to(3)
        assert "Semaphore 0/3  ◇ ◇ ◇   ▌Ada ◆ ▌Bob ◆ ▌Cleo ◆" in lines[0]
        assert lines[0].endswith("in line ▌Dan › ▌Eve")


async def test_a_queue_is_a_belt_with_the_oldest_item_at_the_exit() -> None:
    app = app_of(producer_consumer())
    async with app.run_test(size=(70, 8)):
        lines = app.run_to(0, 1, 1)
        assert "shelf  Queue 2/3" in lines[0]
        assert "▌Ada ─▶ ┆     │ 222 │ 111 ┆ ─▶" in lines[0]
        assert lines[1].index("╰") == lines[0].index("┆")


async def test_a_full_belt_holds_the_producer_back() -> None:
    app = app_of(producer_consumer())
    async with app.run_test(size=(70, 8)):
        lines = app.run_to(0, 1, 1, 1)
        assert "Queue 3/3  ▌Ada ─◌ ┆ 3333 │  222 │  111 ┆ ─▶" in lines[0]


async def test_an_empty_belt_makes_the_consumers_wait_in_line() -> None:
    app = app_of(producer_consumer())
    async with app.run_test(size=(80, 8)):
        lines = app.run_to(0, 0, 2, 0)
        assert "┆ ◌─ ▌Bob   in line to get ▌Cleo" in lines[0]


async def test_the_item_taken_is_seen_with_its_taker() -> None:
    app = app_of(producer_consumer())
    async with app.run_test(size=(80, 8)):
        lines = app.run_to(0, 1, 0, 2)
        assert "┆ ─▶ ▌Bob 111" in lines[0]
        lines = app.run_to(2)
        assert "111" not in lines[0]


async def test_items_still_in_a_senders_buffer_are_marked() -> None:
    live = producer_consumer()
    state = live.run(0, 1, 1)
    items = Channel(buffered=(Item("222", 1),), items=(Item("111", 1, 1),), sent=1)
    state = replace(state, atoms={**state.atoms, items_of(state): items})
    app = app_of(live)
    async with app.run_test(size=(70, 8)):
        app.panel.show(state, diagnose(state))
        assert "┆     │ 222 » 111 ┆" in app.panel.lines[0]


async def test_a_belt_that_is_too_long_counts_what_is_left_out() -> None:
    live = producer_consumer()
    state = live.run(0)
    items = Channel(items=tuple(Item(f"item {n}", 1, n) for n in range(1, 101)), sent=100)
    shelf = replace(next(iter(state.primitives.values())), capacity=None)
    state = replace(
        state, atoms={**state.atoms, items_of(state): items}, primitives={shelf.id: shelf}
    )
    app = app_of(live)
    async with app.run_test(size=(68, 8)):
        app.panel.show(state, diagnose(state))
        line = app.panel.lines[0]
        assert "Queue 100" in line
        assert "+97┆ item 3│ item 2│ item 1┆ ─▶" in line
        assert cell_len(line) <= app.panel.room


async def test_a_condition_shows_its_waiting_room_and_who_was_notified() -> None:
    app = app_of(condition())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(0, 0, 0, 1, 1, 1, 2, 2, 2)
        assert "lock free   waiting room ┆ ▌Ada ▌Bob ┆" in lines[0]
        lines = app.run_to(3, 3, 3, 3)
        assert "lock ▌Cleo  waiting room ┆   ┆" in lines[0]
        assert "notified ▌Ada ▌Bob by ▌Cleo" in lines[0]


async def test_an_event_shows_its_flag_and_who_is_asleep() -> None:
    app = app_of(event())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(0, 0, 1, 1)
        assert "● on" in lines[0]
        both = lines[2] if len(lines) == 4 else lines[1]
        assert "○ off   asleep ▌Ada" in both


async def test_a_barrier_shows_who_has_arrived() -> None:
    app = app_of(barrier())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(0, 0, 0, 1, 2)
        assert "gate  Barrier 2/3  ┆ ▌Ada ▌Bob _ ┆" in lines[0]


async def test_a_value_shows_its_change_and_who_goes_by_an_old_reading() -> None:
    app = app_of(value())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(0, 0, 1, 2)
        assert "counter  Value  0   ▌Ada read 0  ▌Bob read 0" in lines[0]
        lines = app.run_to(1)
        assert "0 → 1  by ▌Ada   ▌Bob read 0" in lines[0]


async def test_the_main_process_is_called_so_beside_children_with_shorter_names() -> None:
    app = app_of(value())
    async with app.run_test(size=(90, 8)):
        lines = app.run_to(0, 0, *[1] * 5, *[2] * 5, 0, 0, 0)
        assert "by ▌Bob   ▌main read 4" in lines[0]


async def test_an_unknown_kind_is_still_shown() -> None:
    state = philosophers().run(*START_ALL, 1)
    name = next(iter(state.primitives.values())).parts["lock"]
    odd = Primitive("p:odd", "Pool", "odd", {"inner": name})
    state = replace(state, primitives={"p:odd": odd})
    app = app_of(philosophers())
    async with app.run_test(size=(90, 8)):
        app.panel.show(state, diagnose(state))
        assert "odd  Pool  held by ▌Plato" in app.panel.lines[0]


async def test_there_are_more_lines_for_each_where_there_is_room() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 6)):
        assert len(app.run_to(*START_ALL)) == 4
    app = app_of(philosophers())
    async with app.run_test(size=(60, 12)):
        assert len(app.run_to(*START_ALL)) == 8


async def test_choosing_a_primitive_by_key_and_by_mouse() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 12)) as pilot:
        app.run_to(*START_ALL)
        forks = list(app.live.state.primitives)
        await pilot.press("down", "down")
        await at_rest(app)
        assert app.panel.chosen == forks[1]
        assert app.panel.lines[2].startswith("▸ forks[1]")
        await pilot.click(PrimitivesPanel, offset=(10, 7))
        await at_rest(app)
        assert app.panel.chosen == forks[3]
        app.panel.choose_next()
        assert app.panel.chosen == forks[0]


async def test_going_back_in_time_forgets_what_was_learnt() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(90, 8)):
        app.run_to(*START_ALL)
        early = app.live.state
        app.run_to(1, 2)
        app.panel.show(early, diagnose(early))
        assert all(line.endswith("free") for line in app.panel.lines)


async def test_a_new_run_begins_empty() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(90, 8)):
        app.run_to(*START_ALL, 1)
        app.panel.forget()
        app.panel.show(State(), diagnose(State()))
        assert app.panel.lines == ()


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (58, 12), (30, 6), (12, 4), (4, 3)])
@pytest.mark.parametrize(
    "script", [hostile, philosophers, producer_consumer, pool, condition, event, barrier, value]
)
async def test_every_picture_keeps_to_its_width(
    script: Callable[[], Play], size: tuple[int, int]
) -> None:
    live = script()
    app = app_of(live)
    async with app.run_test(size=size):
        for _ in range(14):
            if live.state.choices():
                live.step()
            app.drain()
            for line in app.panel.lines:
                assert cell_len(line) <= app.panel.room
                assert "\x1b" not in line
        await at_rest(app)
        assert all(cell_len(line) == app.panel.room for line in app.seen())
