"""The X-ray on the screen: what a primitive is made of, and the feeder threads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from either import either
from plays import START_ALL, Play, condition, event, philosophers, pool, producer_consumer, program
from rest import at_rest
from staging import LARGE, SMALL, Staging, staged
from test_real_runs import until
from test_screens_drawn import Compare, playing
from textual.pilot import Pilot

from syncsim.core.schedule import format_schedule
from syncsim.core.scheduler import Replay, Scheduler
from syncsim.core.state import State
from syncsim.program.source import Program
from syncsim.session.playing import Playing
from syncsim.ui.app import SyncsimApp
from syncsim.ui.screens.stage_screen import StageScreen
from syncsim.ui.widgets.lanes import lanes
from syncsim.ui.widgets.xray import part_of, parts

#: Ada, Bob and Cleo are started; Ada takes the bell, finds no cake, and begins to wait, by atom.
TO_THE_WAIT = (*["enter"] * 3, "down", *["enter"] * 2, "x", *["enter"] * 2)


def lines_of(staging: Staging) -> list[str]:
    return [line.strip() for line in staging.stage._panels.primitives.lines]


async def test_x_shows_what_the_primitives_are_made_of_and_x_hides_it() -> None:
    async with staged("if-instead-of-while") as staging:
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
    async with staged("if-instead-of-while", SMALL) as staging:
        text = await staging.press("down", *TO_THE_WAIT)
        assert "is counted among the sleepers of bell (in wait)" in text
        assert "gives the lock inside bell back (in wait)" in text
        lines = lines_of(staging)
        assert lines[2].startswith("├ sleeping  1")
        assert lines[4].startswith("╰ wait      0   asleep ▌Ada")
        await staging.press("x", "y")
        assert staging.app.clipboard == "a3b2B2"


async def test_a_part_has_an_inspector_of_its_own() -> None:
    async with staged("if-instead-of-while", SMALL) as staging:
        await staging.press("down", *TO_THE_WAIT)
        text = await staging.press("tab", "down", "down", "down", "i")
        assert "sleeping  inside bell, a Condition" in text
        assert "what for  goes up when one lies down" in text
        assert "value     1" in text
        assert "Ada is counted among the sleepers of bell (in wait)" in text


async def test_a_chosen_part_is_left_for_its_primitive_when_the_xray_goes_off() -> None:
    async with staged("if-instead-of-while") as staging:
        await staging.press("x", *["enter"] * 2, "tab", "down", "down", "down")
        bell, _ = staging.live.state.primitives
        assert staging.stage._panels.primitives.chosen == f"{bell}\nsleeping"
        await staging.press("x")
        assert staging.stage._panels.primitives.chosen == bell


class Feeding:
    """The stage over real processes: in the virtual world a feeder is no actor.

    Ada has put one loaf, by atom, and her feeder has not moved it.
    """

    def __init__(self, pilot: Pilot[int], stage: StageScreen) -> None:
        self._pilot = pilot
        self.stage = stage
        self.play = stage.session.playing

    @property
    def state(self) -> State:
        return self.play.history.now.state

    async def until(self, holds: Callable[[], bool]) -> str:
        """Wait until it is so, and drawn; the text on the screen."""
        await until(self._pilot, holds)
        self.stage.look()
        await at_rest(self._pilot.app)
        lines = self.stage._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    async def press(self, *keys: str) -> str:
        """Press the keys, each once the step of the one before is there."""
        text = ""
        for key in keys:
            n = self.state.n
            await self._pilot.press(key)
            text = await self.until(lambda n=n, key=key: key != "enter" or self.state.n > n)  # type: ignore[misc]
        return text


@asynccontextmanager
async def feeding() -> AsyncIterator[Feeding]:
    app = SyncsimApp(program("bakery"))
    async with app.run_test(size=(160, 40)) as pilot:  # a real pid may be long
        stage = app.screen
        assert isinstance(stage, StageScreen)
        run = Feeding(pilot, stage)
        await run.until(lambda: bool(run.state.actors))
        await run.press("down", *["enter"] * 3, "x", "down")
        await run.until(lambda: run.play.xrayed)
        await run.press("enter", "enter")
        await run.until(lambda: any(a.library and a.pending for a in run.state.actors))
        yield run


async def test_a_feeder_has_a_lane_below_its_process_and_is_stepped_by_hand() -> None:
    async with feeding() as run:
        names = [actor.name for actor, _ in lanes(run.state, xray=True)]
        assert names == ["main", "Ada", "Ada's feeder", "Bob", "Cleo"]
        text = await run.press("down")
        assert "acquire put lock of shelf" in text
        assert "pipe      nothing   in the buffer of ▌Ada 111" in text
        text = await run.press("enter", "enter")
        assert "moves 111 into the pipe of shelf" in text
        assert "put lock  held by ▏Ada's feeder" in text
        await run.press("i")
        pid = run.state.actors[1].pid
        assert f"QueueFeederThread, pid {pid}" in await run.until(lambda: True)


async def test_a_feeder_that_rests_waits_for_something_to_send() -> None:
    async with feeding() as run:
        await run.press("down", "enter", "enter", "enter")
        text = await run.until(lambda: run.state.actors[4].rests)
        lane = next(line for line in text.splitlines() if "▏Ada's feeder" in line)
        assert "waits    for something to send" in lane
        assert run.play.awaited == ""


async def test_when_the_xray_goes_off_the_feeder_is_let_go_and_hidden() -> None:
    async with feeding() as run:
        await run.press("down")
        panels = run.stage._panels
        assert panels.processes.chosen == 4
        await run.press("x")
        text = await run.until(lambda: not run.play.xrayed and run.state.actors[4].rests)
        assert not any("feeder" in line for line in panels.processes.lines)
        assert not any("feeder" in line for line in panels.time.lines)
        assert panels.processes.chosen == 1
        assert "moves 111 into the pipe of shelf" in text
        (shelf,) = run.state.primitives.values()
        assert [item.label for item in run.state.channel(shelf).items] == ["111"]


@pytest.mark.parametrize("script", [condition, event, producer_consumer, philosophers, pool])
def test_every_part_is_found_by_its_key(script: Callable[[], Play]) -> None:
    state: State = script().state
    for primitive in state.primitives.values():
        for part in parts(primitive):
            assert part_of(state, part.key) == part
        assert part_of(state, primitive.id) is None
    assert part_of(state, None) is None


def test_a_branch_with_letters_of_both_kinds_leads_to_the_same_moment() -> None:
    runs: list[Play] = []

    def start(program: Program, scheduler: Scheduler) -> Play:
        runs.append(Play(program, scheduler))
        return runs[-1]

    play = Playing(program("if-instead-of-while"), start)
    for actor in (*START_ALL[:3], 1, 1):
        play.step(actor)
    play.live.xray(on=True)
    for actor in (1, 1, 2, 2):
        play.step(actor)
    play.live.xray(on=False)
    play.step(2)
    play.drain()
    there = play.history.now
    choices = play.history.schedule(there)
    assert choices is not None
    assert format_schedule(choices) == "a3b2B2C2c"
    play.at = there.state.n
    assert play.branch()
    assert isinstance(runs[-1].scheduler, Replay)
    for _ in range(len(choices) + 1):
        runs[-1].advance()
        play.drain()
    assert play.history.schedule(play.history.now) == choices
    assert play.history.now.state.atoms == there.state.atoms
    assert [past.step.sentence for past in play.history.past(99)][:1] == [there.step.sentence]
    assert not play.xrayed


def test_a_restart_keeps_the_xray_on() -> None:
    runs: list[Play] = []

    def start(program: Program, scheduler: Scheduler) -> Play:
        runs.append(Play(program, scheduler))
        return runs[-1]

    play = Playing(program("if-instead-of-while"), start)
    play.live.xray(on=True)
    play.drain()
    play.restart()
    play.drain()
    assert len(runs) == 2
    assert play.xrayed
    assert {choice.grain for choice in runs[-1].state.choices()} == {play.grain}


@either("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_a_condition_under_the_xray(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging("if-instead-of-while")
    before = playing(staging, "down", *TO_THE_WAIT)
    assert snap_compare(staging.app, terminal_size=size, run_before=before)


@either("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_a_queue_under_the_xray(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging("producer-consumer")
    before = playing(staging, "down", *["enter"] * 4, "x", "down", "enter", "enter", "enter")
    assert snap_compare(staging.app, terminal_size=size, run_before=before)
