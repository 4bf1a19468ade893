"""A ProcessPoolExecutor, and one that breaks."""

import multiprocessing
import os
import sys
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool


def square(n):
    return n * n


def fail(n):
    raise ValueError(f"no {n}")


def main():
    with ProcessPoolExecutor(2) as executor:
        print(list(executor.map(square, range(4))), list(executor.map(pow, [2, 3], [3, 2])))
        print(list(executor.map(square, range(5), chunksize=2)))
        future = executor.submit(square, 7)
        print(future.result(), future.done(), future.exception())
        print(repr(executor.submit(fail, 3).exception()))
        try:
            executor.submit(fail, 4).result()
        except ValueError as error:
            print("raised", error)
        futures = [executor.submit(square, n) for n in range(3)]
        print(sorted(future.result() for future in as_completed(futures)))
        done, left = wait([executor.submit(square, n) for n in range(3)])
        print(sorted(future.result() for future in done), left)
        first, _ = wait([executor.submit(square, 9)], return_when=FIRST_COMPLETED)
        print([future.result() for future in first])
    try:
        executor.submit(square, 1)
    except RuntimeError as error:
        print(error)
    with ProcessPoolExecutor(1) as executor:
        try:
            executor.submit(os._exit, 3).result()
        except BrokenProcessPool:
            print("broken")
    print("closed")


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
