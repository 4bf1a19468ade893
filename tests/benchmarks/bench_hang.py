"""Seconds from the moment in which a program hangs until it is said why.

Run: python tests/benchmarks/bench_hang.py [TIMES]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HANGS = Path(__file__).parents[1] / "real" / "programs" / "hangs.py"
#: Kinds and start methods; a diagnosis by proof first, then those where time has to do.
CASES = [
    *((kind, method) for kind in ("ab_ba", "missing_notifier") for method in ("fork", "spawn")),
    ("ab_ba", "forkserver"),
    ("dead_holder", "fork"),
    ("join_before_get", "fork"),
    ("with_a_feeder", "fork"),
    ("with_a_pool", "fork"),
    ("with_a_manager", "fork"),
    ("with_an_idle_manager", "fork"),
    ("read_socket", "fork"),
    ("lock_file", "fork"),
    ("wait_for_program", "fork"),
    ("wait_for_thread", "fork"),
    ("wait_in_select", "fork"),
]


def seconds(kind: str, method: str) -> tuple[float, str]:
    """From the hang until ``syncsim run`` says so, and what it says."""
    command = [sys.executable, "-m", "syncsim", "run", "--json", "--timeout", "20", str(HANGS)]
    run = subprocess.Popen(
        [*command, "--", kind, method], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    began = 0.0
    assert run.stdout is not None
    with run:
        for line in run.stdout:
            now = time.monotonic()
            record = json.loads(line)
            if record["type"] == "output" and record["stream"] == "stderr":
                began = max(began, *map(float, record["text"].split()), 0.0)
            elif record["type"] in ("standstill", "verdict"):
                run.terminate()
                return now - began, record["explanation"]
    raise RuntimeError(f"{kind} ({method}) said nothing")


def main() -> None:
    """The median and the longest of each case."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    longest = 0.0
    for kind, method in CASES:
        measured = [seconds(kind, method) for _ in range(times)]
        taken = [value for value, _ in measured]
        longest = max(longest, *taken)
        print(
            f"{kind:<22} {method:<11} median {statistics.median(taken):5.2f} s   "
            f"longest {max(taken):5.2f} s   {measured[-1][1][:60]}"
        )
    print(f"longest of all {longest:5.2f} s")


if __name__ == "__main__":
    main()
