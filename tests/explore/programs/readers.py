"""One writes x; n others each look at a place of their own, and then at x.

Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order reduction", POPL 2014, figure 6.
"""

import sys
from multiprocessing import Process, RawArray, RawValue, set_start_method


def write(x):
    x.value = 1


def look(x, own, n):
    return own[n], x.value


if __name__ == "__main__":
    set_start_method("fork")
    n = int(sys.argv[1])
    x, own = RawValue("i", 0), RawArray("i", n)
    Process(target=write, args=(x,)).start()
    for j in range(n):
        Process(target=look, args=(x, own, j)).start()
