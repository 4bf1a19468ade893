"""The search on real processes: executions a second, beside what processes cost without us.

Run: python tests/benchmarks/bench_real_search.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

from syncsim.core.schedule import Grain
from syncsim.explore.real.system import RealSystem
from syncsim.explore.search.dpor import DPOR
from syncsim.program.source import load

PROGRAM = Path(__file__).parent.parent / "explore" / "programs" / "philosophers.py"
PROCESSES = 3


def nothing() -> None:
    pass


def forked(rounds: int = 50) -> float:
    """Times a second that so many processes are forked and joined."""
    context = get_context("fork")
    start = time.perf_counter()
    for _ in range(rounds):
        processes = [context.Process(target=nothing) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    return rounds / (time.perf_counter() - start)


def plain(rounds: int = 5) -> float:
    """Times a second that the program is run by plain Python, which cannot deadlock here."""
    start = time.perf_counter()
    for _ in range(rounds):
        subprocess.run([sys.executable, str(PROGRAM), str(PROCESSES), "1", "lefty"], check=True)
    return rounds / (time.perf_counter() - start)


def searched() -> tuple[float, float]:
    """Executions of different classes a second, and runs of the program."""
    program = load(str(PROGRAM), (str(PROCESSES), "1", "lefty"))
    system = RealSystem(program, Grain.CALL, time.monotonic() + 600)
    try:
        start = time.perf_counter()
        executions = sum(1 for _ in DPOR(system).executions())
        seconds = time.perf_counter() - start
        return executions / seconds, system.runs / seconds
    finally:
        system.close()


def main() -> None:
    """Five rounds of each in turn; medians and the ratio of each pair."""
    rows = [(forked(), plain(), *searched()) for _ in range(5)]
    bare, python, executions, runs = (
        statistics.median(column) for column in zip(*rows, strict=True)
    )
    print(f"fork and join of {PROCESSES} processes   {bare:8.1f} times/s")
    print(f"plain python PROGRAM           {python:8.1f} times/s")
    print(f"runs of the program            {runs:8.1f} a second")
    print(f"executions that differ         {executions:8.1f} a second")
    for name, column in (("fork and join", 0), ("plain python", 1)):
        ratios = [row[column] / row[2] for row in rows]
        print(
            f"{name} / executions{statistics.median(ratios):14.2f}"
            f"   ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
