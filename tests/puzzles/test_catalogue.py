"""A puzzle says what it must, or the catalogue says what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from syncsim.core.deadlock.verdict import Verdict
from syncsim.puzzles.catalogue import Chapter, Goal, PuzzleError, catalogue, find, load_puzzle

SHEET = """\
title = "Two doors"
difficulty = 2
story = "Ada and Bob meet at two doors."
look_for = "See who holds which door."

[chapter]
number = 4
title = "Deadlocks"

[goal]
kind = "break"
text = "Be the scheduler and make both wait for ever."
verdict = "deadlock"
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the folder of a puzzle with this sheet."""

    def write(sheet: str = SHEET, slug: str = "two-doors") -> Path:
        folder = tmp_path / slug
        folder.mkdir()
        (folder / "program.py").write_text("pass\n")
        (folder / "puzzle.toml").write_text(sheet)
        return folder

    return write


def complaint(folder: Path) -> str:
    """The sentence with which the puzzle is refused."""
    with pytest.raises(PuzzleError) as refused:
        load_puzzle(folder)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert str(folder) in sentence
    return sentence.removeprefix(f"{folder}/puzzle.toml")


def test_a_puzzle_is_what_its_sheet_says(write: Write) -> None:
    folder = write()
    puzzle = load_puzzle(folder)
    assert puzzle.slug == "two-doors"
    assert puzzle.title == "Two doors"
    assert puzzle.chapter == Chapter(number=4, title="Deadlocks")
    assert puzzle.difficulty == 2
    assert puzzle.story == "Ada and Bob meet at two doors."
    assert puzzle.look_for == "See who holds which door."
    assert puzzle.goal == Goal(
        kind="break",
        text="Be the scheduler and make both wait for ever.",
        verdict=Verdict.DEADLOCK,
    )
    assert puzzle.hints == ()
    assert puzzle.program == folder / "program.py"


def test_hints_and_par_may_be_told(write: Write) -> None:
    puzzle = load_puzzle(write('hints = ["Look.", "Wait."]\n' + SHEET + "par = 6\n"))
    assert puzzle.hints == ("Look.", "Wait.")
    assert puzzle.goal.par == 6


def test_a_missing_file_is_named(write: Write) -> None:
    folder = write()
    (folder / "program.py").unlink()
    assert complaint(folder) == (
        f"There is no file {folder}/program.py: add it, or remove the folder."
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "There is no file" in complaint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "Two doors"\n', "", ": the key `title` is missing: add it."),
        ("number = 4\n", "", ": the key `chapter.number` is missing: add it."),
        (
            'text = "Be the scheduler and make both wait for ever."\n',
            "",
            ": the key `goal.text` is missing: add it.",
        ),
        (
            "difficulty = 2",
            "difficulty = 2\ncolour = 1",
            ": there is no key `colour` in a puzzle: remove it, or correct its spelling.",
        ),
        (
            "[goal]",
            "[goal]\nprize = 1",
            ": there is no key `goal.prize` in a puzzle: remove it, or correct its spelling.",
        ),
        (
            "difficulty = 2",
            'difficulty = "hard"',
            ": the key `difficulty` is wrong: expected `int`, got `str`; correct it.",
        ),
        (
            "difficulty = 2",
            "difficulty = 6",
            ": the key `difficulty` is wrong: expected `int` <= 5; correct it.",
        ),
        (
            'title = "Two doors"',
            'title = ""',
            ": the key `title` is wrong: expected `str` of length >= 1; correct it.",
        ),
        (
            'kind = "break"',
            'kind = "sing"',
            ": the key `goal.kind` is wrong: invalid enum value 'sing'; correct it.",
        ),
        (
            '"deadlock"',
            '"boredom"',
            ": the key `goal.verdict` is wrong: invalid enum value 'boredom'; correct it.",
        ),
        (
            'verdict = "deadlock"\n',
            "",
            ": the key `goal` is wrong: a goal of kind `break` needs a bad `verdict`, "
            "as `deadlock`; correct it.",
        ),
        (
            '"deadlock"',
            '"finished"',
            ": the key `goal` is wrong: a goal of kind `break` needs a bad `verdict`, "
            "as `deadlock`; correct it.",
        ),
        (
            'kind = "break"',
            'kind = "watch"',
            ": the key `goal` is wrong: a goal of kind `watch` has no `verdict` and no `par`; "
            "correct it.",
        ),
    ],
)
def test_a_wrong_key_is_named_with_what_to_do(
    write: Write, old: str, new: str, sentence: str
) -> None:
    assert old in SHEET
    assert complaint(write(SHEET.replace(old, new))) == sentence


@pytest.mark.parametrize("sheet", ["title = ", "title = 'a'\ntitle = 'b'", "\0"])
def test_a_sheet_that_is_no_toml_is_refused(write: Write, sheet: str) -> None:
    assert complaint(write(sheet)).startswith(" is not TOML")


def test_a_sheet_that_is_no_text_is_refused(write: Write) -> None:
    folder = write()
    (folder / "puzzle.toml").write_bytes(b"title = '\xff'")
    assert complaint(folder).startswith(" is not TOML")


def test_the_catalogue_goes_by_chapter_then_kind_then_difficulty(
    write: Write, tmp_path: Path
) -> None:
    watch = SHEET.replace('"break"', '"watch"').replace('verdict = "deadlock"\n', "")
    write(SHEET.replace("number = 4", "number = 10"), "late")
    write(SHEET.replace("difficulty = 2", "difficulty = 1"), "easy")
    write(SHEET, "hard")
    write(watch, "watch")
    assert [puzzle.slug for puzzle in catalogue(tmp_path)] == ["watch", "easy", "hard", "late"]


def test_within_a_chapter_a_puzzle_stands_after_those_it_names(
    write: Write, tmp_path: Path
) -> None:
    write('after = ["hard", "late"]\n' + SHEET.replace("difficulty = 2", "difficulty = 1"), "easy")
    write(SHEET, "hard")
    write(SHEET.replace("difficulty = 2", "difficulty = 3"), "harder")
    write('after = ["easy"]\n' + SHEET.replace("number = 4", "number = 5"), "late")
    slugs = [puzzle.slug for puzzle in catalogue(tmp_path)]
    assert slugs == ["hard", "easy", "harder", "late"]


def test_an_order_that_cannot_be_is_refused(write: Write, tmp_path: Path) -> None:
    write('after = ["two"]\n' + SHEET, "one")
    write('after = ["one"]\n' + SHEET, "two")
    with pytest.raises(PuzzleError, match="one, two are each to come after the other"):
        catalogue(tmp_path)


def test_a_puzzle_cannot_come_after_one_that_is_not_there(write: Write, tmp_path: Path) -> None:
    write('after = ["nowhere"]\n' + SHEET)
    with pytest.raises(PuzzleError, match=r"puzzle.toml: `after` names no puzzle with 'nowhere'"):
        catalogue(tmp_path)


def test_a_folder_without_a_sheet_is_no_puzzle(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    assert catalogue(tmp_path) == ()


def test_a_puzzle_is_found_by_its_slug() -> None:
    assert find("ab-ba").title == "Two accounts, two locks"


@pytest.mark.parametrize("slug", ["", "nowhere", "../puzzles/ab-ba", "ab-ba/", "/", "\0"])
def test_an_unknown_slug_is_refused_with_what_there_is(slug: str) -> None:
    with pytest.raises(PuzzleError, match="There is no puzzle"):
        find(slug)


def test_the_catalogue_is_read_without_a_screen_or_a_process() -> None:
    code = (
        "import sys; from syncsim.puzzles.catalogue import catalogue; catalogue();"
        "sys.exit(bool({'textual', 'multiprocessing', 'asyncio'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
