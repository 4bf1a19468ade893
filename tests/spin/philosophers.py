"""Philosophers who eat once: how many, and whether the last one is left-handed."""

import sys
from multiprocessing import Lock, Process


def philosopher(me, first, second):
    first.acquire()
    print(me, flush=True)
    second.acquire()
    print(me, flush=True)
    second.release()
    first.release()


if __name__ == "__main__":
    count, lefty = int(sys.argv[1]), "lefty" in sys.argv
    forks = [Lock() for _ in range(count)]
    for me in range(count):
        first, second = forks[me], forks[(me + 1) % count]
        if lefty and me == count - 1:
            first, second = second, first
        Process(target=philosopher, args=(me, first, second)).start()
