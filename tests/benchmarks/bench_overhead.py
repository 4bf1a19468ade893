"""What watching costs: plain Python, syncsim and viztracer, side by side on four programs.

Run: pip install -e '.[bench]', then python tests/benchmarks/bench_overhead.py [ROUNDS]

Each time is that of the whole command, from its start until everything is written.  viztracer runs
with its default settings (it follows the processes by itself, keeps the last million entries of
each and loses the older ones) and writes its JSON to a temporary file.  syncsim runs freely
(``--scheduler os``), writes each step as a line of text to a temporary file and has applied every
record when it ends; how many steps it saw is compared with how many the program must have made.
"""

from __future__ import annotations

import importlib.util
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

PROGRAMS = Path(__file__).parent / "programs"
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Load:
    """A program, and its arguments, for about a second by plain Python.

    ``steps`` says how many steps of which sort it makes, whatever the order: a regular expression
    that finds the line of such a step, and their number.
    """

    program: str
    arguments: tuple[int, ...]
    steps: dict[str, int] = field(hash=False)


def _locks(moves: int) -> Load:
    taken = 4 * moves  # two clerks, two locks a move
    return Load("overhead/locks", (moves,), {"takes locks": taken, "gives locks": taken})


def _bare_locks(rounds: int) -> Load:
    taken = 2 * rounds
    steps = {"takes own": taken, "gives own": taken, "takes common": taken, "gives common": taken}
    return Load("locks", (2, rounds), steps)


def _queues(words: int) -> Load:
    steps = {"puts .* into todo": words + 2, "gets .* from todo": words + 2}
    steps |= {"puts .* into done": words, "gets .* from done": words}
    return Load("overhead/queues", (words,), steps)


def _pool(most: int) -> Load:
    return Load("overhead/pool", (most,), {r"writes \d+ to": (most - 1) // 50 + 20})


def _manager(rounds: int) -> Load:
    taken = 2 * rounds
    steps = {"takes a permit of turns": taken, "gives a permit of turns": taken}
    return Load("overhead/manager", (rounds,), steps)


#: The four, and the worst there is for whoever records locks: nothing but taking and giving.
LOADS = (_locks(200_000), _queues(60_000), _pool(60_000), _manager(4_000), _bare_locks(200_000))


class Time(NamedTuple):
    """Of one command: seconds on the clock, and of all processors for it and its children."""

    clock: float
    processors: float


def measure(*words: object, output: Path | None = None) -> Time:
    """The time of a command; raises if it fails."""
    with open(output or os.devnull, "wb") as out:
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *map(str, words)], cwd=PROJECT, stdout=out, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Time(time.perf_counter() - start, used)


def compare(load: Load, directory: Path) -> tuple[Time, Time, Time]:
    """Plain Python, syncsim and viztracer in turn; asserts that no step is missing."""
    program = PROGRAMS / f"{load.program}.py"
    plain = measure(program, *load.arguments)
    told = directory / "steps.txt"
    run = ("-m", "syncsim", "run", "--scheduler", "os", program, "--", *load.arguments)
    watched = measure(*run, output=told)
    text = told.read_text()
    for step, expected in load.steps.items():
        seen = len(re.findall(rf"^ *\d+  \S+ +{step}", text, re.MULTILINE))
        assert seen == expected, f"{load.program}: {expected} times {step!r}, {seen} seen"
    trace = directory / "trace.json"
    traced = measure("-m", "viztracer", "--quiet", "-o", trace, "--", program, *load.arguments)
    return plain, watched, traced


def row(measured: list[tuple[float, float, float]]) -> str:
    """Medians of the times, and of the ratios within a round."""
    ours = statistics.median(watched / plain for plain, watched, _ in measured)
    theirs = statistics.median(traced / plain for plain, _, traced in measured)
    shares = sorted(watched / traced for _, watched, traced in measured)
    times = [f"{statistics.median(column):9.2f}" for column in zip(*measured, strict=True)]
    share = f"{statistics.median(shares):6.2f} ({shares[0]:.2f} to {shares[-1]:.2f})"
    return f"{''.join(times)}{ours:10.1f}{theirs:10.1f}{share}"


def main() -> None:
    """Rounds of each program in turn."""
    if importlib.util.find_spec("viztracer") is None:
        sys.exit("viztracer is missing: pip install -e '.[bench]'")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("                                 seconds                / plain          syncsim")
    print("                             plain  syncsim   viztr.   syncsim    viztr.  / viztr.")
    with tempfile.TemporaryDirectory() as directory:
        for load in LOADS:
            measured = [compare(load, Path(directory)) for _ in range(rounds)]
            for number, kind in enumerate(("clock", "processors")):
                times = [(a[number], b[number], c[number]) for a, b, c in measured]
                name = load.program if not number else ""
                print(f"{name:<18}{kind:>11}{row(times)}", flush=True)
    print("No step was lost.")


if __name__ == "__main__":
    main()
