"""Controlled running: steps a second on a lock-only program, beside a bare pipe ping-pong.

Run: python tests/benchmarks/bench_controlled.py
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from syncsim.core.scheduler import Random, RoundRobin, Scheduler
from syncsim.program.source import load
from syncsim.real.run import RealRun

PROGRAM = Path(__file__).parent / "programs" / "locks.py"


def ping_pong(rounds: int = 20_000) -> float:
    """Round trips a second of one byte between two processes over two pipes."""
    there, back = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        for _ in range(rounds):
            os.write(back[1], os.read(there[0], 1))
        os._exit(0)
    start = time.perf_counter()
    for _ in range(rounds):
        os.write(there[1], b"x")
        os.read(back[0], 1)
    seconds = time.perf_counter() - start
    os.waitpid(child, 0)
    return rounds / seconds


def controlled(scheduler: Scheduler, processes: int, rounds: int) -> float:
    """Steps a second from the first choice to the last."""
    world = RealRun(load(PROGRAM, (str(processes), str(rounds))))
    try:
        world.settle()
        start, steps = time.perf_counter(), 0
        while choices := world.choices():
            choice = scheduler.choose(world.state, choices)
            assert choice is not None
            steps += len(world.take(choice))
        return steps / (time.perf_counter() - start)
    finally:
        world.close()


def main() -> None:
    """Five rounds of each in turn; medians and the ratio of each pair."""
    rows = []
    for seed in range(5):
        bare = ping_pong()
        rows.append((bare, controlled(Random(seed), 3, 1000), controlled(RoundRobin(), 3, 1000)))
    bare, chosen, turns = (statistics.median(column) for column in zip(*rows, strict=True))
    ratios = [row[0] / row[1] for row in rows]
    print(f"bare ping-pong          {bare:10,.0f} round trips/s")
    print(f"controlled, random      {chosen:10,.0f} steps/s")
    print(f"controlled, round robin {turns:10,.0f} steps/s")
    print(
        f"ping-pong / random      {statistics.median(ratios):10.2f}"
        f"   ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
