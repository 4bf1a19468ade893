"""Each Python that is supported has a table of where it keeps what belongs to a frame."""

from __future__ import annotations

import dis
import sys
from pathlib import Path

import pytest

import syncsim
from syncsim.checking.telling import told
from syncsim.core.pythons import TRIED
from syncsim.virtual.process.frames import can_read
from syncsim.virtual.process.layouts import CALLS, LAYOUTS


def test_every_python_that_was_tried_has_a_table() -> None:
    assert set(LAYOUTS) == set(TRIED)


def test_this_python_has_a_table_and_its_frames_can_be_read() -> None:
    assert sys.version_info[:2] in LAYOUTS
    assert can_read()


def test_the_table_names_instructions_of_this_python() -> None:
    taken = LAYOUTS[sys.version_info[:2]].taken
    assert set(taken) <= set(dis.opmap)
    assert set(CALLS) & set(dis.opmap) <= set(taken)


UNKNOWN = """
import sys
from syncsim.virtual.process import layouts
del layouts.LAYOUTS[sys.version_info[:2]]
"""


def test_a_check_says_that_it_is_slower_on_a_python_that_has_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(__file__).parent / "programs" / "barrier.py"
    known = syncsim.check(path, search="graph")
    tmp_path.joinpath("sitecustomize.py").write_text(UNKNOWN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    unknown = syncsim.check(path, search="graph")
    assert (known.verdict, known.note) == (unknown.verdict, "") == ("finished", "")
    assert known.states < unknown.states
    assert "cannot be read: a check takes longer" in unknown.note
    assert unknown.note in told(unknown)
    assert unknown.as_dict()["notes"] == [unknown.note]
