"""One process looks for the last zero in an array in which n others count up.

Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order reduction", POPL 2014, figure 4.
"""

import sys
from multiprocessing import Process, RawArray, set_start_method


def look(array):
    i = len(array) - 1
    while array[i] != 0:
        i -= 1


def count(array, j):
    array[j] = array[j - 1] + 1


if __name__ == "__main__":
    set_start_method("fork")
    n = int(sys.argv[1])
    array = RawArray("i", n + 1)
    Process(target=look, args=(array,)).start()
    for j in range(1, n + 1):
        Process(target=count, args=(array, j)).start()
