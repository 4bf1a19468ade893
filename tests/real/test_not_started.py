"""A run that cannot begin says so, and is no success."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from running import wait_for

from syncsim.cli import main
from syncsim.core.live import Broken, Update
from syncsim.core.scheduler import RoundRobin
from syncsim.explore import worker  # noqa: F401  (which a Python without a home cannot find)
from syncsim.program.source import load
from syncsim.session.monitor import Monitor

COMMANDS = (
    ("run",),
    ("run", "--scheduler", "round-robin"),
    ("run", "--json"),
    ("check",),
    ("check", "--real"),
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    path = tmp_path / "program.py"
    path.write_text("import multiprocessing\nprint('begun')")
    return path


def assert_told(words: tuple[str, ...], program: Path, capfd: pytest.CaptureFixture[str]) -> str:
    command, *options = words
    assert main([command, *options, str(program)]) == 2
    out, err = capfd.readouterr()
    assert "finished" not in out
    (line,) = [line for line in err.splitlines() if line.startswith("syncsim: ")]
    assert " was not started: " in line
    assert sys.executable in line
    assert list((program.parent / "room").iterdir()) == []
    return line


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_python_that_cannot_begin_is_told_with_what_it_says(
    words: tuple[str, ...],
    program: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    line = assert_told(words, program, capfd)
    assert "it ended with exit code 1 before it began; it said: " in line
    assert "No module named 'encodings'" in line


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_python_that_is_gone_is_told(
    words: tuple[str, ...],
    program: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "No such file or directory" in assert_told(words, program, capfd)


def test_what_it_says_is_cleaned_of_escapes(
    program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nprintf '\\033[31mno\\007 room\\033[0m\\n\\n' >&2\nexit 7\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    line = assert_told(("run",), program, capfd)
    assert "it ended with exit code 7 before it began; it said: no room." in line


def test_the_stage_is_told(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monitor = Monitor(load(program), RoundRobin())
    seen: list[Update] = []

    def broken() -> list[Broken]:
        while monitor.updates:
            seen.append(monitor.updates.popleft())
        return [update for update in seen if isinstance(update, Broken)]

    try:
        (update,) = wait_for(broken)
        assert "the program was not started: " in update.message
        assert "No module named 'encodings'" in update.message
    finally:
        monitor.close()
