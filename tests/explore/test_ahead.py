"""The process that searches begins ahead of its request, and what asks it is small."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from test_counts import PROGRAMS

from syncsim.explore import ahead
from syncsim.explore.bounds import SEARCHES, Bounds
from syncsim.explore.checker import Checker
from syncsim.explore.request import Request
from syncsim.explore.search.exhaustive import search
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System

PROGRAM = str(PROGRAMS / "locked_counter.py")


def says(code: str) -> str:
    """Return what a new interpreter prints."""
    words = [sys.executable, "-c", code]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_process_that_was_started_ahead_serves_the_request() -> None:
    with ahead.started(wanted=True) as process:
        assert process is not None
        with Checker(Request(PROGRAM, ("2",)), process) as checker:
            report = checker.search(lambda report: None)
        assert report.over
        assert report.complete
        assert not report.failures
    assert process.returncode is not None


def test_a_process_that_nobody_asks_is_ended() -> None:
    with ahead.started(wanted=True) as process:
        assert process is not None
        assert process.poll() is None
    assert process.returncode == -9


def test_no_process_is_started_where_none_is_wanted_or_none_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ahead.started(wanted=False) as process:
        assert process is None
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with ahead.started(wanted=True) as process:
        assert process is None


def test_the_process_is_started_before_anything_slow_is_imported() -> None:
    loaded = says(
        "import sys; from syncsim.cli import main\n"
        "from syncsim.explore import ahead\n"
        "def start(): print(*sys.modules); sys.exit(0)\n"
        "ahead.start = start\n"
        f"main(['check', {PROGRAM!r}])"
    ).split()
    slow = "msgspec", "multiprocessing", "syncsim.program.source"
    assert "syncsim.cli" in loaded
    assert not {*slow} & {*loaded}


def test_who_asks_imports_nothing_of_the_search() -> None:
    loaded = says("import sys, syncsim.checking.command; print(*sys.modules)").split()
    ours = [name for name in loaded if name.startswith("syncsim.")]
    assert "syncsim.explore.request" in ours
    assert not [name for name in ours if name.startswith(("syncsim.virtual", "syncsim.real"))]
    assert not {"syncsim.explore.worker", "syncsim.explore.search.dpor"} & {*ours}


def test_the_library_is_not_compiled_once_more() -> None:
    unkept = set()
    for name in ("process", "context", "synchronize", "queues", "pool", "managers"):
        spec = importlib.util.find_spec(f"multiprocessing.{name}")
        assert spec is not None
        if spec.cached is None or not Path(spec.cached).is_file():
            unkept.add(spec.origin)  # Python may not write there
    assert len(unkept) < 6
    compiled = says(
        "import sys; from syncsim.virtual.stdlib import library\n"
        "def hear(event, given):\n"
        "    if event == 'compile' and 'multiprocessing' in str(given[1]): print(given[1])\n"
        "sys.addaudithook(hear); library.library()"
    )
    assert {*compiled.splitlines()} <= unkept


@pytest.mark.parametrize("kind", SEARCHES)
def test_each_search_is_there_under_its_name(kind: str) -> None:
    system = System(VirtualProgram(load(PROGRAM, ("2",))).main())
    outcome, _ = next(search(system, kind, Bounds()))
    assert outcome.transitions
