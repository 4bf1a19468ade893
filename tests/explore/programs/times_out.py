"""Sleepers whom nobody wakes: each gives up, and takes the lock again."""

import sys
from multiprocessing import Condition, Process, set_start_method


def sleep(condition):
    with condition:
        condition.wait(0.01)


if __name__ == "__main__":
    set_start_method("fork")
    condition = Condition()
    for _ in range(int(sys.argv[1])):
        Process(target=sleep, args=(condition,)).start()
