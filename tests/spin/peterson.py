"""Peterson's mutual exclusion of two; if hasty, each gives way before it says that it wants."""

import sys
from multiprocessing import Process, RawArray, RawValue


def enter(me, wants, turn, counter, hasty):
    if hasty:
        turn.value = 1 - me
        wants[me] = 1
    else:
        wants[me] = 1
        turn.value = 1 - me
    while wants[1 - me] and turn.value == 1 - me:
        pass
    counter.value += 1
    wants[me] = 0


if __name__ == "__main__":
    wants, turn, counter = RawArray("i", 2), RawValue("i", 0), RawValue("i", 0)
    hasty = "hasty" in sys.argv
    both = [Process(target=enter, args=(me, wants, turn, counter, hasty)) for me in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    print(counter.value, turn.value, flush=True)
    assert counter.value == 2
