"""The programs are plain Python, run by themselves, and can be read at a glance."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass

import pytest

from syncsim.core.deadlock.verdict import Verdict
from syncsim.program.source import load
from syncsim.puzzles.catalogue import Puzzle, catalogue

WATCH = [
    "producer-consumer",
    "bounded-resource",
    "two-phase-handshake",
    "readers-writers",
    "exchange",
]
BREAK = ["lost-update", "ab-ba", "dining-philosophers", "if-instead-of-while"]

PUZZLES = catalogue()

UNDER = """\
import multiprocessing, runpy, sys
multiprocessing.set_start_method(sys.argv[1])
runpy.run_path(sys.argv[2], run_name="__main__")
"""

each_puzzle = pytest.mark.parametrize("puzzle", PUZZLES, ids=lambda puzzle: puzzle.slug)
each_start_method = pytest.mark.parametrize(
    "method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)]
)


@dataclass(frozen=True)
class Run:
    """How a program ended under plain Python: no exit code when it hangs."""

    exitcode: int | None
    output: str
    errors: str


def run(puzzle: Puzzle, method: str, deadline: float) -> Run:
    """Run the program without syncsim, for at most `deadline` seconds."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", UNDER, method, puzzle.program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=deadline)
        return Run(process.returncode, output, errors)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        return Run(None, output, errors)


def test_the_catalogue_has_some_to_watch_and_some_to_break() -> None:
    assert [puzzle.slug for puzzle in PUZZLES if puzzle.goal.kind == "watch"] == WATCH
    assert [puzzle.slug for puzzle in PUZZLES if puzzle.goal.kind == "break"] == BREAK


def test_a_chapter_has_one_title() -> None:
    titles = defaultdict(set)
    for puzzle in PUZZLES:
        titles[puzzle.chapter.number].add(puzzle.chapter.title)
    assert all(len(of_a_number) == 1 for of_a_number in titles.values())


@each_start_method
@each_puzzle
def test_a_program_runs_by_itself(puzzle: Puzzle, method: str) -> None:
    may_hang = puzzle.goal.verdict is Verdict.DEADLOCK
    ended = run(puzzle, method, deadline=3 if may_hang else 30)
    if puzzle.goal.verdict is Verdict.ASSERTION and ended.errors:
        assert "AssertionError" in ended.errors
        assert ended.exitcode in (0, 1)
    else:
        assert ended.errors == ""
        assert ended.exitcode in ((0, None) if may_hang else (0,))


@each_puzzle
def test_a_program_knows_nothing_of_syncsim(puzzle: Puzzle) -> None:
    tree = ast.parse(load(puzzle.program).text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    assert all(isinstance(node, ast.ImportFrom) for node in imports)
    assert "multiprocessing" in modules
    assert modules <= {"multiprocessing", "time"}


@each_puzzle
def test_a_program_can_be_read_at_a_glance(puzzle: Puzzle) -> None:
    text = load(puzzle.program).text
    lines = text.splitlines()
    assert 20 <= len(lines) <= 45
    assert max(map(len, lines)) <= 80
    assert ast.get_docstring(ast.parse(text))
    assert text.endswith('if __name__ == "__main__":\n    main()\n')


@each_puzzle
def test_every_process_has_a_name(puzzle: Puzzle) -> None:
    births = [
        node
        for node in ast.walk(ast.parse(load(puzzle.program).text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Process"
    ]
    assert births
    assert all("name" in {keyword.arg for keyword in birth.keywords} for birth in births)


@each_puzzle
def test_a_puzzle_speaks_calmly(puzzle: Puzzle) -> None:
    words = (puzzle.title, puzzle.story, puzzle.look_for, puzzle.goal.text, *puzzle.hints)
    assert not any("!" in text or "\n" in text or "  " in text for text in words)
    assert puzzle.hints
