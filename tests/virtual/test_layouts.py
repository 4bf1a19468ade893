"""Each Python that is supported has a table of where it keeps what belongs to a frame."""

from __future__ import annotations

import dis
import sys

from syncsim.core.pythons import TRIED
from syncsim.virtual.frames import can_read
from syncsim.virtual.layouts import CALLS, LAYOUTS


def test_every_python_that_was_tried_has_a_table() -> None:
    assert set(LAYOUTS) == set(TRIED)


def test_this_python_has_a_table_and_its_frames_can_be_read() -> None:
    assert sys.version_info[:2] in LAYOUTS
    assert can_read()


def test_the_table_names_instructions_of_this_python() -> None:
    taken = LAYOUTS[sys.version_info[:2]].taken
    assert set(taken) <= set(dis.opmap)
    assert set(CALLS) & set(dis.opmap) <= set(taken)
