"""The words about a puzzle: in the gallery, at its beginning on the stage, and in the help."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from textual.content import Content

from syncsim.puzzles.catalogue import FIRST, Puzzle
from syncsim.ui.look import KINDS, ascii_only, clean, shown

_PRIMITIVES = re.compile(
    r"\b(Lock|RLock|Semaphore|BoundedSemaphore|Condition|Event|Barrier|Queue|JoinableQueue"
    r"|SimpleQueue|Pipe|Value|Array|Manager|Pool|Process)\("
)

#: What to do first, by the kind of the goal.
_BEGIN = {
    "watch": "Press s to make one step, space to play.",
    "break": "You choose who goes: ↑↓ picks a process, ⏎ makes its next step.",
}


def about(puzzle: Puzzle) -> Content:
    """All that is said about a puzzle before one plays it."""
    glyph, plain, word = KINDS[puzzle.goal.kind]
    full, empty = ("*", ".") if ascii_only() else ("★", "☆")
    stars = full * puzzle.difficulty + empty * (5 - puzzle.difficulty)
    par = f"  par {puzzle.goal.par} steps" if puzzle.goal.par else ""
    parts: list[Content] = [
        Content.styled(shown(clean(puzzle.title)), "bold $foreground"),
        Content.assemble(
            (f"{plain if ascii_only() else glyph} {word}", "$accent"),
            (f"   {stars}", "$quiet"),
            "   begin here" if puzzle.slug == FIRST else "",
        ),
        Content(""),
        Content(shown(clean(puzzle.story).strip())),
        Content(""),
        Content.styled("Goal", "$accent"),
        Content.assemble(shown(clean(puzzle.goal.text)), (par, "$quiet")),
        Content(""),
        Content.styled("What to look for", "$accent"),
        Content(shown(clean(puzzle.look_for).strip())),
    ]
    used = primitives(puzzle.program)
    if used:
        parts += [
            Content(""),
            Content.styled("Made of", "$accent"),
            Content("  ".join(used)),
        ]
    return Content("\n").join(parts)


def opening(puzzle: Puzzle | None) -> Content:
    """Return the words on the stage before the first step: the story, and how to begin."""
    if puzzle is None:
        return Content.styled(shown("Nothing yet: press s to step, space to play."), "$quiet")
    parts = [
        Content(shown(clean(puzzle.story).strip())),
        Content(shown(clean(puzzle.look_for).strip())),
        Content.styled(shown(_BEGIN[puzzle.goal.kind]), "$quiet"),
    ]
    return Content("\n\n").join(parts)


@cache
def primitives(program: Path) -> tuple[str, ...]:
    """The kinds of primitives that the program creates, in order of appearance."""
    try:
        text = program.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(dict.fromkeys(_PRIMITIVES.findall(text)))
