"""Threads put messages into a hash table of 128 places, each under a lock of its own.

Flanagan, Godefroid: "Dynamic partial-order reduction for model checking software", POPL 2005,
figure 1: 13 and more of them get in each other's way.
"""

import sys
from multiprocessing import Lock, Process, RawArray, set_start_method

SIZE, MAX = 128, 4


def index(tid, table, locks):
    for m in range(1, MAX + 1):
        w = m * 11 + tid
        h = (w * 7) % SIZE
        while not put(table, locks, h, w):
            h = (h + 1) % SIZE


def put(table, locks, h, w):
    with locks[h]:
        if table[h] == 0:
            table[h] = w
            return True
        return False


if __name__ == "__main__":
    set_start_method("fork")
    table = RawArray("i", SIZE)
    locks = [Lock() for _ in range(SIZE)]
    for tid in range(int(sys.argv[1])):
        Process(target=index, args=(tid, table, locks)).start()
