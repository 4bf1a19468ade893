"""A worker that dies in the middle of its task, which is lost."""

import os
from multiprocessing import Pool


def die():
    os._exit(3)


if __name__ == "__main__":
    pool = Pool(2)
    result = pool.apply_async(die)
    result.get()
    pool.close()
