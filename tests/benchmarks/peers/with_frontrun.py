"""The programs of ``bench_frontrun`` as threads, searched by frontrun; one JSON line each.

Run by an interpreter that has frontrun: ``python with_frontrun.py NAME COUNT SECONDS``.
"""

import json
import sys
import threading
import time

import frontrun


class Table:
    """Philosophers who take the lower fork first."""

    def __init__(self, count):
        self.forks = [threading.Lock() for _ in range(count)]

    def dine(self, me):
        left, right = me, (me + 1) % len(self.forks)
        with self.forks[min(left, right)], self.forks[max(left, right)]:
            pass


class Counter:
    """A number that each thread reads, and writes one higher; perhaps under a lock."""

    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def increase(self):
        seen = self.value
        self.value = seen + 1

    def increase_locked(self):
        with self.lock:
            seen = self.value
            self.value = seen + 1


def program(name, count):
    """What makes the state, and what each thread does with it."""
    if name == "philosophers":
        return lambda: Table(count), [lambda table, me=me: table.dine(me) for me in range(count)]
    work = Counter.increase_locked if name == "locked_counter" else Counter.increase
    return Counter, [work] * count


def main():
    """Search one of them to its end, or until the time is over."""
    name, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    setup, workers = program(name, count)
    began, worked = time.perf_counter(), time.process_time()
    result = frontrun.explore(
        setup=setup,
        workers=workers,
        invariant=lambda state: True,  # nothing to be found: everything is visited
        stop_on_first=False,
        detect_io=False,
        reproduce_on_failure=0,
        max_executions=None,
        preemption_bound=None,
        total_timeout=seconds,
    )
    passed = time.perf_counter() - began
    print(
        json.dumps(
            {
                "seconds": passed,
                "processor": time.process_time() - worked,
                "executions": result.num_explored,
                "complete": passed < seconds,
                "holds": result.property_holds,
            }
        )
    )


if __name__ == "__main__":
    main()
