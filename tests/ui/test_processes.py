"""The lanes of the processes."""

from __future__ import annotations

import pytest
from bare import Bare
from plays import (
    START_ALL,
    Play,
    condition,
    event,
    hostile,
    lockers,
    philosophers,
    producer_consumer,
)
from rest import at_rest
from rich.cells import cell_len

from syncsim.core.live import Printed
from syncsim.ui.widgets.processes_panel import ProcessesPanel

DEADLOCK = (*START_ALL, 1, 2, 3, 4)


def app_of(live: Play) -> Bare[ProcessesPanel]:
    return Bare(ProcessesPanel(), live)


async def test_each_process_has_a_lane_with_its_name_pid_and_status() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(*START_ALL)
        assert len(lines) == 5
        assert "main" in lines[0]
        assert "100" in lines[0]
        assert "◌ waits" in lines[0]
        assert "join ▌Plato" in lines[0]
        assert "1 ▌Plato" in lines[1]
        assert "101" in lines[1]
        assert "● ready" in lines[1]
        assert "acquire forks[0]" in lines[1]


async def test_a_lane_says_what_its_process_waits_for_and_on_whom() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(*START_ALL, 1, 2)
        assert "◌ waits" in lines[1]
        assert "forks[1] ← ▌Socrates" in lines[1]


async def test_who_waits_for_ever_is_stuck() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(*DEADLOCK)
        assert all("⊗ stuck" in line for line in lines)


async def test_waits_without_a_holder_say_why() -> None:
    app = app_of(condition())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(0, 1, 1, 1)
        assert "bell to be notified" in lines[1]
    app = app_of(event())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(0, 1, 1)
        assert "ready['Bob'] to be set" in lines[1]
    app = app_of(producer_consumer())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(0, 1, 1, 1)
        assert "shelf: the queue is full" in lines[1]


async def test_a_child_that_ended_is_a_zombie_until_it_is_joined() -> None:
    app = app_of(event())
    async with app.run_test(size=(60, 10)):
        lines = app.run_to(0, 0, 1, 2, 2, 2, 2)
        assert "z zombie" in lines[2]
        app.live.finish()
        lines = app.drain()
        assert "✓ done" in lines[2]


async def test_a_crash_shows_its_error() -> None:
    app = app_of(condition())
    async with app.run_test(size=(80, 10)):
        app.live.finish()
        lines = app.drain()
        assert any(
            "✗ crashed  AssertionError: the bell rang, but the plate" in line for line in lines
        )


async def test_the_last_line_of_the_output_stands_at_the_right() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(70, 10)):
        lines = app.run_to(0, 1, 1, 1)
        assert lines[1].endswith("“eats”")
        app.live.updates.append(Printed(1, "stdout", "one\ntwo\n"))
        app.drain()
        assert app.panel.lines[1].endswith("“two”")


async def test_output_gives_way_where_there_is_no_room() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(46, 10)):
        lines = app.run_to(0, 1, 1, 1)
        assert "release forks[1]" in lines[1]
        assert all(cell_len(line) <= app.panel.room for line in lines)


async def test_choosing_goes_round_and_round_and_shows_a_cursor() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)) as pilot:
        app.run_to(*START_ALL)
        await pilot.press("down", "down")
        await at_rest(app)
        assert app.panel.chosen == 1
        assert app.panel.lines[1].startswith("▸")
        await pilot.press("up", "up")
        await at_rest(app)
        assert app.panel.chosen == 4
        assert sum(line.startswith("▸") for line in app.panel.lines) == 1


async def test_a_click_chooses() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)) as pilot:
        app.run_to(*START_ALL)
        await pilot.click(ProcessesPanel, offset=(8, 4))
        await at_rest(app)
        assert app.panel.chosen == 3


async def test_many_processes_scroll_and_the_chosen_one_is_seen() -> None:
    app = app_of(lockers(16))
    async with app.run_test(size=(60, 8)):
        app.run_to(*[0] * 16)
        await at_rest(app)
        app.panel.choose_previous()
        await at_rest(app)
        assert app.panel.chosen == 16
        assert app.panel.scroll_offset.y == 17 - 6
        assert "▸ 16 ▌Worker-16" in app.seen()[-1].replace("█", "▌")
        assert all(cell_len(line) == app.panel.room for line in app.seen())


async def test_what_changed_in_the_last_step_is_bright_until_the_next() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)):
        app.run_to(*START_ALL, 1)
        bright = [line.style for line in app.panel._lines]
        assert bright == ["", "fresh", "", "", ""]
        app.run_to(2)
        assert [line.style for line in app.panel._lines] == ["", "fresh", "fresh", "", ""]


async def test_only_changed_lanes_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)):
        app.run_to(*START_ALL, 1)
        drawn: list[int] = []
        monkeypatch.setattr(app.panel, "refresh_line", drawn.append)
        app.run_to(3)
        assert drawn == [1, 3]  # the one that stepped, and the one that was bright before


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (58, 12), (30, 6), (12, 4), (4, 3)])
async def test_hostile_names_neither_break_the_lanes_nor_their_width(size: tuple[int, int]) -> None:
    app = app_of(hostile())
    async with app.run_test(size=size):
        app.live.finish()
        app.drain()
        await at_rest(app)
        for line in app.seen():
            assert cell_len(line) == app.panel.room
            assert "\x1b" not in line
            assert "\n" not in line
        if size == (200, 50):
            assert "[/foo]" in app.panel.lines[1]
            assert "日本語" in app.panel.lines[3]


async def test_a_hidden_panel_is_up_to_date_when_it_comes_back() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(60, 10)):
        app.panel.display = False
        await at_rest(app)
        app.run_to(*START_ALL, 1, 2)
        app.panel.display = True
        await at_rest(app)
        assert "forks[1] ← ▌Socrates" in app.seen()[1]
