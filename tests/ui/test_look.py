"""The one visual language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from syncsim.core.state import Actor
from syncsim.core.words.status import Activity, Status
from syncsim.ui import look


@pytest.fixture
def ascii_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SYNCSIM_ASCII", "1")
    look.ascii_only.cache_clear()
    yield
    look.ascii_only.cache_clear()


def test_every_status_has_a_glyph_an_ascii_sign_and_a_word_of_its_own() -> None:
    marks = [look.mark(status) for status in Status]
    assert len({mark.word for mark in marks}) == len(marks)
    for mark in marks:
        assert cell_len(mark.glyph) == 1
        assert len(mark.ascii) == 1
        assert mark.ascii.isascii()


def test_a_process_waiting_for_ever_does_not_look_like_one_that_waits() -> None:
    assert look.mark(Status.STUCK).glyph != look.mark(Status.WAITS).glyph
    assert look.mark(Status.STUCK).ascii != look.mark(Status.WAITS).ascii


def test_the_four_textures_differ_also_in_ascii(ascii_terminal: None) -> None:
    assert len({look.texture(activity) for activity in Activity}) == 4


def test_beyond_eight_processes_the_colours_repeat_with_another_badge() -> None:
    third, eleventh = Actor(3, "c", 1), Actor(11, "k", 2)
    assert look.hue(third) == look.hue(eleventh)
    assert look.badge(third) != look.badge(eleventh)


def test_a_thread_has_the_colour_of_its_process() -> None:
    feeder = Actor(7, "QueueFeederThread", 1, parent=2, thread="QueueFeederThread")
    assert look.hue(feeder) == look.hue(Actor(2, "Ada", 1))


def test_each_theme_knows_all_colours() -> None:
    for theme in look.THEMES:
        assert set(look.theme_variables()) <= set(theme.variables)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("[/foo]", "[/foo]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("a\nb\tc\r", "a b c "),
        ("bell\x07 null\x00", "bell null"),
        ("right\u202eto left", "rightto left"),
        ("zero\u200bwidth", "zerowidth"),
        ("e\u0301\u0301\u0301", "é\u0301"),
        ("\ud800", ""),
    ],
)
def test_hostile_text_is_made_harmless(hostile: str, shown: str) -> None:
    assert look.clean(hostile) == shown


def test_a_long_text_is_cut_in_the_middle() -> None:
    assert look.clean("abcdefghij", 7) == "abc…hij"
    assert look.clean("abc", 3) == "abc"
    assert look.clean("abc", 1) == "…"
    assert look.clean("abc", 0) == ""


def test_wide_characters_are_cut_by_cells() -> None:
    assert look.clean("日本語の名前", 7) == "日…名前"
    assert cell_len(look.pad("日本語の名前", 8)) == 8


def test_ten_megabytes_are_cut_at_once() -> None:
    assert look.clean("x" * 10_000_000 + "end", 9) == "xxxx…xend"


@given(st.text(), st.integers(0, 30))
def test_no_text_takes_more_cells_than_it_may(text: str, limit: int) -> None:
    shown = look.clean(text, limit)
    assert cell_len(shown) <= limit
    assert all(c.isprintable() or c == " " for c in shown)


@given(st.text(max_size=20), st.integers(0, 30))
def test_padded_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(look.pad(look.clean(text), width)) == width


def test_a_terminal_without_utf8_gets_ascii_of_the_same_width(ascii_terminal: None) -> None:
    for text in ("▸ ▌Ada ◌ waits  forks[1] ← ▌Bob", "┆ 日本 │ é ┆ “x” …"):
        plain = look.shown(text)
        assert plain.isascii()
        assert cell_len(plain) == cell_len(text)
    assert look.mark(Status.READY).sign == "o"


def test_ascii_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCSIM_ASCII", "0")
    look.ascii_only.cache_clear()
    assert not look.ascii_only()
    look.ascii_only.cache_clear()
