"""Shared memory without a lock."""

import ctypes
import multiprocessing
import sys
from multiprocessing import sharedctypes


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_double),)


def work(raw, numbers, unlocked, word, text, point):
    raw.value += 1
    numbers[1] = raw.value
    numbers[0:1] = [7]
    unlocked.value += 1
    word[0] = b"x"
    text.value = "hé"
    point.x = 4.5


def main():
    raw, numbers = multiprocessing.RawValue("i", 5), multiprocessing.RawArray("i", 3)
    unlocked = multiprocessing.Value("d", 1.5, lock=False)
    word, text = multiprocessing.Array("c", b"abc", lock=False), multiprocessing.RawArray("u", 4)
    locked, point = multiprocessing.Value("i", 3), multiprocessing.RawValue(Point, 3.5)
    process = multiprocessing.Process(target=work, args=(raw, numbers, unlocked, word, text, point))
    process.start()
    process.join()
    print(process.exitcode, raw.value, numbers[:], unlocked, list(numbers), len(numbers), raw)
    print(word.value, word.raw, text.value, text[:2], point.x, sharedctypes.copy(raw).value)
    locked.get_obj().value += 1
    print(locked.value, bytes(memoryview(numbers)), isinstance(raw, ctypes.c_int))
    print(type(raw).__name__, isinstance(numbers, ctypes.Array), ctypes.sizeof(numbers))
    try:
        numbers[9] = 1
    except IndexError as error:
        print(error)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
