"""What is left over at an end: in which interleaving, and as the real processes leave it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import syncsim
from syncsim.checking import Checked
from syncsim.checking.telling import told
from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.schedule import parse_schedule
from syncsim.program.source import load
from syncsim.real.run import RealRun

pytestmark = pytest.mark.once

CHECKED = Path(__file__).parent / "checked"


def findings(checked: Checked) -> dict[str, Finding]:
    return {one.kind: one for one in checked.findings}


def really_found(path: Path, schedule: str) -> set[str]:
    """The findings at the end of that schedule on real processes."""
    world = RealRun(load(path), patience=30.0)
    try:
        world.settle()
        for choice in parse_schedule(schedule):
            world.adapt(choice.grain)
            assert choice in world.choices()
            world.take(choice)
            world.settle()
        deadline = time.monotonic() + 30
        while world.may_still_move() and time.monotonic() < deadline:
            world.pump(0.05)
        return {one.explanation for one in diagnose(world.state).findings}
    finally:
        world.close()


@pytest.mark.parametrize("search", ["graph", "dpor"])
@pytest.mark.parametrize("grain", ["atom", "call"])
def test_what_is_left_over_is_found_although_nothing_fails(search: str, grain: str) -> None:
    path = CHECKED / "leaves_things.py"
    checked = syncsim.check(path, search=search, grain=grain)
    assert checked.verdict == "finished"
    found = findings(checked)
    wanted = {"leaked lock", "zombie", "items left"}
    wanted |= {"unflushed queue"} if grain == "atom" else set()
    assert set(found) == wanted
    for one in found.values():
        assert one.explanation in really_found(path, one.schedule)
        assert f"{one.kind}: {one.explanation} (schedule: {one.schedule})" in told(checked)


def test_a_second_way_to_hang_is_told_beside_the_shortest() -> None:
    path = CHECKED / "two_ways_to_hang.py"
    checked = syncsim.check(path)
    (failure,) = checked.failures
    found = findings(checked)
    assert failure.verdict == "deadlock"
    assert set(found) >= {"cycle", "lost wakeup"}
    (other,) = {"cycle", "lost wakeup"} - {one.kind for one in failure.findings}
    assert found[other].explanation in really_found(path, found[other].schedule)


def test_who_raced_for_what_is_told_where_nothing_fails() -> None:
    checked = syncsim.check(CHECKED / "copies.py")
    assert checked.raced_for == {"lock": ["Process-1", "Process-2"]}
    assert "raced for: lock (Process-1, Process-2)" in told(checked)


def test_a_program_of_one_process_races_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alone.py"
    path.write_text("from multiprocessing import Lock\nwith Lock():\n    pass\n")
    checked = syncsim.check(path)
    assert checked.verdict == "finished"
    assert checked.raced_for == {}
    assert any(line.startswith("Nothing was raced for") for line in told(checked))
