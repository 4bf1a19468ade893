"""Every process adds one to the counter, under its lock."""

import sys
from multiprocessing import Process, Value, set_start_method


def count(counter):
    with counter.get_lock():
        counter.value += 1


if __name__ == "__main__":
    set_start_method("fork")
    counter = Value("i", 0)
    for _ in range(int(sys.argv[1])):
        Process(target=count, args=(counter,)).start()
