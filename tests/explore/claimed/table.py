"""Philosophers who never stop: with forks, the last one left-handed, or as Tanenbaum has it.

(Of Tanenbaum's the last one is away, which makes it smaller.)
"""

import sys
from multiprocessing import Lock, Process, RawArray, Semaphore, set_start_method

THINKS, HUNGRY, EATS = 0, 1, 2


def eat():
    print("eats")


def dine(first, second):
    while True:
        with first, second:
            eat()


def look(moods, seats, me):
    """Lets me eat if I am hungry and no neighbour eats."""
    now = moods[:]
    count = len(now)
    if now[me] == HUNGRY and EATS not in (now[me - 1], now[(me + 1) % count]):
        moods[me] = EATS
        seats[me].release()


def dine_politely(table, moods, seats, me):
    count = len(moods)
    while True:
        with table:
            moods[me] = HUNGRY
            look(moods, seats, me)
        seats[me].acquire()
        eat()
        with table:
            moods[me] = THINKS
            look(moods, seats, (me - 1) % count)
            look(moods, seats, (me + 1) % count)


if __name__ == "__main__":
    set_start_method("fork")
    how, count = sys.argv[1], int(sys.argv[2])
    if how == "forks":
        forks = [Lock() for _ in range(count)]
        for me in range(count):
            pair = [forks[me], forks[(me + 1) % count]]
            if me == count - 1:
                pair.reverse()
            Process(name=f"P{me}", target=dine, args=pair).start()
    else:
        table = Lock()
        moods = RawArray("i", count)
        seats = [Semaphore(0) for _ in range(count)]
        for me in range(count - 1):
            Process(name=f"P{me}", target=dine_politely, args=(table, moods, seats, me)).start()
