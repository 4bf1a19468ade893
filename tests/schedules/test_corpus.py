"""Each recorded schedule makes the same steps, and each recorded check says the same."""

from __future__ import annotations

import pytest
from corpus import Entry, first_difference, load_corpus
from in_virtual_world import steps_in_virtual_world

ENTRIES = load_corpus()
#: Every so many entries one is replayed by each Python, the others by the first alone.
BY_EACH_PYTHON = 12


def parameters(entries: list[Entry]) -> list[object]:
    return [
        pytest.param(entry, id=entry.name, marks=pytest.mark.once if n % BY_EACH_PYTHON else ())
        for n, entry in enumerate(entries)
    ]


@pytest.mark.parametrize("entry", parameters(ENTRIES))
def test_a_recorded_schedule_replays(entry: Entry) -> None:
    result = entry.replay()
    assert not result.complaint
    assert not first_difference(entry.result.steps, result.steps)
    assert result == entry.result


@pytest.mark.parametrize("entry", parameters([one for one in ENTRIES if one.in_both_worlds]))
def test_a_recorded_schedule_has_the_same_steps_in_the_virtual_world(entry: Entry) -> None:
    steps = steps_in_virtual_world(entry)
    assert steps is not None
    assert not first_difference(entry.result.steps, steps)


def test_the_first_step_that_differs_is_shown_beside_the_recorded_one() -> None:
    difference = first_difference(["start", "take", "give"], ["start", "give"])
    assert difference == "step 2\n  recorded: take\n  now:      give"
    assert "now:      (none)" in first_difference(["start"], [])
    assert not first_difference(["start"], ["start"])
