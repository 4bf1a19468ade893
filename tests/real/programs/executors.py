"""Executors that break, with tasks on their way, and others in the middle of something else."""

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def square(n):
    return n * n


def outcome(future):
    try:
        return str(future.result())
    except Exception as error:
        return type(error).__name__


def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def breaks(size=1, initializer=None, size_of_item=1):
    """One task of several ends its worker."""
    with ProcessPoolExecutor(size, initializer=initializer) as executor:
        ending = executor.submit(os._exit, 3)
        others = []
        try:
            others += [executor.submit(len, b"x" * size_of_item) for _ in range(3)]
        except BrokenProcessPool:
            print("cannot be given more")
        print("ending", outcome(ending))
        for future in others:
            outcome(future)


def breaks_full():
    breaks(size_of_item=100_000)


def ignores():
    breaks(2, deaf)


def fills():
    with ProcessPoolExecutor(1) as executor:
        print(*executor.map(len, [b"x" * 100_000] * 3))


def drops():
    with ProcessPoolExecutor(2) as executor:
        things = [threading.Lock(), 2, threading.Lock()]
        print(*[outcome(future) for future in [executor.submit(square, one) for one in things]])


def cancels():
    with ProcessPoolExecutor(1) as executor:
        futures = [executor.submit(square, n) for n in range(5)]
        futures[4].cancel()
        executor.shutdown(cancel_futures=True)
        print("shut", futures[4].cancelled())


def inner(queue):
    with ProcessPoolExecutor(2) as executor:
        queue.put(list(executor.map(square, range(3))))


def inside():
    queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=inner, args=(queue,))
    child.start()
    print(*queue.get())
    child.join()


def two():
    queue = multiprocessing.Queue()
    with ProcessPoolExecutor(1) as one, ProcessPoolExecutor(1) as other:
        futures = [one.submit(square, 2), other.submit(square, 3)]
        queue.put(1)
        print(*map(outcome, futures), queue.get())


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    globals()[sys.argv[1]]()
