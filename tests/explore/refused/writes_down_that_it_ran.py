"""Leaves a line in a file each time; one takes a lock that another never gives back."""

import sys
from multiprocessing import Lock, Process, set_start_method


def take(lock):
    lock.acquire()


if __name__ == "__main__":
    set_start_method("fork")
    with open(sys.argv[1], "a", encoding="ascii") as file:
        file.write("ran\n")
    lock = Lock()
    for _ in range(2):
        Process(target=take, args=(lock,)).start()
