"""How long a counterexample takes on real processes, from the first grant to the verdict.

    python tests/benchmarks/bench_replay.py

Three philosophers, each with one fork: three processes are forked, and each takes a lock and
waits for another.  The limit is what plain Python needs to fork three processes and join them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import syncsim
from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.schedule import parse_schedule
from syncsim.program.source import load
from syncsim.real.run import RealRun

PROGRAM = Path(__file__).parent.parent / "explore" / "programs" / "philosophers.py"
ARGUMENTS = ("3", "1")
#: Milliseconds that it should take at most.
MOST = 50
_BARE = """
import time
from multiprocessing import get_context

context, times = get_context("fork"), []
for _ in range(20):
    began = time.perf_counter()
    three = [context.Process(target=time.perf_counter) for _ in range(3)]
    for one in three:
        one.start()
    for one in three:
        one.join()
    times.append(time.perf_counter() - began)
print(1000 * sorted(times)[len(times) // 2])
"""


def bare() -> float:
    """Milliseconds in which plain Python forks and joins three processes: the median of 20."""
    return float(subprocess.run([sys.executable, "-c", _BARE], capture_output=True).stdout)


def replay(schedule: str) -> tuple[float, float]:
    """Milliseconds from the first grant to the verdict, and with all that is before and after."""
    choices = parse_schedule(schedule)
    started = time.perf_counter()
    world = RealRun(load(PROGRAM, ARGUMENTS), patience=10.0)
    try:
        world.settle(time.monotonic() + 20)
        began = time.perf_counter()
        for choice in choices:
            world.take(choice, time.monotonic() + 20)
        verdict = diagnose(world.state).verdict
        assert verdict is Verdict.DEADLOCK
        assert not world.may_still_move()
        passed = time.perf_counter() - began
    finally:
        world.close()
    return 1000 * passed, 1000 * (time.perf_counter() - started)


def main() -> int:
    """Print the figures; 1 if it takes too long."""
    schedule = syncsim.check(PROGRAM, arguments=ARGUMENTS).schedule
    limits, found = [], []
    for _ in range(10):
        limits.append(bare())
        found.append(replay(schedule))
    limit, (passed, whole) = sorted(limits)[5], sorted(found)[5]
    print(f"the limit: plain Python forks and joins three processes in {limit:.1f} ms")
    print(
        f"three philosophers, schedule {schedule}: {passed:.1f} ms from the first grant to the "
        f"verdict (at most {MOST}), {passed / limit:.1f} times the limit; "
        f"{whole:.0f} ms with the start of the interpreter and the end of it all"
    )
    return int(passed > MOST)


if __name__ == "__main__":
    sys.exit(main())
