"""Every process reads a number under a lock, and writes one more; as in ``peers``."""

import sys
from multiprocessing import Lock, Process, RawValue


def count(lock, number):
    with lock:
        number.value += 1


if __name__ == "__main__":
    lock, number = Lock(), RawValue("i", 0)
    for _ in range(int(sys.argv[1])):
        Process(target=count, args=(lock, number)).start()
