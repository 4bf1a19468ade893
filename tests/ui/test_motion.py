"""Motion: things are seen to go from one place to the next, and the still picture says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from bare import Bare
from msgspec.structs import replace
from plays import Play, barrier, condition, event, items_of, pool, producer_consumer, value
from rest import at_rest
from staging import Clock, staged

from syncsim.core.atoms import Channel
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.live import Mode
from syncsim.session.speed import LADDER, travel
from syncsim.ui.widgets.lines import FROM_LEFT, FROM_RIGHT, Line, Piece
from syncsim.ui.widgets.motion import flights, frame
from syncsim.ui.widgets.primitives_panel import PrimitivesPanel

pytestmark = pytest.mark.once

#: Frames looked at while things move.
FRAMES = 10


class Moving:
    """A panel whose things move as a clock says that stands still in between."""

    def __init__(self, script: Callable[[], Play]) -> None:
        self.clock = Clock()
        self.app = Bare(PrimitivesPanel(self.clock), script())
        self.panel = self.app.panel
        self.panel.travel = 1.0

    def frames(self, *actors: int) -> list[list[str]]:
        """The pictures of the last of these steps, from the first one to that at rest."""
        for actor in actors:
            self.clock.now += 1
            self.panel._frame()
            self.app.run_to(actor)
        pictures = [self.app.seen()]
        for _ in range(FRAMES):
            self.clock.now += 1.001 / FRAMES
            self.panel._frame()
            pictures.append(self.app.seen())
        return pictures


def columns(pictures: list[list[str]], word: str) -> list[int]:
    """Where the word stands in each picture, without repetitions; -1 for nowhere."""
    found: list[int] = []
    for picture in pictures:
        at = max((line.find(word) for line in picture), default=-1)
        if at not in found[-1:]:
            found.append(at)
    return found


def different(pictures: list[list[str]]) -> int:
    return len({"\n".join(picture) for picture in pictures})


async def test_an_item_leaves_the_hand_slides_along_the_belt_and_goes_to_who_took_it() -> None:
    moving = Moving(producer_consumer)
    async with moving.app.run_test(size=(80, 8)):
        at = columns(moving.frames(0, 1), "111")
        before = moving.app.seen()[0]
        assert at == sorted(at)
        assert at[0] == before.index("▌Ada")
        assert at[-1] == before.index("111")
        assert len(at) >= 4
        at = columns(moving.frames(0, 2), "111")
        assert at[0] == before.index("111")
        assert at == sorted(at)
        assert moving.app.seen()[0].index("▌Bob") < at[-1]
        assert len(at) >= 4


async def test_the_picture_after_the_motion_is_the_one_without_it() -> None:
    still = Bare(PrimitivesPanel(), producer_consumer())
    async with still.run_test(size=(80, 8)):
        still.run_to(0, 1, 0, 2)
        rest = still.seen()
    moving = Moving(producer_consumer)
    async with moving.app.run_test(size=(80, 8)):
        assert moving.frames(0, 1, 0, 2)[-1] == rest
        assert moving.panel._timer is None
        assert not moving.panel._flying


async def test_a_permit_crosses_to_its_process_and_back() -> None:
    moving = Moving(pool)
    async with moving.app.run_test(size=(90, 8)):
        pictures = moving.frames(*[0] * 5, 1)
        assert "◆ ◆ ◇   ▌Ada ◆" in pictures[-1][0]
        at = [line.rindex("◆") for line, *_ in pictures]
        assert at == sorted(at)
        assert len(set(at)) >= 4
        while "◆ ◆ ◆" not in pictures[-1][0]:
            pictures = moving.frames(1)
        at = [line.rindex("◆") for line, *_ in pictures]
        assert at == sorted(at, reverse=True)
        assert len(set(at)) >= 4


async def test_sleepers_walk_out_of_the_waiting_room() -> None:
    moving = Moving(condition)
    async with moving.app.run_test(size=(110, 6)):
        moving.frames(0, 0, 0, 1, 1, 1, 2, 2, 2)
        room = moving.app.seen()[0].index("▌Ada")
        pictures = moving.frames(3, 3, 3, 3)
        at = columns(pictures, "▌Ada")
        assert at[0] == room
        assert at == sorted(at)
        assert at[-1] > pictures[-1][0].index("notified")
        assert len(at) >= 4


async def test_an_event_wakes_who_sleeps_on_it() -> None:
    moving = Moving(event)
    async with moving.app.run_test(size=(110, 6)):
        moving.frames(0, 0, 1, 1)
        asleep = next(line for line in moving.app.seen() if "asleep ▌Ada" in line)
        while not any("awake again ▌Ada" in line for line in moving.app.seen()):
            pictures = moving.frames(2)
        at = columns(pictures, "▌Ada")
        assert at[0] == asleep.index("▌Ada")
        assert at == sorted(at)
        assert len(at) >= 4


@pytest.mark.parametrize(
    "script", [producer_consumer, pool, condition, event, barrier, value], ids=lambda s: s.__name__
)
async def test_each_step_that_moves_something_has_four_pictures(
    script: Callable[[], Play],
) -> None:
    moving = Moving(script)
    async with moving.app.run_test(size=(63, 12)):
        moved = 0
        for _ in range(40):
            choices = moving.app.live.state.choices()
            if not choices:
                break
            pictures = moving.frames(choices[0].actor)
            if different(pictures) > 1:
                moved += 1
                assert different(pictures) >= 4, pictures
        assert moved >= 5


async def test_what_settles_while_things_are_on_their_way_does_not_stop_them() -> None:
    moving = Moving(producer_consumer)
    async with moving.app.run_test(size=(80, 8)):
        moving.frames(0)
        moving.app.run_to(1)
        moving.clock.now += 0.5
        halfway = moving.app.seen()[0].index("111")
        moving.panel.show(moving.app.live.state, Diagnosis(None))
        assert moving.app.seen()[0].index("111") == halfway


async def test_what_moves_only_once_the_state_has_settled_arrives_too() -> None:
    moving = Moving(producer_consumer)
    async with moving.app.run_test(size=(80, 8)):
        moving.frames(0)
        settled = moving.app.live.run(1)
        early = replace(settled, atoms={**settled.atoms, items_of(settled): Channel()})
        moving.panel.show(early, Diagnosis(None))
        moving.clock.now += 0.2
        moving.panel.show(settled, Diagnosis(None))
        assert moving.panel._timer is not None
        moving.clock.now += 1
        moving.panel._frame()
        assert moving.panel._timer is None
        assert "111 ┆" in moving.app.seen()[0]


async def test_a_new_step_ends_the_motion_of_the_last() -> None:
    moving = Moving(producer_consumer)
    async with moving.app.run_test(size=(80, 8)):
        moving.app.run_to(0, 1, 1)
        moving.panel.travel = 0.0
        moving.app.run_to(1)
        assert moving.panel._timer is None
        assert "┆ 3333 │  222 │  111 ┆" in moving.app.seen()[0]


async def test_looking_back_things_go_back_the_way_they_came() -> None:
    moving = Moving(producer_consumer)
    async with moving.app.run_test(size=(80, 8)):
        moving.frames(0, 1, 0)
        before = moving.app.live.state
        taken = moving.frames(2)[-1][0].index("111")
        moving.panel.show(before, Diagnosis(None))
        pictures = [moving.app.seen()]
        moving.clock.now += 1
        moving.panel._frame()
        pictures.append(moving.app.seen())
        at = columns(pictures, "111")
        assert at[-1] < taken


async def test_things_move_on_the_stage_as_the_clock_of_the_app_goes() -> None:
    async with staged("producer-consumer") as staging:
        staging.app.animation_level = "full"
        await staging.press("s")
        staging.clock.now += 1
        await staging.press("down", "down", "enter")
        start = staging.text
        assert "'rye'" in start
        assert staging.text == start  # it stands as long as the clock does
        staging.clock.now += 0.1
        staging.stage._panels.primitives._frame()
        await at_rest(staging.app)
        middle = staging.text
        staging.clock.now += 1
        staging.stage._panels.primitives._frame()
        await at_rest(staging.app)
        assert len({start, middle, staging.text}) == 3


async def test_nothing_moves_where_motion_is_reduced() -> None:
    async with staged("producer-consumer") as staging:
        assert staging.app.animation_level == "none"
        await staging.press("s", "down", "down", "enter")
        assert staging.stage._panels.primitives.travel == 0
        assert not staging.stage._panels.primitives._flying


async def test_nothing_moves_at_speed_nor_in_free_running() -> None:
    async with staged("producer-consumer") as staging:
        staging.app.animation_level = "full"
        play = staging.stage.session.playing
        await staging.press("s")
        assert play.travel == 0.3
        await staging.press("space")
        assert play.mode is Mode.PLAYING
        assert 0.15 <= play.travel <= 0.25  # at four steps a second
        await staging.press("plus", "plus")
        assert play.travel == 0
        await staging.press("f")
        assert play.travel == 0
        assert staging.stage._panels.primitives.travel == 0


def test_a_thing_has_arrived_before_the_next_step_is_due() -> None:
    for speed in LADDER:
        seconds = travel(speed)
        assert seconds == 0 if speed is None or speed > 8 else 0 < seconds < 1 / speed


# -- the ways themselves ---------------------------------------------------------------------


def line(*pieces: Piece | str) -> Line:
    return Line(tuple(p if isinstance(p, Piece) else Piece(p) for p in pieces))


def plain(rows: tuple[Line, ...]) -> Iterator[str]:
    return (row.plain for row in rows)


def test_who_comes_and_who_goes_uses_an_edge() -> None:
    ada, bob = Piece("Ada", "", "actor-1", FROM_RIGHT), Piece("Bob", "", "actor-2", FROM_LEFT)
    old, new = (line("held by ", ada),), (line("held by ", bob),)
    comes, goes = flights(old, new, 2, 30)
    assert (comes.piece, comes.start.column, comes.end.column) == (bob, 2, 8)
    assert (goes.piece, goes.start.column, goes.end.column, goes.leaves) == (ada, 8, 30, True)


def test_a_thing_goes_from_one_line_to_another() -> None:
    ada = Piece("Ada", "", "actor-1")
    old, new = (line("asleep ", ada), line()), (line("asleep"), line("   notified ", ada))
    (way,) = flights(old, new, 0, 30)
    assert list(plain(frame(new, [way], 0.0, 30))) == ["asleep Ada", "   notified    "]
    assert list(plain(frame(new, [way], 1.0, 30))) == ["asleep", "   notified Ada"]


def test_a_step_aside_is_no_motion() -> None:
    ada = Piece("Ada", "", "actor-1")
    assert flights((line(" ", ada),), (line("  ", ada),), 0, 30) == []


def test_what_comes_in_from_an_edge_is_cut_there() -> None:
    ada = Piece("Ada", "", "actor-1", FROM_RIGHT)
    new = (line("held by ", ada),)
    (way,) = flights((line("free"),), new, 0, 12)
    assert [next(plain(frame(new, [way], p, 12))).rstrip() for p in (0.0, 0.2, 1.0)] == [
        "held by",
        "held by    A",
        "held by Ada",
    ]


def test_wide_signs_are_covered_whole() -> None:
    item = Piece("x", "", "items-1")
    (way,) = flights((line(item, "日本語"),), (line("日本語    ", item),), 0, 30)
    for progress in (0.0, 0.1, 0.2, 0.5, 1.0):
        (row,) = frame((line("日本語    ", item),), [way], progress, 30)
        assert "x" in row.plain
        assert sum(2 if sign in "日本語" else 1 for sign in row.plain) == 11
