"""Leaves a line in a file each time; one takes a lock that another never gives back."""

import sys
from multiprocessing import Lock, Process


def take(lock):
    lock.acquire()


if __name__ == "__main__":
    with open(sys.argv[1], "a", encoding="ascii") as file:
        file.write("ran\n")
    lock = Lock()
    for _ in range(2):
        Process(target=take, args=(lock,)).start()
