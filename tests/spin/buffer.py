"""A buffer, two producers and two consumers: its size, how many items each, perhaps greedy.

A greedy producer takes the lock before it waits for a slot.
"""

import sys
from multiprocessing import Lock, Process, RawArray, RawValue, Semaphore


def produce(me, many, shared, greedy):
    slots, items, lock, buffer, put, _ = shared
    for n in range(many):
        for one in (lock, slots) if greedy else (slots, lock):
            one.acquire()
        buffer[put.value] = 1 + me * many + n
        put.value = (put.value + 1) % len(buffer)
        lock.release()
        items.release()


def consume(me, many, shared):
    slots, items, lock, buffer, _, got = shared
    for _ in range(many):
        items.acquire()
        lock.acquire()
        print(me, buffer[got.value], flush=True)
        got.value = (got.value + 1) % len(buffer)
        lock.release()
        slots.release()


if __name__ == "__main__":
    size, many, greedy = int(sys.argv[1]), int(sys.argv[2]), "greedy" in sys.argv
    places = RawArray("i", size), RawValue("i", 0), RawValue("i", 0)
    shared = Semaphore(size), Semaphore(0), Lock(), *places
    for me in range(2):
        Process(target=produce, args=(me, many, shared, greedy)).start()
    for me in range(2):
        Process(target=consume, args=(me, many, shared)).start()
