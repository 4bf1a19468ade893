"""The catalogue: every folder of `puzzles/` that holds a `program.py` and a `puzzle.toml`.

The program is plain Python over `multiprocessing` and knows nothing of this file. The
toml holds what a person reads and what counts as reaching the goal; `Sheet` is its format.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, ValidationError, convert, structs

from syncsim.core.deadlock.verdict import Verdict

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]

#: The puzzle for somebody who has played none.
FIRST: Final = "ab-ba"


class PuzzleError(Exception):
    """A puzzle cannot be had; the message is one sentence: which file, which key, what to do."""


class Chapter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, order=True):
    """The chapter of the catalogue in which a puzzle stands."""

    number: Count
    title: Text


class Goal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The goal that the person is to reach."""

    kind: Literal["watch", "break"]
    """`watch`: see how a primitive behaves. `break`: be the scheduler, reach the verdict."""
    text: Text
    """The goal in one sentence; it stands on the stage while one plays."""
    verdict: Verdict | None = None
    """The bad verdict that wins a `break` puzzle."""
    par: Count | None = None
    """The least number of steps, by call, known to reach the verdict."""

    def __post_init__(self) -> None:
        if self.kind == "watch" and (self.verdict or self.par):
            raise ValueError("A goal of kind `watch` has no `verdict` and no `par`")
        if self.kind == "break" and self.verdict in (None, Verdict.FINISHED, Verdict.UNDECIDED):
            raise ValueError("A goal of kind `break` needs a bad `verdict`, as `deadlock`")


class Sheet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of `puzzle.toml`."""

    title: Text
    chapter: Chapter
    difficulty: Annotated[int, Meta(ge=1, le=5)]
    """From 1, the first evening, to 5, a boss fight."""
    story: Text
    look_for: Text
    goal: Goal
    hints: tuple[Text, ...] = ()
    """From the gentlest to the one that gives it away."""
    after: tuple[Text, ...] = ()
    """The puzzles, by slug, to play before this one; within its chapter they stand before it."""


class Puzzle(Sheet, frozen=True, kw_only=True):
    """A synchronization problem with a program that shows it and a goal."""

    slug: str
    """Its name on the command line, and the name of its folder."""
    program: Path

    def hint(self, number: int) -> str:
        """Return the hint of that number, counted from 1, as a sentence."""
        return f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}"


def load_puzzle(folder: Path) -> Puzzle:
    """Read one puzzle.

    Raises:
        PuzzleError: a file is missing, or `puzzle.toml` does not say what it must.
    """
    program, sheet = folder / "program.py", folder / "puzzle.toml"
    for file in (program, sheet):
        if not file.is_file():
            raise PuzzleError(f"There is no file {file}: add it, or remove the folder.")
    try:
        text = convert(tomllib.loads(sheet.read_text(encoding="utf-8")), Sheet)
    except ValidationError as error:
        raise PuzzleError(f"{sheet}: {_sentence(str(error))}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PuzzleError(f"{sheet} is not TOML ({error}): correct it.") from None
    except OSError as error:
        raise PuzzleError(f"{sheet} cannot be read ({error.strerror}): check the file.") from None
    return Puzzle(**structs.asdict(text), slug=folder.name, program=program)


def home() -> Path:
    """Return the folder of the puzzles: beside this file in a wheel, at the top of a checkout."""
    shipped = Path(__file__).with_name("catalogue")
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "puzzles"


@cache
def catalogue(root: Path | None = None) -> tuple[Puzzle, ...]:
    """Every puzzle under `root`, by chapter, then to watch before to break, then easy first.

    A puzzle that is to come `after` others of its chapter stands behind them.

    Raises:
        PuzzleError: a puzzle is broken.
    """
    folders = [sheet.parent for sheet in (root or home()).glob("*/puzzle.toml")]
    waiting = sorted(map(load_puzzle, folders), key=_order)
    _check_after(waiting)
    placed: list[Puzzle] = []
    while waiting:
        behind = {(puzzle.chapter, puzzle.slug) for puzzle in waiting}
        ready = (p for p in waiting if not any((p.chapter, slug) in behind for slug in p.after))
        puzzle = next(ready, None)
        if puzzle is None:
            slugs = ", ".join(puzzle.slug for puzzle in waiting)
            raise PuzzleError(f"Some of {slugs} are each to come after the other: correct `after`.")
        waiting.remove(puzzle)
        placed.append(puzzle)
    return tuple(placed)


def find(slug: str) -> Puzzle:
    """The puzzle of that name.

    Raises:
        PuzzleError: there is none.
    """
    puzzles = {puzzle.slug: puzzle for puzzle in catalogue()}
    if slug in puzzles:
        return puzzles[slug]
    raise PuzzleError(f"There is no puzzle {slug}: the puzzles are {', '.join(puzzles)}.")


def _check_after(puzzles: list[Puzzle]) -> None:
    slugs = {puzzle.slug for puzzle in puzzles}
    for puzzle in puzzles:
        for slug in puzzle.after:
            if slug not in slugs:
                sheet = puzzle.program.with_name("puzzle.toml")
                raise PuzzleError(f"{sheet}: `after` names no puzzle with {slug!r}: correct it.")


def _order(puzzle: Puzzle) -> tuple[Chapter, int, int, str]:
    kinds = ("watch", "break")
    return puzzle.chapter, kinds.index(puzzle.goal.kind), puzzle.difficulty, puzzle.title


def _sentence(complaint: str) -> str:
    """Return the validator's message, with the key in front and what to do at the end.

    It says, for instance, "Object missing required field `text` - at `$.goal`".
    """
    what, _, where = complaint.partition(" - at ")
    place = where.strip("`").removeprefix("$").lstrip(".")
    if field := re.search(r"field `(.+)`", what):
        key = f"{place}.{field[1]}" if place else field[1]
        if "missing" in what:
            return f"the key `{key}` is missing: add it."
        return f"there is no key `{key}` in a puzzle: remove it, or correct its spelling."
    return f"the key `{place}` is wrong: {what[0].lower()}{what[1:]}; correct it."
