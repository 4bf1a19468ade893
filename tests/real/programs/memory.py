"""Value and Array, with a lock and without, and their raw kin."""

import ctypes
import multiprocessing
import sys
from multiprocessing import sharedctypes


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_double))


def work(number, numbers, word, raw, point):
    with number.get_lock():
        number.value += 1
    numbers[1] = number.value
    numbers[2:] = [7, 8]
    word.value = b"hello"
    raw.value = 2.5
    with point:
        point.x, point.y = 3.0, 4.0


def main():
    number = multiprocessing.Value("i", 41)
    numbers = multiprocessing.Array("i", 4)
    word = multiprocessing.Array("c", 10)
    raw = sharedctypes.RawValue("d", 0.0)
    point = multiprocessing.Value(Point, 1.0, 2.0)
    process = multiprocessing.Process(target=work, args=(number, numbers, word, raw, point))
    process.start()
    process.join()
    print(number.value, numbers[:], list(numbers), len(numbers), word.value, raw.value)
    print(point.x, point.y, number, sharedctypes.copy(point.get_obj()).x)
    unlocked = multiprocessing.Array("d", [1.5, 2.5], lock=False)
    unlocked[0] = 9
    print(unlocked[:], number.get_obj().value)
    numbers.acquire()
    numbers[0] = -1
    numbers.release()
    print(numbers[0], numbers[-1])
    try:
        numbers[9] = 1
    except IndexError as error:
        print(error)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
