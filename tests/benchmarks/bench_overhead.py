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
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

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
LOADS = (_locks(200_000), _queues(60_000), _pool(60_000), _manager(5_000), _bare_locks(150_000))


def seconds(*words: object, output: Path | None = None) -> float:
    """The time of a command; raises if it fails."""
    with open(output or os.devnull, "wb") as out:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=PROJECT,
            stdout=out,
            check=True,
        )
        return time.perf_counter() - start


def compare(load: Load, directory: Path) -> tuple[float, float, float]:
    """Seconds by plain Python, by syncsim and by viztracer; asserts that no step is missing."""
    program = PROGRAMS / f"{load.program}.py"
    plain = seconds(program, *load.arguments)
    told = directory / "steps.txt"
    run = ("-m", "syncsim", "run", "--scheduler", "os", program, "--", *load.arguments)
    watched = seconds(*run, output=told)
    text = told.read_text()
    for step, expected in load.steps.items():
        seen = len(re.findall(rf"^ *\d+  \S+ +{step}", text, re.MULTILINE))
        assert seen == expected, f"{load.program}: {expected} times {step!r}, {seen} seen"
    trace = directory / "trace.json"
    traced = seconds("-m", "viztracer", "--quiet", "-o", trace, "--", program, *load.arguments)
    return plain, watched, traced


def main() -> None:
    """Rounds of each in turn; medians, and the median and range of the ratios."""
    if importlib.util.find_spec("viztracer") is None:
        sys.exit("viztracer is missing: pip install -e '.[bench]'")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    head = ("program", "plain s", "syncsim s", "viztracer s", "syncsim/plain", "viztracer/plain")
    line = "{:<18}{:>9}{:>11}{:>13}{:>15}{:>17}   {}"
    print(line.format(*head, "syncsim/viztracer"))
    rows: dict[Load, list[tuple[float, float, float]]] = {load: [] for load in LOADS}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(rounds):
            for load, measured in rows.items():
                measured.append(compare(load, Path(directory)))
    for load, measured in rows.items():
        times = [f"{statistics.median(column):.2f}" for column in zip(*measured, strict=True)]
        ours = statistics.median(watched / plain for plain, watched, _ in measured)
        theirs = statistics.median(traced / plain for plain, _, traced in measured)
        shares = sorted(watched / traced for _, watched, traced in measured)
        share = f"{statistics.median(shares):.2f} ({shares[0]:.2f} to {shares[-1]:.2f})"
        print(line.format(load.program, *times, f"{ours:.1f}", f"{theirs:.1f}", share))
    print("No step was lost.")


if __name__ == "__main__":
    main()
