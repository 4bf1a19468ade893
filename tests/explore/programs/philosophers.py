"""Philosophers at a round table: how many, how many meals, and whether the last is left-handed."""

import sys
from multiprocessing import Lock, Process, set_start_method


def philosopher(first, second, meals):
    for _ in range(meals):
        first.acquire()
        second.acquire()
        second.release()
        first.release()


if __name__ == "__main__":
    set_start_method("fork")
    count, meals, lefty = int(sys.argv[1]), int(sys.argv[2]), "lefty" in sys.argv
    forks = [Lock() for _ in range(count)]
    for n in range(count):
        left, right = forks[n], forks[(n + 1) % count]
        if lefty and n == count - 1:
            left, right = right, left
        Process(target=philosopher, args=(left, right, meals)).start()
