"""Memory without a lock, blocks of shared memory and lists in them."""

from __future__ import annotations

import glob
import time
from pathlib import Path

import pytest
from running import DEADLINE, METHODS, PROGRAMS, Run, control, tell, wait_for, world

from syncsim.core.atoms import Block
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Choice
from syncsim.core.scheduler import Random, Replay, RoundRobin
from syncsim.core.state import State

each_method = pytest.mark.parametrize("method", METHODS)

LOST = """
from multiprocessing import {making}, Process

def add(count):
    {adding}

if __name__ == "__main__":
    count = {making}({arguments})
    workers = [Process(target=add, args=(count,), name=name) for name in ("Ada", "Bob")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print({reading})
"""


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


def sentences(run: Run, process: str) -> list[str]:
    return [step.sentence for step in run.steps if step.process == process]


def block(state: State, name: str) -> Block:
    primitive = next(p for p in state.primitives.values() if p.name == name)
    found = state.atoms[primitive.parts["block"]]
    assert isinstance(found, Block)
    return found


@pytest.mark.parametrize(
    ("making", "adding", "arguments", "reading", "kind"),
    [
        ("RawValue", "count.value += 1", '"i", 0', "count.value", "RawValue"),
        ("Value", "count.value += 1", '"i", 0, lock=False', "count.value", "RawValue"),
        ("RawArray", "count[0] += 1", '"i", [0]', "count[0]", "RawArray"),
        ("Array", "count[0] += 1", '"i", [0], lock=False', "count[0]", "RawArray"),
        ("Value", "count.get_obj().value += 1", '"i", 0', "count.value", "Value"),
    ],
)
def test_an_addition_without_a_lock_is_two_steps_and_can_be_lost(
    tmp_path: Path, making: str, adding: str, arguments: str, reading: str, kind: str
) -> None:
    names = {"making": making, "adding": adding, "arguments": arguments, "reading": reading}
    path = program(tmp_path, LOST.format(**names))
    lost = control(path, Replay("a2bcb2c2a4"))
    assert lost.text("stdout") == ["1"]
    both = control(path, Replay("a2b3c3a4"))
    assert both.text("stdout") == ["2"]
    assert [p.kind for p in both.state.primitives.values()] == [kind]
    assert [p.name for p in both.state.primitives.values()] == ["count"]
    first = sentences(both, "Bob")
    assert first[0].startswith("reads 1 from count")
    assert first[1].startswith("writes ")


@each_method
def test_memory_without_a_lock_is_seen_however_a_process_is_started(method: str) -> None:
    run = control(PROGRAMS / "raw.py", RoundRobin(), method)
    assert run.diagnosis.verdict is Verdict.FINISHED
    child = next(actor.name for actor in run.state.actors if not actor.is_main)
    assert sentences(run, child) == [
        "reads 5 from raw",
        "writes 6 to raw",
        "reads 6 from raw",
        "writes to numbers: [0, 6, 0]",
        "writes to numbers: [7, 6, 0]",
        "reads 1.5 from unlocked",
        "writes 2.5 to unlocked",
        "writes to word: b'xbc'",
        "writes to text: 'hé'",
        "ends",
    ]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_life_of_a_block_is_seen(method: str) -> None:
    run = control(PROGRAMS / "blocks.py", RoundRobin(), method)
    assert run.diagnosis.verdict is Verdict.FINISHED
    assert run.diagnosis.findings == ()
    assert block(run.state, "block") == Block(size=64, open_in=(), unlinked=True)
    assert block(run.state, "cells").unlinked
    assert block(run.state, "one").unlinked, "the manager's server unlinks what it tracks"
    kinds = {p.name: p.kind for p in run.state.primitives.values() if p.kind != "Lock"}
    assert kinds == {
        "block": "SharedMemory",
        "cells": "ShareableList",
        "one": "SharedMemory",
        "two": "ShareableList",
    }
    worker = next(a.name for a in run.state.actors if not a.is_main and not a.serves)
    told = sentences(run, worker)
    assert [told.count(one) for one in ("opens block", "closes block", "closes cells")] == [1, 1, 1]


def test_a_block_says_who_has_it_open(tmp_path: Path) -> None:
    text = """
from multiprocessing import Process, set_start_method
from multiprocessing.shared_memory import SharedMemory

def work(name):
    block = SharedMemory(name)
    block.close()

if __name__ == "__main__":
    set_start_method("fork")
    block = SharedMemory(create=True, size=8)
    Process(target=work, args=(block.name,)).start()
    block.unlink()
    block.close()
"""
    with world(program(tmp_path, text)) as real:
        end = time.monotonic() + DEADLINE
        real.settle(end)
        seen = [block(real.state, "block")]
        for actor in (0, 1, 0, 0, 1):
            real.take(Choice(actor), end)
            seen.append(block(real.state, "block"))
    assert [one.open_in for one in seen] == [(0,), (0, 1), (0, 1, 1), (0, 1, 1), (1, 1), (1,)]
    assert [one.unlinked for one in seen] == [False, False, False, True, True, True]


def test_a_block_that_nobody_unlinks_is_found_and_one_of_a_run_broken_off_is_gone(
    tmp_path: Path,
) -> None:
    text = """
from multiprocessing.shared_memory import SharedMemory
if __name__ == "__main__":
    left = SharedMemory(create=True, size=8)
    print(left.name)
    left.close()
"""
    path = program(tmp_path, text)
    told = tell(path, "--scheduler", "os", "--timeout", DEADLINE)
    assert "leaked block" in told.findings
    run = Run()
    with world(path, run=run) as real:
        end = time.monotonic() + DEADLINE
        real.settle(end)
        real.take(Choice(0), end)
        name = "".join(text for _, text in run.output).strip()
        assert glob.glob(f"/dev/shm/{name}")
    wait_for(lambda: not glob.glob(f"/dev/shm/{name}"))


@pytest.mark.parametrize("name", ["raw", "blocks"])
def test_a_schedule_with_shared_memory_makes_the_same_run_again(name: str) -> None:
    path = PROGRAMS / f"{name}.py"
    first = control(path, Random(5), "fork")
    again = control(path, Replay(first.schedule), "fork")
    assert first.told == again.told
    assert first.actors == again.actors
