"""A forked copy of a Pool, whose threads are in its parent alone."""

import multiprocessing
from multiprocessing import Pool, Process


def use():
    pool.apply(int)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    pool = Pool(1)
    child = Process(target=use)
    child.start()
    child.join()
