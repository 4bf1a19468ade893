"""The gallery."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from staging import SMALL, staged

from syncsim.puzzles.catalogue import FIRST, catalogue, find
from syncsim.ui.screens.gallery import GalleryScreen
from syncsim.ui.screens.stage_screen import StageScreen


async def test_it_shows_every_puzzle_and_what_the_one_to_begin_with_is_about() -> None:
    async with staged(None) as staging:
        text = staging.text
        for puzzle in catalogue():
            assert puzzle.title[:28] in text
        assert "What to look for" in text
        assert find(FIRST).goal.text in text
        assert text.count("begin here") == 1
        assert "begin here" not in await staging.press("down")


async def test_the_one_to_begin_with_is_chosen_wherever_it_stands() -> None:
    assert catalogue()[0].slug != FIRST
    async with staged(None, SMALL) as staging:
        gallery = staging.app.screen
        assert isinstance(gallery, GalleryScreen)
        assert gallery.chosen == find(FIRST)
        await staging.press("slash", *"philos")
        assert gallery.chosen == find("dining-philosophers")
        await staging.press("escape")
        assert gallery.chosen == find(FIRST)
        await staging.press("enter")
        assert find(FIRST).title in staging.text


async def test_searching_filters_while_one_types() -> None:
    async with staged(None) as staging:
        text = await staging.press("slash", *"philos")
        assert "Dining philosophers" in text
        assert "Producer and consumer" not in text
        assert "Be the scheduler" in text


async def test_a_search_without_a_hit_says_so_and_escape_shows_all_again() -> None:
    async with staged(None) as staging:
        assert "No puzzle has these words" in await staging.press("slash", *"xyzzy")
        text = await staging.press("escape")
        assert all(puzzle.title[:28] in text for puzzle in catalogue())


async def test_a_primitive_is_a_word_to_search_for() -> None:
    async with staged(None) as staging:
        text = await staging.press("slash", *"semaphore")
        assert "Dining philosophers" not in text


async def test_enter_plays_the_chosen_puzzle() -> None:
    async with staged(None) as staging:
        await staging.press("down", "enter")
        assert isinstance(staging.app.screen, StageScreen)
        assert find("dining-philosophers").goal.text in staging.text


async def test_enter_in_the_search_plays_the_first_hit() -> None:
    async with staged(None) as staging:
        await staging.press("slash", *"philos", "enter")
        assert isinstance(staging.app.screen, StageScreen)
        assert "Dining philosophers" in staging.text


async def test_whoever_comes_back_from_a_hit_chooses_in_the_list() -> None:
    async with staged(None) as staging:
        await staging.press("slash", *"philos", "enter", "q")
        assert isinstance(staging.app.screen, GalleryScreen)
        assert "q quit" in staging.text
        await staging.press("q")
    assert staging.app.return_code == 0


async def test_while_one_types_the_keys_are_those_of_the_field() -> None:
    async with staged(None) as staging:
        last = (await staging.press("slash")).split("\n")[-1]
        assert "⏎ play" in last
        assert "esc back to the list" in last
        assert "q quit" not in last
        assert "q quit" in (await staging.press("escape")).split("\n")[-1]
        assert "⏎ open" in (await staging.press("o")).split("\n")[-1]


async def test_a_bad_path_is_answered_with_a_sentence() -> None:
    async with staged(None) as staging:
        text = await staging.press("o", *"nowhere.py", "enter")
        assert "There is no file nowhere.py" in text
        assert isinstance(staging.app.screen, GalleryScreen)


async def test_a_file_of_ones_own_is_put_on_the_stage(tmp_path: Path) -> None:
    file = tmp_path / "p.py"
    file.write_text("print('hello')\n")
    async with staged(None, SMALL) as staging:
        await staging.press("o")
        for character in str(file):
            await staging.pilot.press("slash" if character == "/" else character)
        await staging.press("enter")
        assert isinstance(staging.app.screen, StageScreen)
        assert "p.py" in staging.text


async def test_hostile_file_names_are_no_markup(tmp_path: Path) -> None:
    async with staged(None) as staging:
        staging.app.screen.query_one("#puzzles")
        assert isinstance(staging.app.screen, GalleryScreen)
        staging.app.screen.complain("[/foo] \x1b[31m[@click=app.quit]no[/]")
        assert "[/foo] [@click=app.quit]no[/]" in await staging.drawn()


async def test_q_quits() -> None:
    async with staged(None) as staging:
        await staging.press("q")
    assert staging.app.return_code == 0


async def test_q_and_o_are_letters_while_one_types() -> None:
    async with staged(None) as staging:
        await staging.press("slash", *"qo")
        assert staging.app.is_running
        assert isinstance(staging.app.screen, GalleryScreen)


def test_the_first_screen_does_not_wait_for_what_only_the_stage_needs() -> None:
    code = "import sys, syncsim.ui.app, syncsim.ui.screens.gallery; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    late = {"syncsim.ui.screens.stage_screen", "syncsim.session.playing", "syncsim.core.live"}
    assert late.isdisjoint(loaded)
    assert not any(name.startswith(("syncsim.real", "multiprocessing")) for name in loaded)
