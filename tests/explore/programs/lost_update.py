"""Every process reads the counter, and writes what it has read plus one."""

import sys
from multiprocessing import Process, RawValue, set_start_method


def count(counter):
    counter.value += 1


if __name__ == "__main__":
    set_start_method("fork")
    counter = RawValue("i", 0)
    for _ in range(int(sys.argv[1])):
        Process(target=count, args=(counter,)).start()
