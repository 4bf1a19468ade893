"""Who goes round in steps that nobody else can tell the time of is in a circle like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

import syncsim
from syncsim.core.deadlock.verdict import Verdict

pytestmark = pytest.mark.once

PROGRAM = """
import time
from multiprocessing import Event, Process

def work(stop, me):
    {work}

if __name__ == "__main__":
    stop = Event()
    child = Process(target=work, args=(stop, 0), daemon={daemon})
    child.start()
    {main}
"""
SLEEPS = "while True: time.sleep(1)"
ENDED = "child.terminate(); child.join(); assert child.exitcode == -15"


@pytest.mark.parametrize(
    ("work", "main"),
    [
        (SLEEPS, ENDED),
        (f"stop.set(); {SLEEPS}".replace("; while", "\n    while"), f"stop.wait(); {ENDED}"),
        ("while True:\n        for each in 1, 2: time.sleep(each)", ENDED),
        ("while not stop.is_set():\n        for _ in 1, 2: time.sleep(1)", "stop.set()"),
        ("while True: print(me)", ENDED),
    ],
    ids=["sleeps", "says so before", "sleeps in turns", "looks between", "prints"],
)
def test_a_circle_of_sleeps_has_finitely_many_states(tmp_path: Path, work: str, main: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(work=work, main=main, daemon=False))
    checked = syncsim.check(program)
    assert checked.verdict is Verdict.FINISHED, checked.explanation
    assert checked.complete


def test_what_prints_something_else_for_ever_meets_a_bound(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    work = "while True:\n        print(me)\n        me += 1"
    program.write_text(PROGRAM.format(work=work, main="child.join()", daemon=True))
    checked = syncsim.check(program, max_states=20, search="graph")
    assert checked.verdict is Verdict.UNDECIDED
    assert "20 states" in checked.explanation
