"""The figures of the code are counted rightly, and printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from figures import CROWDED_CLASS, Figures, figures_of

pytestmark = pytest.mark.once

SOURCE = '''\
"""Whether it rains: a docstring of a module."""

# A comment is no code.
def one_way(a):
    """Return it."""
    return a  # nor is this one


def five_ways(a, b, c):
    if a and b and c:
        for one in a:
            print("""text
            of two lines""")

    def inner():
        while b:
            pass
    return inner
'''


def figures(source: str) -> Figures:
    counted = Figures()
    counted.add(source, "made_up.py")
    return counted


def test_a_source_is_counted() -> None:
    counted = figures(SOURCE)
    assert counted.files == 1
    assert counted.code_lines == 11
    assert counted.comments == 2
    assert (counted.docstrings, counted.vague_docstrings) == (2, 1)
    assert counted.branches == 5
    ways = {measured.name: (measured.complexity, measured.length) for measured in counted.functions}
    assert ways == {
        "made_up.py: one_way": (1, 3),
        "made_up.py: five_ways": (5, 10),
        "made_up.py: inner": (2, 3),
    }


def test_a_class_a_file_and_a_function_stand_out_from_the_first_line_too_many() -> None:
    def crowd(methods: int) -> str:
        return "class Crowd:\n" + "".join(f"    def m{n}(s): ...\n" for n in range(methods))

    assert figures(crowd(CROWDED_CLASS - 1)).crowded_classes == []
    assert figures(crowd(CROWDED_CLASS)).crowded_classes == ["made_up.py: Crowd (38)"]
    assert figures("a = 1\n" * 500).long_files == []
    assert figures("a = 1\n" * 501).long_files == ["made_up.py (501)"]
    branching = "def f(a):\n" + "    if a: pass\n" * 10
    assert "  11    made_up.py: f (11 lines)" in "\n".join(figures(branching).lines())


def test_the_figures_of_a_folder_are_printed(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "made_up.py").write_text(SOURCE)
    (tmp_path / "other.py").write_text("a = 1\n")
    assert figures_of(tmp_path).code_lines == 12
    script = Path(__file__).with_name("figures.py")
    printed = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line.split()[-1] for line in printed[:2]] == ["2", "12"]


def test_a_folder_without_functions_has_figures() -> None:
    assert list(Figures().lines())
