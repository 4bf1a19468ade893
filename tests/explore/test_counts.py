"""How many executions the reduced search makes: the numbers of the papers."""

from __future__ import annotations

from pathlib import Path

import pytest
from either import either

from syncsim.core.deadlock.verdict import Verdict
from syncsim.explore.bounds import Bounds
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.search.graph import GraphSearch
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.puzzles.catalogue import catalogue
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

PROGRAMS = Path(__file__).parent / "programs"


def system_of(command: str, *, by_call: bool = False) -> System:
    name, *arguments = command.split()
    program = load(str(PROGRAMS / f"{name}.py"), tuple(arguments))
    return System(VirtualProgram(program).main(), by_call=by_call)


def counted(system: System) -> tuple[int, int, int]:
    """How many executions are complete, how many of them deadlocked, and how many begun in vain."""
    complete = deadlocked = blocked = 0
    for execution in DPOR(VirtualSystem(system)).executions():
        if execution.blocked:
            blocked += 1
            continue
        complete += 1
        deadlocked += bool(system.waiting(execution.state))
    return complete, deadlocked, blocked


@pytest.mark.parametrize(
    ("command", "executions"),
    [
        # 2ⁿ-1: who is first at each fork, but never can all be last at both.
        ("philosophers 2 1", 3),
        ("philosophers 3 1", 7),
        ("philosophers 4 1", 15),
        ("philosophers 5 1", 31),
        ("philosophers 7 1", 127),
        ("philosophers 10 1", 1_023),
        ("philosophers 2 1 lefty", 2),
        ("philosophers 3 1 lefty", 6),
        ("philosophers 4 1 lefty", 14),
        ("philosophers 5 1 lefty", 30),
        ("philosophers 3 2", 106),
        ("philosophers 3 3", 1_951),
        ("lost_update 2", 4),
        ("lost_update 3", 36),
        ("lost_update 4", 576),
        ("locked_counter 2", 2),
        ("locked_counter 3", 6),
        ("locked_counter 4", 24),
        ("indexer 11", 1),
        ("indexer 12", 8),
        ("indexer 13", 64),
        ("filesystem 14", 2),
        ("filesystem 16", 8),
        ("filesystem 18", 32),
        ("lastzero 5", 64),
        ("lastzero 8", 704),
        ("readers 2", 4),
        ("readers 5", 32),
        ("readers 8", 256),
    ],
)
def test_one_execution_of_each_class(command: str, executions: int) -> None:
    complete, _, blocked = counted(system_of(command))
    assert (complete, blocked) == (executions, 0)


@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize(("items", "executions"), [(1, 2), (2, 8), (3, 32), (4, 128), (5, 512)])
def test_a_bounded_buffer(items: int, executions: int, by_call: bool) -> None:
    complete, _, blocked = counted(system_of(f"slot 1 1 {items}", by_call=by_call))
    assert (complete, blocked) == (executions, 0)


@either("by_call", [False, True], ids=["atom", "call"])
def test_a_bounded_buffer_that_wakes_the_wrong_one(by_call: bool) -> None:
    assert counted(system_of("slot 2 2 1", by_call=by_call)) == (80, 8, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "executions"),
    [
        ("indexer 14", 512),
        ("lastzero 10", 3_328),
        ("lost_update 5", 14_400),
        ("lastzero 12", 15_360),
    ],
)
def test_one_execution_of_each_of_many_classes(command: str, executions: int) -> None:
    complete, _, blocked = counted(system_of(command))
    assert (complete, blocked) == (executions, 0)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_philosophers_deadlock_as_soon_as_each_has_one_fork(count: int) -> None:
    """Fewer steps cannot do: in a deadlock each of n waits for a fork that another holds.

    So each has taken its first, which is one acquire each, and it had to be started before.
    The start is a step of the schedule, too: 2n of them.
    """
    search = GraphSearch(system_of(f"philosophers {count} 1"), frozenset([Verdict.DEADLOCK]))
    search.advance(10**6, Bounds())
    assert search.outcome.failures[Verdict.DEADLOCK].length == 2 * count


@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize(
    "slug",
    [
        "ab-ba",
        "bounded-resource",
        "dining-philosophers",
        "if-instead-of-while",
        "lost-update",
        "readers-writers",
        "two-phase-handshake",
    ],
)
def test_no_execution_of_a_puzzle_is_begun_in_vain(slug: str, by_call: bool) -> None:
    (path,) = (puzzle.program for puzzle in catalogue() if puzzle.slug == slug)
    system = System(VirtualProgram(load(path)).main(), by_call=by_call)
    complete, _, blocked = counted(system)
    assert complete > 1
    assert blocked == 0
