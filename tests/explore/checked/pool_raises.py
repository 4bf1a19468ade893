"""A task that raises, in the end in the main process."""

from multiprocessing import Pool


def task(n):
    return 1 // n


if __name__ == "__main__":
    with Pool(2) as pool:
        pool.map(task, [1, 0])
