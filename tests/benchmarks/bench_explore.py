"""How fast the explorer is, beside what Python could do at the very best.

    python tests/benchmarks/bench_explore.py

The limit is a loop that does for each step what cannot be left out: one look-up in a
dictionary and two tuples with one item changed.  Seconds are those of the processor.

Two jobs are held to one by the clock on the wall, which wants two cores that are idle, and by the
processor: what one takes, beside half of what the two and who coordinates them take together.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter, process_time

from syncsim.explore.bounds import Bounds
from syncsim.explore.limits import collect_seldom
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.graph import GraphSearch
from syncsim.explore.search.jobs import Jobs, processes
from syncsim.explore.search.leases import Asked
from syncsim.explore.search.parallel import ParallelSearch
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System

PROGRAMS = Path(__file__).parent.parent / "explore" / "programs"


def system_of(command: str) -> System:
    name, *arguments = command.split()
    return System(VirtualProgram(load(str(PROGRAMS / f"{name}.py"), tuple(arguments))).main())


def limit() -> float:
    """Bare steps a second."""
    nodes, atoms = tuple(range(6)), tuple(range(5))
    known = {value: (value + 1) % 5 for value in range(5)}
    steps, began = 300_000, process_time()
    for step in range(steps):
        at = step % 5
        after = known[atoms[at]]
        nodes = (*nodes[:at], after, *nodes[at + 1 :])
        atoms = (*atoms[:at], after, *atoms[at + 1 :])
    return steps / (process_time() - began)


def executions(command: str) -> tuple[float, int, int]:
    """Seconds for all executions of a program that nothing is known of, their number, the steps."""
    began = process_time()
    search = DPOR(VirtualSystem(system_of(command)))
    number = sum(1 for _ in search.executions())
    return process_time() - began, number, search.steps


def states(command: str) -> tuple[float, int, int]:
    """Seconds for all states, their number, and that of the steps between them."""
    began = process_time()
    search = GraphSearch(system_of(command))
    search.advance(10**9, Bounds())
    return process_time() - began, search.outcome.states, search.outcome.transitions


def operations(command: str) -> float:
    """Operations a second of random executions."""
    system, source, done = system_of(command), random.Random(1), 0

    def execute() -> int:
        state, did = system.start()
        count = len(did)
        while moves := system.moves(state):
            state, did = system.take(state, moves[int(source.random() * len(moves))])
            count += len(did)
        return count

    for _ in range(300):
        execute()
    began = process_time()
    while process_time() - began < 1:
        done += execute()
    return done / (process_time() - began)


def again(command: str) -> float:
    """Executions a second of a program that is known."""
    system, done = system_of(command), 0
    sum(1 for _ in DPOR(VirtualSystem(system)).executions())
    began = process_time()
    while process_time() - began < 1:
        done += sum(1 for _ in DPOR(VirtualSystem(system)).executions())
    return done / (process_time() - began)


def by_jobs(command: str, number: int) -> tuple[int, float, float]:
    """Executions; seconds on the wall and of all processors, for so many jobs."""
    name, *arguments = command.split()
    asked = Asked(str(PROGRAMS / f"{name}.py"), tuple(arguments), "", False)
    jobs = Jobs(number, asked, lambda: processes(number, 4 << 30))
    wall, began, children = perf_counter(), process_time(), getrusage(RUSAGE_CHILDREN)
    system = system_of(command)
    search = ParallelSearch(system, jobs, number) if number > 1 else DPORSearch(system)
    while search.advance(2_000, Bounds(states=10**9)):
        pass
    wall = perf_counter() - wall
    if number > 1:
        jobs.executor.shutdown()
    after = getrusage(RUSAGE_CHILDREN)
    spent = process_time() - began
    spent += after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    assert search.outcome.complete
    assert not search.outcome.blocked
    return search.outcome.executions, wall, spent


def best(measure: Callable[[], tuple[float, int, int]]) -> tuple[float, int, int]:
    """The quickest of three."""
    return min(measure() for _ in range(3))


def main() -> None:
    """Print the figures."""
    collect_seldom()  # as the checker does
    bare = max(limit() for _ in range(3))
    print(f"the limit: {bare:,.0f} bare steps/s")
    rate = max(operations("philosophers 5 3") for _ in range(3))
    print(f"random executions: {rate:,.0f} operations/s, {rate / bare:.3f} of the limit")
    print(
        f"three philosophers: {max(again('philosophers 3 1') for _ in range(3)):,.0f} executions/s"
    )
    for command in ("philosophers 10 1", "indexer 14", "lost_update 5"):
        seconds, number, steps = best(lambda command=command: executions(command))
        share = steps / seconds / bare
        print(f"{command}: {number:,} executions in {seconds:.2f} s, {share:.3f} of the limit")
    seconds, number, steps = best(lambda: states("philosophers 5 1"))
    share = steps / seconds / bare
    print(f"philosophers 5 1: {number:,} states in {seconds:.2f} s, {share:.3f} of the limit")
    number, wall, spent = by_jobs("locked_counter 8", 1)
    both, wall_of_two, spent_by_two = by_jobs("locked_counter 8", 2)
    assert number == both
    print(
        f"locked_counter 8: {number:,} executions in {wall:.2f} s; by two jobs "
        f"{wall / wall_of_two:.2f} times as fast ({2 * spent / spent_by_two:.2f} by the processor)"
    )


if __name__ == "__main__":
    sys.exit(main())
