"""A run is the same whether it is watched or not: exit code, output, tracebacks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, METHODS, PROGRAMS, PROJECT, Told, tell

NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))
#: Enough to see that a child which is a new interpreter has joined the run.
ALSO_SPAWNED = (("spawn", "locks"), ("spawn", "messages"), ("forkserver", "messages"))
#: By line, not by character: how Python writes to a pipe when nobody asked for more.
ENVIRONMENT = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}

each_program = pytest.mark.parametrize("name", NAMES)
some_methods = pytest.mark.parametrize("method", METHODS)


@dataclass(frozen=True)
class Plain:
    """What the program does under plain Python."""

    exitcode: int
    stdout: list[str]
    stderr: list[str]


def lines(text: str) -> list[str]:
    """Sorted, since processes take turns as they like; without what differs by nature."""
    return sorted(re.sub(r"0x[0-9a-f]{6,}", "0x…", line) for line in text.splitlines())


@cache
def plain(name: str, method: str) -> Plain:
    ended = subprocess.run(
        [sys.executable, PROGRAMS / f"{name}.py", method],
        input="from stdin",
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=3 * DEADLINE,
        check=False,
        cwd=PROGRAMS,
        env=ENVIRONMENT,
    )
    return Plain(ended.returncode, lines(ended.stdout), lines(ended.stderr))


def watched(name: str, method: str, scheduler: str, stdin: Path) -> Told:
    stdin.write_text("from stdin")
    with stdin.open() as file:
        return tell(
            PROGRAMS / f"{name}.py",
            "--scheduler",
            scheduler,
            "--timeout",
            2 * DEADLINE,
            "--",
            method,
            cwd=PROGRAMS,
            env=ENVIRONMENT | {"PYTHONPATH": str(PROJECT)},
            stdin=file,
        )


def assert_same(told: Told, expected: Plain) -> None:
    assert lines(told.text("stdout")) == expected.stdout, told.verdict
    assert lines(told.text("stderr")) == expected.stderr, told.verdict
    assert told.process("main")["exitcode"] == expected.exitcode, told.verdict
    assert told.verdict["verdict"] in ("finished", "crash")


@either("scheduler", ["os", "round-robin"])
@some_methods
@each_program
def test_a_program_does_as_under_plain_python(
    name: str, method: str, scheduler: str, tmp_path: Path
) -> None:
    assert_same(watched(name, method, scheduler, tmp_path / "stdin"), plain(name, method))


@either("scheduler", ["os", "round-robin"])
@pytest.mark.parametrize(("method", "name"), ALSO_SPAWNED)
def test_a_program_whose_children_are_new_interpreters_does_as_under_plain_python(
    name: str, method: str, scheduler: str, tmp_path: Path
) -> None:
    assert_same(watched(name, method, scheduler, tmp_path / "stdin"), plain(name, method))


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["random:1", "random:2", "random:3"])
@each_program
def test_a_program_in_any_order_does_as_under_plain_python(
    name: str, scheduler: str, tmp_path: Path
) -> None:
    assert_same(watched(name, "fork", scheduler, tmp_path / "stdin"), plain(name, "fork"))
