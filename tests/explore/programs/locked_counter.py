"""Every process adds one to the counter, under its lock."""

import sys
from multiprocessing import Process, Value


def count(counter):
    with counter.get_lock():
        counter.value += 1


if __name__ == "__main__":
    counter = Value("i", 0)
    for _ in range(int(sys.argv[1])):
        Process(target=count, args=(counter,)).start()
