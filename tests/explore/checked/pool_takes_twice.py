"""A task that takes its lock twice."""

from multiprocessing import Lock, Pool


def share(one):
    global lock
    lock = one


def task(n):
    with lock, lock:
        return n


if __name__ == "__main__":
    with Pool(2, share, (Lock(),)) as pool:
        pool.map(task, range(2))
