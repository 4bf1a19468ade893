"""One worker, one task, and the Pool ended while the worker may be anywhere."""

from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(1) as pool:
        pool.apply(int)
