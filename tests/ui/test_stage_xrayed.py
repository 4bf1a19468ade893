"""The X-ray on the screen: what a primitive is made of, and the feeder threads."""

from __future__ import annotations

import pytest
from either import either
from scripted import (
    START_ALL,
    ScriptedLive,
    condition,
    event,
    philosophers,
    pool,
    producer_consumer,
)
from staging import LARGE, SMALL, Staging, staged
from test_screens_drawn import Compare, playing

from syncsim.core.schedule import format_schedule
from syncsim.core.scheduler import Replay, Scheduler
from syncsim.core.state import State
from syncsim.program.source import Program, load
from syncsim.puzzles.catalogue import find
from syncsim.session.playing import Playing
from syncsim.ui.widgets.lanes import lanes
from syncsim.ui.widgets.xray import part_of, parts

#: Ada, Bob and Cleo are started; Ada takes the bell, finds no cake, and begins to wait, by atom.
TO_THE_WAIT = (*["enter"] * 3, "down", *["enter"] * 2, "x", *["enter"] * 2)


def lines_of(staging: Staging) -> list[str]:
    return [line.strip() for line in staging.stage._panels.primitives.lines]


async def test_x_shows_what_the_primitives_are_made_of_and_x_hides_it() -> None:
    async with staged(condition, "if-instead-of-while") as staging:
        text = await staging.press("x")
        assert "X-ray" in text.splitlines()[0]
        assert "x by call" in text
        lines = lines_of(staging)
        assert lines[1] == "├ lock      free   (to be had while inside)"
        assert lines[2] == "├ sleeping  0   (goes up when one lies down)"
        assert lines[4].startswith("╰ wait")
        text = await staging.press("x")
        assert "X-ray" not in text.splitlines()[0]
        assert len([line for line in lines_of(staging) if line]) == 2


async def test_a_call_is_stepped_atom_by_atom() -> None:
    async with staged(condition, "if-instead-of-while", SMALL) as staging:
        text = await staging.press("down", *TO_THE_WAIT)
        assert "is counted among the sleepers of bell (in wait)" in text
        assert "gives the lock inside bell back (in wait)" in text
        lines = lines_of(staging)
        assert lines[2].startswith("├ sleeping  1")
        assert lines[4].startswith("╰ wait      0   asleep ▌Ada")
        await staging.press("x", "y")
        assert staging.app.clipboard == "a3b2B2"


async def test_a_part_has_an_inspector_of_its_own() -> None:
    async with staged(condition, "if-instead-of-while", SMALL) as staging:
        await staging.press("down", *TO_THE_WAIT)
        text = await staging.press("tab", "down", "down", "down", "i")
        assert "sleeping  inside bell, a Condition" in text
        assert "what for  goes up when one lies down" in text
        assert "value     1" in text
        assert "Ada is counted among the sleepers of bell (in wait)" in text


async def test_a_chosen_part_is_left_for_its_primitive_when_the_xray_goes_off() -> None:
    async with staged(condition, "if-instead-of-while") as staging:
        await staging.press("x", "tab", "down", "down", "down")
        assert staging.stage._panels.primitives.chosen == "p:bell\nsleeping"
        await staging.press("x")
        assert staging.stage._panels.primitives.chosen == "p:bell"


def feeding() -> ScriptedLive:
    """Ada has put one item, by atom, and her feeder has not moved it."""
    live = producer_consumer(("rye",))
    live.run(*[0] * 3)
    live.xray(on=True)
    live.run(1, 1)
    return live


async def test_a_feeder_has_a_lane_below_its_process_and_is_stepped_by_hand() -> None:
    async with staged(feeding, "producer-consumer") as staging:
        assert not staging.stage._playing.replaying
        names = [actor.name for actor, _ in lanes(staging.live.state, xray=True)]
        assert names == ["main", "Ada", "Ada's feeder", "Bob", "Cleo"]
        text = await staging.press("down", "down", "down")
        assert "acquire put lock of shelf" in text
        assert "pipe      nothing   in the buffer of ▌Ada rye" in text
        text = await staging.press("enter", "enter")
        assert "moves rye into the pipe of shelf" in text
        assert "put lock  held by ▏Ada's feeder" in text
        text = await staging.press("i")
        assert "QueueFeederThread, pid 4121" in text


async def test_a_feeder_that_rests_waits_for_something_to_send() -> None:
    async with staged(feeding, "producer-consumer") as staging:
        text = await staging.press("down", "down", "down", "enter", "enter", "enter")
        lane = next(line for line in text.splitlines() if "▏Ada's feeder" in line)
        assert "waits    for something to send" in lane
        staging.clock.now += 1
        assert staging.stage._playing.awaited == ""


async def test_when_the_xray_goes_off_the_feeder_is_let_go_and_hidden() -> None:
    async with staged(feeding, "producer-consumer") as staging:
        await staging.press("down", "down", "down")
        assert staging.stage._panels.processes.chosen == 4
        text = await staging.press("x")
        panels = staging.stage._panels
        assert not any("feeder" in line for line in panels.processes.lines)
        assert not any("feeder" in line for line in panels.time.lines)
        assert panels.processes.chosen == 1
        assert "moves rye into the pipe of shelf" in text
        (shelf,) = staging.live.state.primitives.values()
        assert [item.label for item in staging.live.state.channel(shelf).items] == ["rye"]


@pytest.mark.parametrize("script", [condition, event, producer_consumer, philosophers, pool])
def test_every_part_is_found_by_its_key(script: type[ScriptedLive]) -> None:
    state: State = script().state
    for primitive in state.primitives.values():
        for part in parts(primitive):
            assert part_of(state, part.key) == part
        assert part_of(state, primitive.id) is None
    assert part_of(state, None) is None


def test_a_branch_with_letters_of_both_kinds_leads_to_the_same_moment() -> None:
    runs: list[ScriptedLive] = []

    def start(program: Program, scheduler: Scheduler) -> ScriptedLive:
        runs.append(producer_consumer())
        runs[-1].use(scheduler)
        return runs[-1]

    puzzle = find("producer-consumer")
    play = Playing(load(puzzle.program), start)
    for actor in (*START_ALL[:3], 1, 2):
        play.step(actor)
    play.live.xray(on=True)
    for actor in (1, 1, 4, 3, 4):
        play.step(actor)
    play.live.xray(on=False)
    play.step(2)
    play.drain()
    there = play.history.now
    choices = play.history.schedule(there)
    assert choices is not None
    assert format_schedule(choices) == "a3bcB2EDE2c"
    play.at = there.state.n
    assert play.branch()
    assert isinstance(runs[-1].scheduler, Replay)
    for _ in range(len(choices) + 1):
        runs[-1].tick()
        play.drain()
    assert play.history.schedule(play.history.now) == choices
    assert play.history.now.state.atoms == there.state.atoms
    assert [past.step.sentence for past in play.history.past(99)][:1] == [there.step.sentence]
    assert not play.xrayed


def test_a_restart_keeps_the_xray_on() -> None:
    runs: list[ScriptedLive] = []

    def start(program: Program, scheduler: Scheduler) -> ScriptedLive:
        runs.append(condition())
        return runs[-1]

    play = Playing(load(find("if-instead-of-while").program), start)
    play.live.xray(on=True)
    play.drain()
    play.restart()
    play.drain()
    assert len(runs) == 2
    assert play.xrayed
    assert {choice.grain for choice in runs[-1].state.choices()} == {play.grain}


@either("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_a_condition_under_the_xray(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging(condition, "if-instead-of-while")
    before = playing(staging, "down", *TO_THE_WAIT)
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@either("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_a_queue_under_the_xray(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging(feeding, "producer-consumer")
    before = playing(staging, "down", "down", "down", "enter", "enter", "up", "enter")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)
