"""Free running: events a second without loss, and what watching costs a working program.

Run: python tests/benchmarks/bench_free.py
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from syncsim.program.source import load
from syncsim.real.launch import StageError
from syncsim.real.run import RealRun

PROGRAMS = Path(__file__).parent / "programs"


def events(processes: int = 3, rounds: int = 40_000) -> tuple[float, float]:
    """Events a second on the wire, and events a second until all are applied.

    Nothing may be lost: every process takes and gives two locks ``rounds`` times.
    """
    steps = [0]

    def count(step: object) -> None:
        steps[0] += 1

    world = RealRun(
        load(PROGRAMS / "locks.py", (str(processes), str(rounds))), controlled=False, on_step=count
    )
    try:
        start = time.perf_counter()
        while not world.over:
            world.pump(0.1)
        seconds = time.perf_counter() - start
    finally:
        world.close()
    expected = processes * rounds * 4 + 3 * processes + 1
    assert steps[0] == expected, f"{expected} steps were made, {steps[0]} seen"
    return steps[0] / seconds, seconds


def wire_alone(processes: int = 3, rounds: int = 40_000) -> float:
    """Records a second when they are only counted: what the wire itself carries."""
    counted = [0]

    world = RealRun(load(PROGRAMS / "locks.py", (str(processes), str(rounds))), controlled=False)

    def count() -> None:
        with contextlib.suppress(BlockingIOError):
            counted[0] += os.read(world._launch.fifo, 1 << 18).count(b"\n")

    world._launch.listen(world._launch.fifo, count)
    try:
        world.pump(1.0)
        start = time.perf_counter()
        with contextlib.suppress(StageError):  # as nothing that it says is heard
            while world._launch.stage.poll() is None:
                world.pump(0.05)
        return counted[0] / (time.perf_counter() - start)
    finally:
        world.close()


def worker_seconds(watched: bool, items: int = 1000) -> float:
    """Seconds that the program with 1 ms of work an item took, by its own clock."""
    program = PROGRAMS / "one_millisecond.py"
    if not watched:
        answer = subprocess.run(
            [sys.executable, program, str(items)], capture_output=True, text=True, check=True
        )
        return float(answer.stdout)
    said: list[str] = []
    world = RealRun(
        load(program, (str(items),)),
        controlled=False,
        on_print=lambda actor, stream, text: said.append(text),
    )
    try:
        while not world.over:
            world.pump(0.1)
    finally:
        world.close()
    return float("".join(said))


def main() -> None:
    """Medians, and the ratio of each pair."""
    rates = [events()[0] for _ in range(3)]
    bare = [wire_alone() for _ in range(3)]
    print(f"wire, records only counted   {statistics.median(bare):10,.0f} records/s")
    print(f"free running, all applied    {statistics.median(rates):10,.0f} events/s, none lost")
    ratios = []
    for _ in range(5):
        plain = worker_seconds(watched=False)
        ratios.append(worker_seconds(watched=True) / plain)
    print(
        f"1 ms of work an item, watched / plain {statistics.median(ratios):6.3f}"
        f"   ({min(ratios):.3f} to {max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
