"""The progress line: what it says, that it never breaks, and that only a terminal sees it."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from syncsim.explore.progress import Progress, line
from syncsim.explore.request import Report

pytestmark = pytest.mark.once

STATES = Report("graph", states=750, transitions=3_000, depth=12, frontier=250, seconds=2.0)
EXECUTIONS = Report("dpor", states=900, transitions=900, executions=40, frontier=7, seconds=3.0)
PROGRAM = Path(__file__).parent / "checked" / "eat_for_ever.py"


def test_of_states_the_share_of_the_known_is_told() -> None:
    told = line(STATES, 60.0, 79)
    assert told == "graph: 750 states, 75% of those known, 58 s left, 1,500 steps/s, depth 12"


def test_of_executions_what_is_open_is_told() -> None:
    told = line(EXECUTIONS, 60.0, 79)
    assert told == "dpor: 40 executions, 7 branches open, 57 s left, 300 steps/s, depth 0"


@pytest.mark.parametrize("columns", [10, 30, 79])
def test_the_line_never_breaks(columns: int) -> None:
    huge = Report("portfolio", executions=10**12, transitions=10**15, frontier=10**9, seconds=0.1)
    assert 0 < len(line(huge, 1e9, columns)) <= columns


def test_of_two_searches_the_one_by_states_is_told_while_it_goes_on() -> None:
    out = io.StringIO()
    progress = Progress(out, 60.0)
    for report in (STATES, EXECUTIONS, Report("dpor", executions=41, seconds=30.0)):
        progress.show(report)
    progress.clear()
    drawn = out.getvalue().split("\r\x1b[K")
    assert [one[:6] for one in drawn] == ["", "graph:", "graph:", "dpor: ", ""]


def _check(*options: str, piped: bool = False) -> tuple[str, str]:
    """What a terminal of 80 columns sees on stderr, and what is read from stdout."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    worker = subprocess.Popen(
        [sys.executable, "-m", "syncsim", "check", str(PROGRAM), *options],
        stdin=theirs,
        stdout=subprocess.PIPE if piped else theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    seen, read = b"", b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # nobody has the other end open any more
            break
        if not data:
            break
        seen += data
    os.close(ours)
    if worker.stdout is not None:
        read = worker.stdout.read()
        worker.stdout.close()
    assert worker.wait(60) == 1
    return seen.decode(), read.decode()


def test_a_terminal_sees_it_and_is_left_clean() -> None:
    seen, _ = _check()
    before, _, after = seen.rpartition("\r\x1b[K")
    assert "replaying" in before
    assert all(len(drawn) < 80 for drawn in before.split("\r\x1b[K"))
    assert after.startswith("deadlock\r\n")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nobody_sees_it_through_a_pipe(options: tuple[str, ...]) -> None:
    seen, read = _check(*options, piped=True)
    assert seen == ""
    assert "deadlock" in read


def test_json_on_a_terminal_is_one_object() -> None:
    seen, _ = _check("--json")
    assert seen.startswith("{")
    assert "\x1b" not in seen
