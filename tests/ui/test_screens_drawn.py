"""How the screens look, at both sizes (`pytest --snapshot-update` accepts a new look)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from either import either
from plays import START_ALL
from staging import LARGE, SMALL, TO_THE_DEADLOCK, Staging
from textual.pilot import Pilot
from textual.widgets import Input

from syncsim.ui import look

SIZES = either("size", [SMALL, LARGE], ids=["80x24", "120x40"])
Compare = Callable[..., bool]


def playing(staging: Staging, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def before(pilot: Pilot[Any]) -> None:
        staging.pilot = pilot
        await staging.press(*keys)
        for field in staging.app.screen.query(Input):
            field.cursor_blink = False

    return before


@SIZES
def test_the_gallery(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging(None)
    assert snap_compare(staging.app, terminal_size=size, run_before=playing(staging, "down"))


@SIZES
def test_the_gallery_searched(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging(None)
    keys = ("slash", *"lock")
    assert snap_compare(staging.app, terminal_size=size, run_before=playing(staging, *keys))


@SIZES
def test_the_stage_in_the_middle_of_a_run(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before = playing(staging, *TO_THE_DEADLOCK[:9])
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_the_stage_at_a_deadlock(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before = playing(staging, *TO_THE_DEADLOCK)
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_the_stage_at_a_calm_end(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging("producer-consumer")

    async def before(pilot: Pilot[Any]) -> None:
        staging.pilot = pilot
        staging.live.finish()
        await staging.drawn()

    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_looking_back(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before = playing(staging, *TO_THE_DEADLOCK, "left", "left", "left")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_the_inspector(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before = playing(staging, *TO_THE_DEADLOCK[:9], "up", "i")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_the_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before = playing(staging, "question_mark")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@SIZES
def test_the_code(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    before = playing(staging, *TO_THE_DEADLOCK[:9], "c")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


def test_much_room(snap_compare: Compare) -> None:
    staging = Staging()
    before = playing(staging, *TO_THE_DEADLOCK[:9])
    assert snap_compare(staging.app, terminal_size=(200, 60), run_before=before)


def test_the_light_theme(snap_compare: Compare) -> None:
    staging = Staging()
    staging.app.theme = look.LIGHT.name
    before = playing(staging, *TO_THE_DEADLOCK[:9])
    assert snap_compare(staging.app, terminal_size=LARGE, run_before=before)


@pytest.fixture
def ascii_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SYNCSIM_ASCII", "1")
    look.ascii_only.cache_clear()
    yield
    look.ascii_only.cache_clear()


@SIZES
async def test_with_ascii_only_nothing_else_is_shown(
    ascii_terminal: None, size: tuple[int, int]
) -> None:
    staging = Staging()
    async with staging.app.run_test(size=size) as staging.pilot:
        staging.live.run(*START_ALL)
        seen = await staging.press("down", "down", "enter", "i")
        seen += await staging.press("i", "question_mark")
        seen += await staging.press("q", "c")
        seen += await staging.press("q", *TO_THE_DEADLOCK[7:])
        seen += await staging.press("left", "q")
        seen += await staging.press("slash")
        assert {c for c in seen if not c.isascii()} == set()
