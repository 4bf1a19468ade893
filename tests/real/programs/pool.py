"""A pool of workers."""

import multiprocessing
import os
import sys


def square(n):
    return n * n


def fail(n):
    raise ValueError(f"no {n}")


def main():
    with multiprocessing.Pool(2) as pool:
        print(pool.map(square, range(5)))
        print(sorted(pool.imap_unordered(square, range(3))))
        print(pool.apply(square, (7,)), pool.apply_async(square, (8,)).get(20))
        try:
            pool.map(fail, [1])
        except ValueError as error:
            print("raised", error)
        print(pool.starmap(pow, [(2, 3), (3, 2)]), pool.apply(os.getpid) != os.getpid())
        pool.close()
        pool.join()
    print("closed")


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
