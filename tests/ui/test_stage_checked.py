"""v on the stage: the program is checked, what came of it is told, replayed, and foreseen."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checks import CAN_DEADLOCK, DEADLOCK, NOT_VIRTUAL, PROVEN, PUZZLES, UNDECIDED, _step
from either import either
from msgspec.structs import replace
from plays import START_ALL
from staging import LARGE, SMALL, TO_THE_DEADLOCK, Staging, staged
from test_screens_drawn import Compare
from textual.pilot import Pilot

from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Grain, Move, format_schedule
from syncsim.core.scheduler import Random, Replay
from syncsim.program.source import load
from syncsim.session.background_check import (
    BackgroundCheck,
    BrokeOff,
    Foresaw,
    Judged,
    LooksAhead,
    Searched,
)
from syncsim.ui import look
from syncsim.ui.screens.stage_screen import StageScreen

PROGRAM = PUZZLES / "dining-philosophers" / "program.py"
SIZES = either("size", [SMALL, LARGE], ids=["80x24", "120x40"])


def mark(text: str, name: str) -> str:
    """The mark in the lane of that process; empty where it has none."""
    found = re.search(rf"▌{name} +10[0-9] [^│]*?([✓◐✗]?) *│", text)
    assert found, text
    return found[1]


async def checked(staging: Staging, *keys: str) -> str:
    """The check has found the deadlock, and knows what may come."""
    await staging.press("v")
    staging.check.come_to(CAN_DEADLOCK, PROGRAM)
    await staging.drawn()
    return await staging.press(*keys)


# -- the check ----------------------------------------------------------------------------------


@SIZES
async def test_v_checks_the_program_quietly_and_says_how_far_it_is(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        text = await staging.press("v")
        assert staging.check.program.path == PROGRAM
        assert "Checking every interleaving" in text
        staging.check.updates.append(Searched(12_345, 98_765.4, 3.2))
        text = await staging.drawn()
        assert "12,345 states, 98,765 a second, 3 s" in text
        assert "v stop" in text.splitlines()[-1]
        text = await staging.press("s")  # one goes on meanwhile
        assert "step 1" in text


@pytest.mark.parametrize("key", ["v", "escape", "q"])
async def test_v_again_or_escape_stops_it(key: str) -> None:
    async with staged() as staging:
        await staging.press("v")
        text = await staging.press(key)
        assert "The check was stopped." in text
        assert "Checking every interleaving" not in text
        assert isinstance(staging.app.screen, StageScreen)
        assert staging.check.closed
        await staging.press("v")
        assert len(staging.checks) == 2


async def test_who_leaves_the_stage_ends_the_check() -> None:
    async with staged() as staging:
        await checked(staging, "v", "q")
        assert not isinstance(staging.app.screen, StageScreen)
        assert staging.check.closed
        assert staging.live.closed


@SIZES
async def test_each_failure_is_told_with_its_explanation(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        text = await checked(staging)
        assert "⊗ It can fail: deadlock" in text
        assert "1 ⊗ Deadlock in 8 steps, confirmed on real processes" in text
        assert "Plato holds forks[0] and waits for forks[1]" in text
        assert "1 replay it on the stage" in text
        assert "3,633 states" in text


async def test_the_others_are_told_after_the_shortest_and_no_unconfirmed_one_is_offered() -> None:
    async with staged() as staging:
        await staging.press("v")
        other = replace(DEADLOCK, verdict=Verdict.ASSERTION, explanation="1 is not 2.")
        doubtful = replace(DEADLOCK, verdict=Verdict.CRASH, confirmed=False)
        failures = (DEADLOCK, other, doubtful)
        staging.check.come_to(replace(CAN_DEADLOCK, failures=failures), None)
        text = await staging.drawn()
        assert "It can fail, in 2 ways" in text
        assert "2 ✗ An assertion fails in 8 steps" in text
        assert "1-2 replay one" in text
        assert "Crash" not in text


async def test_what_else_was_seen_is_told_beside_it() -> None:
    async with staged() as staging:
        await staging.press("v")
        findings = tuple(Finding("data race", f"Both write count {n}.") for n in range(4))
        told = replace(DEADLOCK, findings=findings[:1])
        staging.check.come_to(replace(CAN_DEADLOCK, failures=(told,), findings=findings), None)
        text = await staging.drawn()
        assert "Both write count 0." not in text  # it belongs to the failure
        assert "data race: Both write count 1." in text
        assert "and 1 more" in text


async def test_what_is_proven_is_said_and_its_choices_are_safe() -> None:
    async with staged() as staging:
        await staging.press("v")
        staging.check.come_to(PROVEN, PUZZLES / "readers-writers" / "program.py")
        text = await staging.drawn()
        assert "✓ Proven: it cannot fail" in text
        assert "no process can wait for ever" in text
        assert "replay it" not in text
        assert "✓ nothing can fail" in text


@pytest.mark.parametrize(
    ("update", "words"),
    [
        (Judged(UNDECIDED), "not everything was visited: 2,000,000 states"),
        (Judged(NOT_VIRTUAL), "syncsim check: With --real it is searched on real"),
        (BrokeOff("The check could not be finished: it was killed by signal 9."), "by signal 9"),
    ],
)
async def test_what_is_undecided_is_said_in_a_sentence(update: Any, words: str) -> None:
    async with staged() as staging:
        await staging.press("v")
        staging.check.updates += (update, LooksAhead(False))
        text = await staging.drawn()
        assert words in text
        assert "Proven" not in text
        assert "either way" not in text
        text = await staging.press("v")
        assert words not in text
        assert words in await staging.press("v")  # it is not checked again
        assert len(staging.checks) == 1


async def test_one_execution_is_not_counted_as_several() -> None:
    async with staged() as staging:
        await staging.press("v")
        staging.check.come_to(replace(PROVEN, executions=1), None)
        assert " 1 execution · 0.5 s " in await staging.drawn()


async def test_v_hides_the_result_then_the_marks_and_then_shows_both() -> None:
    async with staged() as staging:
        text = await checked(staging)
        assert ("It can fail" in text, "can still go" in text) == (True, True)
        for *shown, word in (
            (False, True, "hide marks"),
            (False, False, "result"),
            (True, True, "close"),
        ):
            text = await staging.press("v")
            assert ["It can fail" in text, "can still go" in text] == shown
            assert f"v {word} " in text
        text = await staging.press("escape")
        assert ("It can fail" in text, "can still go" in text) == (False, True)


# -- replay -------------------------------------------------------------------------------------


async def test_a_failure_is_replayed_step_by_step_from_the_beginning() -> None:
    async with staged() as staging:
        text = await checked(staging, "s", "s", "1")
        assert len(staging.runs) == 2
        replay = staging.live.scheduler
        assert isinstance(replay, Replay)
        assert format_schedule(replay.schedule) == "a4bcde"
        assert "step 0" in text
        assert "replay 0 of 8" in text
        assert "The way to the deadlock" in text
        assert "It can fail" not in text
        text = await staging.press(*["s"] * 8)
        assert "Deadlock after 8 steps · by a replay, not by you" in text
        assert isinstance(staging.live.scheduler, Random)
        text = await staging.press("r")
        assert "replay" not in text
        assert isinstance(staging.live.scheduler, Random)


async def test_what_is_chosen_inside_a_call_is_replayed_under_the_xray() -> None:
    async with staged("if-instead-of-while") as staging:
        await staging.press("v")
        inside = replace(
            DEADLOCK, schedule="A2BCB", steps=(_step(1, 0, "main", operation="release sleeping"),)
        )
        staging.check.come_to(replace(CAN_DEADLOCK, failures=(inside,)), None)
        assert "Deadlock in 1 step under the X-ray," in await staging.drawn()
        text = await staging.press("1")
        replay = staging.live.scheduler
        assert isinstance(replay, Replay)
        assert format_schedule(replay.schedule) == "A2BCB"
        assert staging.live.grain is Grain.ATOM
        assert "X-ray" in text


async def test_who_goes_another_way_than_the_replay_is_told_and_goes_on_alone() -> None:
    async with staged() as staging:
        await checked(staging, "1", *["s"] * 5)
        text = await staging.press("down", "down", "enter")  # Plato takes his second fork
        assert "You went another way than the replay" in text
        assert "replay 6" not in text
        assert isinstance(staging.live.scheduler, Random)
        text = await staging.press("s")
        assert "step 7" in text.splitlines()[0]
        assert "cannot be followed" not in text


async def test_what_one_steps_by_hand_as_the_replay_has_it_is_the_replays() -> None:
    async with staged(size=SMALL) as staging:
        await checked(staging, "1")
        text = await staging.press("down", "enter")
        assert "replay 1 of 8" in text
        text = await staging.press("s", "enter")  # whom it wants next, again
        assert "replay 3 of 8" in text
        await staging.press("space")
        staging.live.advance(2)
        text = await staging.press("space", "down", "down", "enter")  # Socrates, by hand
        assert "replay 6 of 8" in text
        assert "another way" not in text
        text = await staging.press("s", "s")
        assert "Deadlock after 8 steps · by a replay, not by you" in text


async def test_a_replay_whose_last_step_is_made_by_hand_was_followed_to_its_end() -> None:
    async with staged() as staging:
        await checked(staging, "1", *["s"] * 7)
        text = await staging.press("up", "enter")  # Hume takes his left fork
        assert "Deadlock after 8 steps · by a replay, not by you" in text
        assert "another way" not in text


async def test_who_leaves_a_replay_by_hand_reaches_the_goal_oneself() -> None:
    async with staged() as staging:
        await checked(staging, "1", *["s"] * 4)
        text = await staging.press("up", "enter")  # Hume, not Plato
        assert "You went another way than the replay" in text
        text = await staging.press(*["up", "enter"] * 3)
        assert "Goal reached in 8 steps" in text


async def test_a_fault_that_is_not_in_the_schedule_leaves_the_replay() -> None:
    async with staged() as staging:
        await checked(staging, "1", *["s"] * 5, "down", "down")
        text = await staging.press("k", "k")
        assert "You went another way than the replay" in text
        text = await staging.press("s")
        assert "cannot be followed" not in text


async def test_who_looks_back_in_a_replay_goes_on_with_it_from_the_present() -> None:
    async with staged() as staging:
        await checked(staging, "1", *["s"] * 5)
        text = await staging.press("left", "left", "down", "enter")
        assert "This is the past" in text
        text = await staging.press("s", "s", "s")
        assert "replay 6 of 8" in text
        text = await staging.press("left", "space", "s", "s")
        assert "Deadlock after 8 steps · by a replay, not by you" in text


async def test_who_branches_off_from_a_replay_is_told_that_one_has_left_it() -> None:
    async with staged() as staging:
        await checked(staging, "1", "down", "enter", *["s"] * 5, "left", "left")
        text = await staging.press("b")
        assert "You left the replay: from here on it is your own run." in text
        for _ in range(5):
            staging.live.advance()
            text = await staging.drawn()
        assert "step 4" in text.splitlines()[0]
        assert "random:1" in text.splitlines()[0]
        assert "cannot be followed" not in await staging.press("s", "s")
        assert not staging.stage.session.playing.by_hand


async def test_who_lets_another_scheduler_pick_has_left_the_replay() -> None:
    async with staged() as staging:
        await checked(staging, "1", *["s"] * 5)
        text = await staging.press("n")
        assert "You left the replay: from here on random:2 picks." in text
        assert "replay 5" not in text.splitlines()[0]
        assert "random:2" in text.splitlines()[0]
        assert "another way" not in await staging.press("s", "s")


async def test_there_is_nothing_to_replay_before_a_check() -> None:
    async with staged() as staging:
        assert "v checks the program" in await staging.press("1")
        assert len(staging.runs) == 1


# -- foresight ----------------------------------------------------------------------------------


@SIZES
async def test_every_choice_has_a_mark(size: tuple[int, int]) -> None:
    async with staged(size=size) as staging:
        await checked(staging, "v")
        text = await staging.press(*TO_THE_DEADLOCK[:-2])
        marks = [mark(text, name) for name in ("Plato", "Socrates", "Kant", "Hume")]
        assert marks == ["", "", "◐", "✗"]  # the first two cannot go
        assert "✓ safe  ◐ either way  ✗ doomed" in text
        assert "◐" in text.splitlines()[0]


async def test_the_head_says_when_the_point_of_no_return_was_passed() -> None:
    async with staged() as staging:
        await checked(staging, "v")
        text = await staging.press(*TO_THE_DEADLOCK)
        assert "✗ since step 8 it can only fail: deadlock" in text.splitlines()[0]
        text = await staging.press("left")
        assert "◐ can still go either way" in text.splitlines()[0]
        assert mark(text, "Hume") == "✗"


async def test_once_the_last_round_of_one_is_certain_nothing_can_fail() -> None:
    async with staged() as staging:
        await checked(staging, "v")
        # Plato has eaten once, and takes his left fork again.
        text = await staging.press("down", *["enter"] * 4, "down", *["enter"] * 6)
        assert "◐ can still go" in text.splitlines()[0]
        text = await staging.press("enter")  # Plato has both forks
        assert "✓ nothing can fail" in text.splitlines()[0]
        assert [mark(text, name) for name in ("Plato", "Kant", "Hume")] == ["✓", "✓", "✓"]


async def test_in_free_running_and_after_a_fault_there_are_no_marks_and_no_error() -> None:
    async with staged() as staging:
        await checked(staging, "v", *TO_THE_DEADLOCK[:6])
        text = await staging.press("k", "k")
        assert staging.live.state.actors[1].killed is Move.KILL
        assert "either way" not in text.splitlines()[0]
        text = await staging.press("r")
        assert "either way" in text.splitlines()[0]
        await staging.press("f")
        staging.live.advance(2)
        text = await staging.drawn()
        assert "either way" not in text.splitlines()[0]


async def test_only_an_answer_to_the_newest_question_is_shown() -> None:
    async with staged() as staging:
        await checked(staging, "v")
        stage = staging.stage
        old = stage.session.checking._foreseen
        assert old is not None
        stage.session.checking._asked += 1  # a question that is not answered yet
        text = await staging.drawn()
        assert "either way" not in text.splitlines()[0]
        staging.check.updates.append(Foresaw(stage.session.checking._asked, old))
        text = await staging.drawn()
        assert "either way" in text.splitlines()[0]


async def test_under_the_xray_it_is_asked_by_the_atom() -> None:
    async with staged() as staging:
        await checked(staging, "v", "x", "s")
        _, grain = staging.check.asked[-1]
        assert grain is Grain.ATOM


# -- the source changes ---------------------------------------------------------------------------


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text((PROGRAM).read_text())
    return path


async def test_after_an_edit_v_checks_the_new_text_and_r_runs_it(edited: Path) -> None:
    async with staged(load(edited)) as staging:
        await checked(staging, "v")
        edited.write_text(edited.read_text().replace('"eats"', '"dines"'))
        text = await staging.press("v")
        assert len(staging.checks) == 2
        assert staging.checks[0].closed
        assert '"dines"' in staging.check.program.text
        staging.check.come_to(CAN_DEADLOCK, PROGRAM)
        text = await staging.drawn()
        assert "The file has changed since this run began: r restarts with it." in text
        assert "either way" not in text.splitlines()[0]
        text = await staging.press("r")
        assert "The file has changed" not in text
        assert "either way" in text.splitlines()[0]
        assert '"dines"' in staging.stage.session.playing.program.text


async def test_what_is_no_python_any_more_is_neither_checked_nor_restarted(edited: Path) -> None:
    async with staged(load(edited)) as staging:
        await staging.press("s")
        edited.write_text("def (:\n")
        assert "line 1" in await staging.press("v")
        assert staging.checks == []
        text = await staging.press("r")
        assert "line 1" in text
        assert "step 1" in text
        assert len(staging.runs) == 1


# -- how it looks ---------------------------------------------------------------------------------


def playing(staging: Staging, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def before(pilot: Pilot[Any]) -> None:
        staging.pilot = pilot
        await checked(staging, *keys)

    return before


@SIZES
def test_what_was_found_drawn(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    assert snap_compare(staging.app, terminal_size=size, run_before=playing(staging))


@SIZES
def test_the_marks_drawn(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    keys = ("v", *TO_THE_DEADLOCK[:-2])
    assert snap_compare(staging.app, terminal_size=size, run_before=playing(staging, *keys))


@SIZES
def test_the_point_of_no_return_drawn(snap_compare: Compare, size: tuple[int, int]) -> None:
    staging = Staging()
    keys = ("v", *TO_THE_DEADLOCK)
    assert snap_compare(staging.app, terminal_size=size, run_before=playing(staging, *keys))


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
    async with staged(size=size) as staging:
        seen = await checked(staging)
        staging.live.run(*START_ALL)
        seen += await staging.press("v", "s", "s", "question_mark")
        seen += await staging.press("q", "v", "v", "1")
        assert {c for c in seen if not c.isascii()} == set()
        assert "~" in seen


# -- for real -------------------------------------------------------------------------------------


def until(holds: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_real_check_finds_confirms_and_foresees_the_deadlock() -> None:
    check = BackgroundCheck(load(PROGRAM))
    try:
        until(lambda: LooksAhead(True) in check.updates)
        (judged,) = [update for update in check.updates if isinstance(update, Judged)]
        assert judged.checked.verdict is Verdict.DEADLOCK
        assert judged.checked.confirmed
        assert format_schedule(DEADLOCK_BY_CALL) == "a4bcde"
        check.ask(7, DEADLOCK_BY_CALL[:-1], Grain.CALL)
        until(lambda: isinstance(check.updates[-1], Foresaw))
        answer = check.updates[-1]
        assert isinstance(answer, Foresaw)
        assert answer.number == 7
        assert answer.foreseen is not None
        assert [str(it) for _, it in answer.foreseen.choices] == ["open", "doomed"]
    finally:
        check.close()
    assert not check._thread.is_alive()


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass\n",
        "from multiprocessing import Lock, Process\n"
        "def work(lock):\n"
        "    for n in range(1000):\n"
        "        with lock: print(n)\n"
        "if __name__ == '__main__':\n"
        "    lock = Lock()\n"
        "    for _ in range(9): Process(target=work, args=(lock,)).start()\n",
    ],
    ids=["no operation", "very many states"],
)
def test_nothing_is_left_of_a_check_that_is_stopped(tmp_path: Path, text: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(text)
    check = BackgroundCheck(load(path))
    until(lambda: check._checker is not None)
    assert check._checker is not None
    pid = check._checker._process.pid
    assert alive(pid)
    check.close()
    assert not alive(pid)
    assert not any(isinstance(update, BrokeOff) for update in check.updates)


DEADLOCK_BY_CALL = Replay("a4bcde").schedule
