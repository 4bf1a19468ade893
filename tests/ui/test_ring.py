"""The cycle of a deadlock as a drawing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncsim.core.deadlock.graph import Link
from syncsim.ui.widgets.ring import ring

NAMES = ("Plato", "Socrates", "Kant", "Hume", "Ada", "Bob")


def cycle(count: int) -> list[Link]:
    return [
        Link(NAMES[n], f"forks[{(n + 1) % count}]", NAMES[(n + 1) % count], n, (n + 1) % count)
        for n in range(count)
    ]


def drawing(links: list[Link], width: int) -> str:
    return "\n".join("".join(part.text for part in row).rstrip() for row in ring(links, width))


def test_two_who_wait_for_each_other_are_a_ring() -> None:
    assert drawing(cycle(2), 60) == (
        "  Plato ──waits──▶ forks[1] ─held by───────┐\n"
        "  ▲                                        │\n"
        "  └─held by─ forks[0] ◀──waits── Socrates ◀┘"
    )


def test_where_there_is_little_room_the_arrows_are_short() -> None:
    assert drawing(cycle(4), 50) == (
        "  Plato ─▶ forks[1] ─▶ Socrates ─▶ forks[2] ──┐\n"
        "  ▲                                           │\n"
        "  └── forks[0] ◀─ Hume ◀─ forks[3] ◀─ Kant ◀──┘"
    )


def test_one_who_waits_for_itself_is_a_ring_too() -> None:
    assert "Plato" in drawing(cycle(1), 60)
    assert "▲" in drawing(cycle(1), 60)


def test_a_process_that_waits_for_the_end_of_another_has_no_primitive_between() -> None:
    links = [Link("main", "Plato", "Plato", 0, 1), Link("Plato", "lock", "main", 1, 0)]
    assert drawing(links, 70).count("Plato") == 1


def test_without_a_cycle_there_is_nothing_to_draw() -> None:
    assert ring([], 80) == []


@given(st.integers(1, 6), st.integers(24, 200))
def test_every_process_and_primitive_is_there_and_nothing_is_too_wide(
    count: int, width: int
) -> None:
    rows = ring(cycle(count), width)
    text = drawing(cycle(count), width)
    assert all(sum(len(part.text) for part in row) <= width for row in rows)
    for link in cycle(count):
        assert link.process in text
        assert link.waits_for in text
