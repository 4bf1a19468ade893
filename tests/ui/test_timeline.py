"""The bars of time."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from bare import Bare
from plays import START_ALL, Play, hostile, lockers, philosophers
from rest import at_rest
from rich.cells import cell_len

from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.live import Stepped
from syncsim.core.scheduler import Random
from syncsim.core.state import State
from syncsim.core.words.status import Activity, activity
from syncsim.ui import look
from syncsim.ui.widgets import timeline
from syncsim.ui.widgets.primitives_panel import PrimitivesPanel
from syncsim.ui.widgets.processes_panel import ProcessesPanel
from syncsim.ui.widgets.timeline import TimelinePanel, Tracks


def app_of(live: Play) -> Bare[TimelinePanel]:
    return Bare(TimelinePanel(), live)


def bar(line: str) -> str:
    return line.split(maxsplit=1)[1]


async def test_the_newest_step_is_at_the_left() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(50, 10)):
        lines = app.run_to(*START_ALL, 1, 2, 3, 4)
        assert bar(lines[0]) == "░░░░░████"
        assert bar(lines[1]) == "▒▒▒█████·"
        assert bar(lines[4]) == "▒████····"


async def test_the_step_a_process_made_itself_is_bright() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(50, 10)):
        app.run_to(*START_ALL, 1, 3)
        drawn = [(piece.text, piece.style) for piece in app.panel._lines[3].pieces[1:]]
        assert drawn == [("█", "process-3"), ("███", "process-3 faded"), ("···", "quiet")]


async def test_time_can_be_looked_at_as_it_was() -> None:
    app = app_of(philosophers())
    async with app.run_test(size=(50, 10)):
        app.run_to(*START_ALL)
        early = app.live.state
        before = app.panel.lines
        app.run_to(1, 2, 3, 4)
        app.panel.show(early, diagnose(early))
        assert app.panel.lines == before


def states(live: Play, *actors: int) -> list[State]:
    found = []
    for actor in actors:
        live.step(actor)
        found.append(live.state)
    return found


def test_a_branch_replaces_what_had_followed() -> None:
    tracks = Tracks()
    for state in states(philosophers(), *START_ALL, 1, 2, 3):
        tracks.add(state)
    first = tracks.newest(1, 99, 99)
    other = states(philosophers(), *START_ALL, 4, 3)
    tracks.add(other[-2])
    tracks.add(other[-1])
    assert tracks.last == 6
    assert len(tracks.newest(1, 99, 99)) == 6
    assert tracks.newest(1, 99, 99) != first


def test_steps_that_come_together_each_have_their_cell() -> None:
    tracks = Tracks()
    found = states(philosophers(), *START_ALL, 1, 2, 3)
    tracks.add(found[0])
    tracks.add(found[4])
    tracks.add(found[4])
    assert tracks.last - tracks.first + 1 == 5
    assert len(tracks.newest(0, 99, 99)) == 5


def test_old_steps_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MEMORY", 10)
    live = lockers(2)
    tracks = Tracks()
    for _ in range(60):
        live.step()
        tracks.add(live.state)
    assert tracks.last == 60
    assert 10 <= len(tracks.newest(0, 60, 1000)) <= 21


def test_the_codes_are_those_of_the_core() -> None:
    order = list(Activity)
    live = philosophers()
    live.use(Random(5))
    while live.state.choices():
        state = live.state
        codes = timeline._codes(state)
        assert [order[code] for code in codes] == [activity(state, a) for a in state.actors]
        live.step()


async def test_a_long_run_fills_the_panel_and_no_more() -> None:
    app = app_of(lockers(4))
    async with app.run_test(size=(40, 8)):
        app.live.play()
        app.live.advance(300)
        lines = app.drain()
        assert all(cell_len(line) == app.panel.room - 1 for line in lines)


async def test_hostile_names_do_not_break_the_bars() -> None:
    app = app_of(hostile())
    async with app.run_test(size=(40, 8)):
        app.live.finish()
        app.drain()
        await at_rest(app)
        assert all(cell_len(line) == app.panel.room for line in app.seen())


async def test_a_terminal_without_utf8_gets_bars_of_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCSIM_ASCII", "1")
    look.ascii_only.cache_clear()
    app = app_of(philosophers())
    try:
        async with app.run_test(size=(50, 10)):
            app.run_to(*START_ALL, 1, 2)
            assert all(line.isascii() for line in app.panel.lines)
            assert bar(app.panel.lines[1]) == "=#####."
    finally:
        look.ascii_only.cache_clear()


async def test_sixteen_busy_processes_cost_little() -> None:
    """All three panels: about 5,900 calls (2 ms) a picture when this was written.

    Calls are counted, not seconds: they are as many however busy the machine is.
    """
    live = lockers(16)
    live.use(Random(3))
    for _ in range(16):
        live.step(0)
    live.updates.clear()
    for _ in range(60):
        live.step()
    shown = [update.state for update in live.updates if isinstance(update, Stepped)]
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    for panel in (ProcessesPanel(), PrimitivesPanel(), TimelinePanel()):
        app = Bare(panel, live)
        async with app.run_test(size=(80, 20)):
            for state in shown:
                diagnosis = diagnose(state)
                sys.setprofile(count)
                try:
                    panel.show(state, diagnosis)
                finally:
                    sys.setprofile(None)
    assert calls / len(shown) < 20_000
