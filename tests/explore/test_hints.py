"""What is said to whom no verdict can be given: where the program stands, and what may help."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import syncsim
from syncsim.checking.telling import told
from syncsim.explore import checker

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
TURNS = HERE / "checked" / "turns.py"
POOL = HERE / "pools" / "closed.py"
ENDLESS = HERE / "checked" / "eat_for_ever.py"


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        (TURNS, {"max_states": 3, "search": "graph"}, "--max-states raises the bound, --grain"),
        (TURNS, {"max_states": 3, "search": "dpor"}, "--max-states raises the bound, --grain"),
        (TURNS, {"max_depth": 3, "search": "graph"}, "--max-depth raises the bound, --grain"),
        (TURNS, {"max_states": 3, "search": "urw"}, "Samples prove nothing"),
        (TURNS, {"timeout": 1e-3}, "--timeout raises the bound, --grain"),
        (TURNS, {"max_states": 3, "grain": "call", "search": "graph"}, "--max-states raises the "),
        (TURNS, {"max_states": 3, "real": True}, "--max-states raises the bound."),
        (POOL, {"search": "dpor"}, "Take --search graph"),
    ],
)
def test_a_bound_that_was_met_can_be_raised(
    path: Path, options: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However late it begins, the search says itself that its time is up.
    monkeypatch.setattr(checker, "_GRACE", 60.0)
    checked = syncsim.check(path, **options)
    assert checked.verdict == "undecided", checked.explanation
    assert checked.hint.startswith(words)
    assert ("--grain call" in checked.hint) is (words.endswith("--grain"))
    assert checked.hint in told(checked)
    assert checked.as_dict()["hint"] == checked.hint


def test_what_came_to_a_verdict_needs_no_hint() -> None:
    assert syncsim.check(TURNS).hint == ""
    checked = syncsim.check(ENDLESS, first=True)
    assert checked.verdict == "deadlock"
    assert checked.hint == ""


@pytest.mark.parametrize(
    ("line", "why", "words"),
    [
        ("bytearray(10 << 30)", "4 GB of memory", "Try a smaller input"),
        ("import random; random.random()", "random numbers", "With a seed"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV", "With --real"),
    ],
)
def test_the_hint_fits_why_it_stopped(tmp_path: Path, line: str, why: str, words: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(f"{line}\n")
    checked = syncsim.check(path)
    assert checked.verdict == "undecided"
    assert why in checked.explanation
    assert checked.hint.startswith(words)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("import subprocess\n\nsubprocess.run(['true'])\n", "subprocess.run (program.py, line 3)"),
        ("import other\n\nother.go()\n", "os.fork (other.py, line 4)"),
        (
            "from multiprocessing import Process\nfrom multiprocessing.connection import Client\n"
            "def work():\n    print('begins')\n    Client('x')\n"
            "if __name__ == '__main__':\n    Process(target=work).start()\n",
            "multiprocessing.connection.Client (program.py, line 5)",
        ),
        (
            "from multiprocessing import Queue\n\nclass Item:\n    def __getstate__(self):\n"
            "        Queue().put(1)\n\nif __name__ == '__main__':\n    Queue().put(Item())\n",
            "(program.py, line 5)",
        ),
    ],
    ids=["main", "another module", "a child", "an item"],
)
@pytest.mark.parametrize("options", [{}, {"search": "dpor", "jobs": 2}], ids=["both", "jobs"])
def test_what_is_not_in_the_virtual_world_is_told_with_its_line(
    tmp_path: Path, text: str, where: str, options: dict[str, Any]
) -> None:
    (tmp_path / "other.py").write_text("import os\n\ndef go():\n    os.fork()\n")
    path = tmp_path / "program.py"
    path.write_text(text)
    checked = syncsim.check(path, **options)
    assert checked.verdict == "undecided"
    assert f"{where}, which is not in the virtual world." in checked.explanation
    assert checked.hint.startswith("With --real")
    assert os.fspath(tmp_path) not in checked.explanation


SLOW_TO_BEGIN = """
import resource
from multiprocessing import Lock, Process
def work(a, b):
    for _ in range(3):
        with a, b: pass
if __name__ == "__main__":
    while resource.getrusage(resource.RUSAGE_SELF).ru_utime < {seconds}: pass
    a, b = Lock(), Lock()
    for _ in range(3): Process(target=work, args=(a, b)).start()
"""


@pytest.mark.parametrize(("seconds", "verdict"), [(0, "finished"), (3, "undecided")])
def test_what_the_program_takes_before_it_can_be_searched_is_time_of_the_search(
    tmp_path: Path, seconds: int, verdict: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(SLOW_TO_BEGIN.format(seconds=seconds))
    checked = syncsim.check(path, search="graph", timeout=2.5 if seconds else 60)
    assert checked.verdict == verdict, checked.explanation
    assert not seconds or "2.5 s" in checked.explanation
