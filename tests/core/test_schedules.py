"""A schedule is a short string that can be pasted, and stands for the choices it came from."""

from __future__ import annotations

import shlex
from contextlib import suppress
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsim.core.schedule import (
    FAULTS,
    Choice,
    Grain,
    Move,
    ScheduleError,
    format_schedule,
    parse_schedule,
)

pytestmark = pytest.mark.once

choices = st.lists(
    st.builds(
        Choice,
        st.one_of(st.integers(0, 30), st.integers(0, 999_999)),
        st.sampled_from(Move),
        st.sampled_from(Grain),
    )
)


@given(choices)
def test_a_schedule_is_read_back_as_it_was_written(schedule: list[Choice]) -> None:
    assert parse_schedule(format_schedule(schedule)) == tuple(schedule)


@given(st.lists(st.tuples(st.builds(Choice, st.integers(0, 40)), st.integers(1, 1000))))
def test_repetition_costs_a_number_only(runs: list[tuple[Choice, int]]) -> None:
    schedule = [choice for choice, count in runs for _ in range(count)]
    text = format_schedule(schedule)
    assert parse_schedule(text) == tuple(schedule)
    assert len(text) <= 9 * sum(1 for _ in groupby(schedule))


@given(choices)
def test_a_schedule_needs_no_quotes_in_a_shell(schedule: list[Choice]) -> None:
    text = format_schedule(schedule)
    assert text == "" or shlex.quote(text) == text


@given(choices, st.integers(0, 200))
def test_white_space_from_pasting_does_no_harm(schedule: list[Choice], at: int) -> None:
    text = format_schedule(schedule)
    assert parse_schedule(f" {text[:at]} \n {text[at:]}\n") == tuple(schedule)


def test_the_example_of_the_documentation() -> None:
    a, b, c = Choice(0), Choice(1), Choice(2)
    schedule = (a, a, a, a, a, b, b, c, a, b, b, b)
    assert format_schedule(schedule) == "a5b2cab3"
    assert parse_schedule("a5b2cab3") == schedule


def test_a_timeout_and_a_process_beyond_the_alphabet_have_their_own_marks() -> None:
    schedule = (Choice(1, Move.TIME_OUT), Choice(26), Choice(26), Choice(1))
    assert format_schedule(schedule) == "b@t_26_2b"
    assert parse_schedule("b@t_26_2b") == schedule


def test_a_fault_has_a_mark_of_its_own_and_the_number_after_it_repeats_it() -> None:
    a, b = Choice(0), Choice(1)
    kill, end, stop, go_on = (Choice(1, move) for move in FAULTS)
    schedule = (a, a, a, b, b, stop, go_on, end, kill, a, a, a, a)
    assert format_schedule(schedule) == "a3b2b@sb@cb@eb@ka4"
    assert parse_schedule("a3b2b@sb@cb@eb@ka4") == schedule
    assert parse_schedule("_27_@k2") == (Choice(27, Move.KILL),) * 2


def test_only_what_a_person_does_is_a_fault() -> None:
    assert [move for move in Move if move.is_fault] == list(FAULTS)
    assert not Move.GO.is_fault
    assert not Move.TIME_OUT.is_fault


def test_a_choice_by_atom_is_a_capital_letter() -> None:
    inside = [Choice(actor, grain=Grain.ATOM) for actor in (0, 1, 27)]
    schedule = (inside[0], Choice(0), inside[1], inside[1], inside[2], Choice(27))
    assert format_schedule(schedule) == "AaB2_x27__27_"
    assert parse_schedule("AaB2_x27__27_") == schedule
    assert parse_schedule("B@t") == (Choice(1, Move.TIME_OUT, Grain.ATOM),)
    assert parse_schedule("_x27_@k") == (Choice(27, Move.KILL, Grain.ATOM),)


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("5a", 1),
        ("ab?", 3),
        ("a-b", 2),
        ("a@", 2),
        ("_x_", 1),
        ("_X27_", 1),
        ("a@t@t", 4),
        ("a@x", 2),
        ("a²", 2),
        ("é", 1),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_place(text: str, character: int) -> None:
    with pytest.raises(ScheduleError, match=f"at character {character} "):
        parse_schedule(text)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_by_a_sentence(text: str) -> None:
    with suppress(ScheduleError):
        schedule = parse_schedule(text[:6])
        assert parse_schedule(format_schedule(schedule)) == schedule
        return
    with pytest.raises(ScheduleError, match=r"a5b2cab3$"):
        parse_schedule(text[:6])
