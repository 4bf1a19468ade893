"""A pool of workers, by every way there is to hand it work."""

import multiprocessing
import sys
import threading
from multiprocessing.pool import ThreadPool


def square(n):
    return n * n


def fail(n):
    raise ValueError(f"no {n}")


def is_child():
    return multiprocessing.parent_process() is not None


def remember(word):
    global start
    start = word


def recall(n):
    return start, n


def main():
    with multiprocessing.Pool(2) as pool:
        print(pool.map(square, range(5)), pool.map(square, []))
        print(pool.map(square, range(7), chunksize=3), pool.map_async(square, [9]).get(60))
        print(sorted(pool.imap_unordered(square, range(3))), list(pool.imap(square, range(5), 2)))
        print(pool.apply(square, (7,)), pool.apply_async(square, (8,)).get(60))
        try:
            pool.map(fail, [1])
        except ValueError as error:
            print("raised", error)
        try:
            pool.apply(square, (threading.Lock(),))
        except TypeError:
            print("cannot be pickled")
        print(pool.starmap(pow, [(2, 3), (3, 2)]), pool.apply(is_child))
        print(pool.starmap_async(pow, [(2, 4)]).get())
        heard = []
        pool.apply_async(square, (3,), callback=heard.append).wait()
        pool.apply_async(fail, (3,), error_callback=lambda e: heard.append(str(e))).wait()
        print(heard)
        result = pool.apply_async(square, (4,))
        result.wait()
        print(result.ready(), result.successful(), result.get())
        pool.close()
        try:
            pool.apply(square, (1,))
        except ValueError as error:
            print(error)
        pool.join()
    with multiprocessing.Pool(2, remember, ("begun",), maxtasksperchild=1) as pool:
        print(pool.map(recall, range(5)))
    pool = multiprocessing.Pool(1)
    print(next(pool.imap(square, [5])))
    pool.terminate()
    pool.join()
    with ThreadPool(2) as threads:
        print(threads.map(square, range(4)))
    print("closed")


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
