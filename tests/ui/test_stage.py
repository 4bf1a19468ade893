"""The stage: one watches, steps, looks back, and is told why."""

from __future__ import annotations

import pytest
from either import either
from plays import START_ALL, program
from staging import LARGE, SMALL, TO_THE_DEADLOCK, Staging, staged
from textual.binding import Binding

from syncsim.core.live import Broken, Mode, Printed, Refused
from syncsim.core.scheduler import Replay
from syncsim.core.state import State
from syncsim.program.source import load
from syncsim.puzzles.catalogue import Puzzle, catalogue, find
from syncsim.session.stage import NOTICE
from syncsim.ui.screens.code import CodeScreen
from syncsim.ui.screens.gallery import GalleryScreen
from syncsim.ui.screens.help import HelpScreen
from syncsim.ui.screens.stage_screen import StageScreen

SIZES = either("size", [SMALL, LARGE, (200, 60), (40, 12)])


async def test_the_goal_stands_on_the_stage_from_the_beginning() -> None:
    async with staged() as staging:
        assert "Goal: Be the scheduler and bring everyone to a standstill." in staging.text
        assert "step 0" in staging.text
        assert "paused" in staging.text


async def test_s_is_one_step_of_whom_the_scheduler_picks() -> None:
    async with staged() as staging:
        text = await staging.press("s")
        assert "step 1" in text
        assert "starts Plato" in text


async def test_enter_steps_the_chosen_process() -> None:
    async with staged() as staging:
        staging.live.run(*START_ALL)
        text = await staging.press("down", "down", "down", "enter")
        assert "Socrates takes forks[1]" in text
        assert "⏎ step Socrates" in text


async def test_a_process_that_cannot_go_says_why() -> None:
    async with staged() as staging:
        staging.live.run(*START_ALL, 1, 2)
        await staging.drawn()
        text = await staging.press("down", "down", "enter")
        assert "Plato waits for forks[1], held by Socrates." in text
        assert "step 6" in text


async def test_what_was_refused_is_said() -> None:
    async with staged() as staging:
        staging.live.updates.append(Refused("Nobody can go on."))
        assert "Nobody can go on." in await staging.drawn()


async def test_space_plays_and_pauses() -> None:
    async with staged() as staging:
        assert "space pause" in await staging.press("space")
        assert staging.live.mode is Mode.PLAYING
        await staging.press("space")
        assert staging.live.mode is Mode.PAUSED


async def test_f_lets_the_system_schedule_and_space_pauses_it() -> None:
    async with staged() as staging:
        text = await staging.press("f")
        assert "free running" in text
        assert "the system picks" in text
        await staging.press("space")
        assert staging.live.mode is Mode.PAUSED


async def test_plus_and_minus_change_the_speed() -> None:
    async with staged() as staging:
        assert "8/s" in await staging.press("plus")
        assert staging.live.steps_per_second == 8
        assert "flat out" in await staging.press(*["plus"] * 20)
        assert staging.live.steps_per_second is None
        assert "½/s" in await staging.press(*["minus"] * 20)


@SIZES
async def test_the_deadlock_is_the_goal_and_says_so(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        text = await staging.press(*TO_THE_DEADLOCK)
        assert "Goal reached in 8 steps" in text
        assert "r restart" in text.splitlines()[-1] or size == (40, 12)


@either("size", [SMALL, LARGE])
async def test_a_goal_that_a_scheduler_came_to_alone_is_not_won(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        staging.live.run(*START_ALL, 1, 2, 3, 4)
        text = await staging.drawn()
        assert "Deadlock after 8 steps · by random:1, not by you" in text
        assert "random:1 did this, not you." in text
        assert "Goal reached" not in text


async def test_a_branch_off_a_step_by_hand_is_by_hand_and_a_new_run_is_not() -> None:
    async with staged() as staging:
        await staging.press(*TO_THE_DEADLOCK, "left", "b")
        assert staging.stage.session.playing.by_hand
        await staging.press("r")
        assert not staging.stage.session.playing.by_hand
        await staging.press("s", "down", "enter", "left", "b")
        assert not staging.stage.session.playing.by_hand


async def test_the_names_are_known_as_soon_as_a_line_is_drawn() -> None:
    async with staged(size=SMALL) as staging:
        panel = staging.stage._panels.happened
        staging.live.run(0, 0)
        staging.stage.session.playing.drain()
        panel.show(State(), None)  # as where it is resized before it is told who there is
        await staging.pilot.pause()
        assert "▌ main     starts Plato" in await staging.drawn()


async def test_the_deadlock_is_explained_and_drawn() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_THE_DEADLOCK)
        assert "Plato holds forks[0] and waits for forks[1]" in text
        assert "None of them can go on." in text
        assert "Plato ──waits──▶ forks[1] ──held by──▶ Socrates" in text
        assert "stuck" in text


async def test_finishing_a_puzzle_to_break_is_not_its_goal() -> None:
    async with staged() as staging:
        await staging.press("N")
        staging.live.run(*START_ALL, *[1] * 11, *[2] * 11, *[3] * 11, *[4] * 11)
        staging.live.finish()
        text = await staging.drawn()
        assert "Finished after" in text
        assert "Not yet: everybody finished. Goal: Be the scheduler" in text


async def test_finishing_a_puzzle_to_watch_is_its_goal() -> None:
    async with staged("producer-consumer") as staging:
        staging.live.finish()
        assert "Goal reached in" in await staging.drawn()


async def test_left_looks_back_and_right_goes_forward() -> None:
    async with staged() as staging:
        text = await staging.press("s", "s", "s", "left", "left")
        assert "step 1 of 3" in text
        assert "looking back" in text
        assert "starts Socrates" not in text
        assert "step 2 of 3" in await staging.press("right")
        assert "paused" in await staging.press("s")
        assert staging.live.state.n == 3


async def test_looking_back_from_a_verdict_uncovers_the_panels() -> None:
    async with staged() as staging:
        await staging.press(*TO_THE_DEADLOCK)
        text = await staging.press("left")
        assert "Goal reached" not in text
        assert "Goal reached" in await staging.press("space")


async def test_b_branches_from_the_moment_one_looks_at() -> None:
    async with staged() as staging:
        await staging.press(*TO_THE_DEADLOCK, "left", "left", "b")
        assert len(staging.runs) == 2
        live = staging.live
        assert isinstance(live.scheduler, Replay)
        for _ in range(10):
            live.advance()
            await staging.drawn()
        assert live.state.n == 6
        assert "step 6" in staging.text
        assert live.mode is Mode.PAUSED
        assert "Kant takes forks[2]" in (await staging.press("up", "enter")).replace("     ", " ")


async def test_in_the_present_b_says_how_to_branch() -> None:
    async with staged() as staging:
        assert "Look back first" in await staging.press("s", "b")


async def test_what_the_system_scheduled_cannot_be_branched_from() -> None:
    async with staged() as staging:
        await staging.press("f")
        staging.live.advance(3)
        await staging.drawn()
        assert "No branch from here" in await staging.press("left", "b")


async def test_r_closes_the_run_and_starts_another() -> None:
    async with staged() as staging:
        text = await staging.press("s", "s", "r")
        assert "step 0" in text
        assert len(staging.runs) == 2
        assert staging.runs[0].closed
        assert not staging.runs[1].closed


async def test_y_copies_the_schedule() -> None:
    async with staged() as staging:
        text = await staging.press(*TO_THE_DEADLOCK[:9], "y")
        assert staging.app.clipboard == "a4bc"
        assert "Schedule copied: a4bc" in text


async def test_i_inspects_the_chosen_process() -> None:
    async with staged() as staging:
        await staging.press(*TO_THE_DEADLOCK[:9])
        text = await staging.press("up", "i")
        assert "process, pid 101" in text
        assert "waits for forks[1], held by Socrates" in text
        assert "dine  program.py, line" in text
        assert "holds     forks[0]" in text


async def test_the_inspector_follows_the_choice() -> None:
    async with staged() as staging:
        await staging.press(*TO_THE_DEADLOCK[:9], "i")
        assert "process, pid 101" in await staging.press("up")


async def test_i_inspects_the_chosen_primitive() -> None:
    async with staged() as staging:
        await staging.press(*TO_THE_DEADLOCK[:9], "tab", "down", "down")
        text = await staging.press("i")
        assert "held by   Socrates" in text
        assert "in line   Plato" in text
        assert "used by   Socrates 1×" in text


async def test_who_gives_back_what_it_took_has_used_it_once() -> None:
    async with staged() as staging:
        staging.live.run(*START_ALL, *[1] * 5)
        text = await staging.press("tab", "down", "i")
        assert "forks[0] back" in text
        assert "used by   Plato 1×" in text


@either("size", [SMALL, LARGE])
async def test_with_nothing_chosen_i_inspects_who_moved_last(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        assert "process, pid 100" in await staging.press("i")
    async with staged(size=size) as staging:
        staging.live.run(*START_ALL, 2)
        await staging.drawn()
        assert "process, pid 102" in await staging.press("i")


async def test_looking_back_shows_no_output_of_the_future() -> None:
    async with staged() as staging:
        staging.live.run(*START_ALL, 1)
        staging.live.updates.append(Printed(0, "stderr", "the end is near\n"))
        assert "“the end is near”" in await staging.drawn()
        assert "the end is near" not in await staging.press("left")
        assert "“the end is near”" in await staging.press("space")


async def test_a_verdict_stands_in_the_header_until_one_looks_back() -> None:
    async with staged("if-instead-of-while") as staging:
        staging.live.finish()
        assert "✗ assertion" in (await staging.drawn()).split("\n")[0]
        assert "✗ assertion" not in (await staging.press("left")).split("\n")[0]


async def test_a_step_that_takes_long_says_who_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with staged() as staging:
        staging.live.run(*START_ALL)
        await staging.press("down", "down")
        monkeypatch.setattr(staging.live, "step", lambda actor=None: None)
        assert "waiting for" not in await staging.press("enter")
        staging.clock.now += 1
        assert "waiting for Plato" in (await staging.drawn()).split("\n")[0]
        await staging.press("s")
        staging.clock.now += 1
        assert "waiting for the next step" in (await staging.drawn()).split("\n")[0]
        monkeypatch.undo()
        staging.live.run(1)
        assert "waiting for" not in (await staging.drawn()).split("\n")[0]


async def test_a_notice_goes_after_a_while() -> None:
    async with staged() as staging:
        assert "Look back first" in await staging.press("b")
        staging.clock.now += NOTICE - 1
        assert "Look back first" in await staging.drawn()
        staging.clock.now += 1
        assert "Look back first" not in await staging.drawn()


async def test_that_it_is_broken_is_said_again_once_another_notice_has_gone() -> None:
    async with staged() as staging:
        staging.live.updates.append(Broken("The pipe is gone."))
        await staging.drawn()
        assert "The run is over" in await staging.press("s")
        staging.clock.now += NOTICE
        assert "The pipe is gone." in await staging.drawn()
        staging.clock.now += NOTICE
        assert "The pipe is gone." in await staging.drawn()


async def test_c_shows_the_code_and_help_explains_the_signs() -> None:
    async with staged() as staging:
        text = await staging.press("c")
        assert isinstance(staging.app.screen, CodeScreen)
        assert "def dine(left, right):" in text
        await staging.press("q")
        text = await staging.press("question_mark")
        assert isinstance(staging.app.screen, HelpScreen)
        assert "One step of the chosen process." in text
        await staging.press("escape")
        assert isinstance(staging.app.screen, StageScreen)


async def test_leaving_closes_the_run() -> None:
    async with staged() as staging:
        await staging.press("q")
        assert isinstance(staging.app.screen, GalleryScreen)
        assert staging.live.closed


async def test_quitting_closes_the_run() -> None:
    async with staged() as staging:
        await staging.press("ctrl+c")
    assert staging.live.closed
    assert staging.app.return_code == 0


async def test_escape_closes_the_inspector_before_it_leaves() -> None:
    async with staged() as staging:
        await staging.press("i", "escape")
        assert isinstance(staging.app.screen, StageScreen)
        await staging.press("escape")
        assert isinstance(staging.app.screen, GalleryScreen)


async def test_on_a_small_terminal_tab_goes_through_what_shares_a_place() -> None:
    async with staged(size=SMALL) as staging:
        await staging.press("s")
        assert "starts Plato" in staging.text
        text = await staging.press("tab", "tab")
        assert "guest.start()" in text
        assert "starts Plato" not in text
        assert "starts Plato" in await staging.press("tab")
        assert "█" in await staging.press("tab")


async def test_the_arrows_look_back_whatever_panel_has_the_focus() -> None:
    async with staged() as staging:
        await staging.press("s", "s")
        for _ in range(5):
            text = await staging.press("tab", "left")
            assert "step 1 of 2" in text
            await staging.press("right")


async def test_a_fault_is_a_sentence_on_the_stage() -> None:
    async with staged() as staging:
        staging.live.updates.append(Broken("The run was broken off: [/foo] the pipe is gone."))
        assert "The run was broken off: [/foo] the pipe is gone." in await staging.drawn()
        await staging.press("s", "left", "q")
        assert isinstance(staging.app.screen, GalleryScreen)


async def test_after_a_fault_nothing_is_asked_of_the_run_any_more() -> None:
    async with staged() as staging:
        await staging.press("s", "i")
        staging.live.updates.append(Broken("The run was broken off."))
        await staging.drawn()
        asked: list[str] = []
        for name in ("play", "pause", "step", "free", "speed", "use", "inspect"):
            setattr(staging.live, name, lambda *_, name=name: asked.append(name))
        for key in ("space", "s", "enter", "f"):
            assert "The run is over: r restarts it" in await staging.press(key)
        await staging.press("plus", "n", "N", "down", "left", "right", "i", "i")
        assert asked == []
        assert "broken" not in await staging.press("r")
        assert staging.runs[0].closed


@SIZES
async def test_hostile_text_is_only_text(size: tuple[int, int]) -> None:
    async with staged(program("hostile"), size=size) as staging:
        staging.live.finish()
        text = await staging.drawn()
        assert "\x1b" not in text
        assert "\x07" not in text
        for keys in (("left",), ("i",), ("down", "down"), ("tab", "down", "i"), ("i",), ("c",)):
            await staging.press(*keys)
        assert staging.app.is_running


async def test_ten_megabytes_of_output_do_not_stop_the_screen() -> None:
    async with staged(program("lockers", "16")) as staging:
        staging.live.updates.extend(Printed(0, "stdout", "[/x]" * 2500) for _ in range(1000))
        await staging.drawn()
        assert "step 1" in await staging.press("s")


async def test_every_key_of_the_stage_is_described() -> None:
    for binding in StageScreen.BINDINGS:
        assert isinstance(binding, Binding)
        assert binding.id
        assert binding.description
        assert binding.tooltip


async def test_the_palette_offers_the_keys_by_name() -> None:
    async with staged() as staging:
        titles = {c.title for c in staging.app.get_system_commands(staging.app.screen)}
        assert {"Free run", "Restart", "Inspect", "Copy schedule", "Branch from here"} <= titles
        command = next(
            c for c in staging.app.get_system_commands(staging.app.screen) if c.title == "Step"
        )
        command.callback()
        await staging.drawn()
        assert staging.live.state.n == 1


async def test_hints_come_one_after_the_other() -> None:
    async with staged() as staging:
        assert "Hint 1 of" in await staging.press("h")
        assert "Hint 2 of" in await staging.press("h")


@either("size", [SMALL, LARGE])
async def test_the_keys_for_a_hint_and_the_story_are_seen(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        small = size == SMALL
        last = staging.text.splitlines()[-1]
        assert ("h hint " if small else "h hint 1/3 ") in last
        assert ("? story " if small else "? story, help ") in last
        last = (await staging.press("h", "s")).splitlines()[-1]
        assert ("h hint " if small else "h hint 2/3 ") in last
    async with staged(load(find("dining-philosophers").program), size) as staging:
        last = staging.text.splitlines()[-1]
        assert "hint" not in last
        assert "? help" in last


async def test_a_hint_stays_until_one_goes_on() -> None:
    async with staged() as staging:
        await staging.press("h")
        staging.clock.now += 10 * NOTICE
        assert "Hint 1 of" in await staging.drawn()
        assert "Hint 1 of" not in await staging.press("s")


def words_in(staging: Staging, widget: str) -> str:
    """The text inside the frame of that widget, as one reads it."""
    panel = staging.app.screen.query_one(widget)
    region, width = panel.content_region, panel.scrollable_content_region.width
    lines = staging.text.splitlines()[region.y : region.bottom]
    return " ".join(" ".join(line[region.x : region.x + width] for line in lines).split())


@either("size", [SMALL, LARGE])
async def test_the_story_can_be_read_before_the_first_step_and_later(size: tuple[int, int]) -> None:
    puzzle = find("dining-philosophers")
    async with staged(puzzle, size) as staging:
        there = words_in(staging, "#happened")
        assert puzzle.story in there
        assert puzzle.look_for in there
        assert "↑↓ picks a process, ⏎ makes its next step." in there
        await staging.press("h", "s")
        assert puzzle.look_for not in words_in(staging, "#happened")
        await staging.press("question_mark")
        there = words_in(staging, "#help")
        assert puzzle.goal.text in there
        assert puzzle.story in there
        assert puzzle.look_for in there
        assert puzzle.hints[0] in there
        assert puzzle.hints[1] not in there


@pytest.mark.parametrize("puzzle", catalogue(), ids=lambda puzzle: puzzle.slug)
async def test_every_story_fits_above_the_fold_of_the_help(puzzle: Puzzle) -> None:
    async with staged(puzzle, SMALL) as staging:
        await staging.press("question_mark")
        there = words_in(staging, "#help")
        assert all(text in there for text in (puzzle.story, puzzle.goal.text, puzzle.look_for))


async def test_playing_flat_out_the_present_is_drawn_whole_once_it_is_still() -> None:
    async with staged(program("lockers", "16")) as staging:
        await staging.press("space")
        for _ in range(20):
            staging.live.advance(100)
            staging.stage.look()
        await staging.press("space")
        text = await staging.drawn()
        assert f"step {staging.live.state.n}" in text
        assert f"{staging.live.state.n} ▐" in text or f"{staging.live.state.n} ▌" in text


@SIZES
async def test_no_name_on_the_stage_commands_the_terminal(size: tuple[int, int]) -> None:
    async with staged(program("hostile"), size=size) as staging:
        staging.live.run(*START_ALL)
        for keys in (("s", "s", "s"), ("down", "down", "i"), ("escape", "k"), ("escape", "x", "s")):
            text = await staging.press(*keys)
            assert all(line.isprintable() for line in text.split("\n")), keys
            assert "▌[31m" not in text
