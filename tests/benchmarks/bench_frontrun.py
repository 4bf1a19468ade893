"""How fast the explorer is beside frontrun, which explores interleavings of threads.

    python -m venv /somewhere && /somewhere/bin/pip install frontrun
    python tests/benchmarks/bench_frontrun.py /somewhere

The same programs, their threads and our processes, each searched to its end: no bound on
preemptions, no stop at the first failure.  Seconds are those of the search by the clock on the
wall; those of the whole command, with the start of an interpreter, are told beside them, and so
is the ratio by the processor's clock, which is not disturbed by whatever else is running.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from syncsim.explore.limits import collect_seldom
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System

HERE = Path(__file__).parent
PROGRAMS = HERE.parent / "explore" / "programs"
#: Seconds after which frontrun is not waited for any longer.
MOST = 120.0
#: The program, how many take part, our words for it, and by how much we should be faster.
CASES = [
    ("philosophers", 4, ("1", "lefty"), 20),
    ("philosophers", 5, ("1", "lefty"), 100),
    ("lost_update", 2, (), 20),
    ("lost_update", 3, (), 20),
    ("locked_counter", 3, (), 20),
]


class Searched(NamedTuple):
    """Seconds of the search, the processor's for it, those of the whole command; executions."""

    seconds: float
    processor: float
    whole: float
    executions: int
    complete: bool = True


def _program(name: str) -> Path:
    path = HERE / "programs" / f"{name}.py"
    return path if path.exists() else PROGRAMS / f"{name}.py"


def ours(name: str, words: tuple[str, ...]) -> Searched:
    """Our search, the quickest in a second: each knows nothing of the program beforehand."""
    path, found = _program(name), []
    collect_seldom()  # as ``check`` does
    end = time.perf_counter() + 1.0  # (theirs, too, is the quickest of some that take as long)
    while time.perf_counter() < end:
        program = VirtualProgram(load(str(path), words))  # (compiled, as theirs is by then)
        began, worked = time.perf_counter(), time.process_time()
        system = System(program.main())
        number = sum(1 for _ in DPOR(VirtualSystem(system)).executions())
        found.append((time.perf_counter() - began, time.process_time() - worked))
        system.close()
    began = time.perf_counter()
    command = [sys.executable, "-m", "syncsim", "check", str(path), "--json", "--search", "dpor"]
    told = subprocess.run([*command, "--", *words], capture_output=True, check=False)
    whole = time.perf_counter() - began
    result = json.loads(told.stdout)
    assert result["complete"], result
    assert result["executions"] == number
    seconds, processor = map(min, zip(*found, strict=True))
    return Searched(seconds, processor, whole, number)


def theirs(venv: Path, name: str, count: int) -> Searched:
    """The search of frontrun, which wants to be started by its own command."""
    began = time.perf_counter()
    program = HERE / "peers" / "with_frontrun.py"
    command = [venv / "bin" / "frontrun", venv / "bin" / "python", program, name, count, MOST]
    told = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    whole = time.perf_counter() - began
    result = json.loads(told.stdout.splitlines()[-1])
    seconds, processor = result["seconds"], result["processor"]
    return Searched(seconds, processor, whole, result["executions"], result["complete"])


def main() -> int:
    """Print the figures; 1 if one is not what it should be."""
    venv = Path(sys.argv[1]) if len(sys.argv) == 2 else None
    if venv is None or not (venv / "bin" / "frontrun").exists():
        print(__doc__, file=sys.stderr)
        return 2
    slow = 0
    for name, count, words, wanted in CASES:
        we, they = ours(name, (str(count), *words)), theirs(venv, name, count)
        if they.seconds < 5:
            they = min(they, *(theirs(venv, name, count) for _ in range(2)))
        ratio = they.seconds / we.seconds
        slow += ratio < wanted
        least = "" if they.complete else "at least "
        print(
            f"{name} {count}: {we.executions} executions in {1000 * we.seconds:.1f} ms "
            f"(whole command {we.whole:.2f} s); frontrun {they.executions} in {least}"
            f"{they.seconds:.2f} s ({they.whole:.2f} s): {least}{ratio:,.0f} times as long "
            f"(wanted: {wanted}; {they.processor / we.processor:,.0f} by the processor's clock)",
            flush=True,
        )
    return min(slow, 1)


if __name__ == "__main__":
    sys.exit(main())
