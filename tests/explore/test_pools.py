"""Pools: what the searches come to, what is found and confirmed, and what is refused."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import pytest

import syncsim
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.data_atoms import SharedMemory
from syncsim.virtual.model.states import State
from syncsim.virtual.model.system import System

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "pools").glob("*.py"))


def end_of(state: State) -> Hashable:
    """What has come of a run: how each process ended, and what is in the memory."""
    codes = [node.ended.exitcode if node and node.ended else None for node in state.nodes]
    return tuple(codes), tuple(a.value for a in state.atoms if isinstance(a, SharedMemory))


def every_end(system: System) -> set[Hashable]:
    """All of them, by way of all states."""
    ends: set[Hashable] = set()
    todo = [system.start().state]
    seen = {todo[0].key}
    while todo:
        state = todo.pop()
        moves = system.moves(state)
        if not moves:
            ends.add(end_of(state))
        for move in moves:
            after = system.take(state, move).state
            if after.key not in seen:
                seen.add(after.key)
                todo.append(after)
    return ends


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_the_reduced_search_comes_to_every_end(path: Path) -> None:
    system = System(VirtualProgram(load(path)).main())
    try:
        known = -1
        while known != system.discovered:
            known = system.discovered
            ends = every_end(system)
        executions = list(DPOR(VirtualSystem(system)).executions())
        assert known == system.discovered
        assert not any(one.blocked for one in executions)
        assert {end_of(one.state) for one in executions} == ends
    finally:
        system.close()


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("pool_map", "finished", "no process can wait for ever"),
        ("pool_lost_update", "assertion", "AssertionError"),
        ("pool_takes_twice", "deadlock", "It waits for itself"),
        ("pool_too_small", "deadlock", "ForkPoolWorker-1 runs it"),
        ("pool_task_lost", "deadlock", "the result of die() from pool: it was lost when"),
        ("pool_raises", "crash", "ZeroDivisionError"),
    ],
)
def test_each_trap_is_found_and_confirmed(name: str, verdict: str, words: str) -> None:
    checked = syncsim.check(HERE / "checked" / f"{name}.py")
    assert checked.verdict == verdict, checked.explanation
    assert words in checked.explanation
    assert checked.complete
    assert checked.confirmed is (verdict != "finished")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pool.apply_async(abs, (-1,), callback=lambda _: pool.terminate()).wait()", "ends it"),
        ("pool.apply_async(abs, (-1,), callback=lambda n: pool.apply_async(abs, (n,))).wait()",
         "hands over another job"),
        ("import os; os._exit(0)", "os._exit while a Pool is open"),
        ("from multiprocessing.pool import ThreadPool; ThreadPool(2)", "ThreadPool"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "from multiprocessing import Pool\n"
        f"if __name__ == '__main__':\n    with Pool(1) as pool:\n        {text}\n"
    )
    checked = syncsim.check(path)
    assert checked.verdict == "undecided", checked.explanation
    assert words in checked.explanation
