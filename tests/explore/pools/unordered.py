"""Results in any order, one of them an exception."""

from multiprocessing import Pool, RawValue


def task(n):
    if n == 2:
        raise ValueError(n)
    return n


if __name__ == "__main__":
    seen = RawValue("i", 0)
    pool = Pool(2)
    results = pool.imap_unordered(task, [1, 2])
    for _ in range(2):
        try:
            seen.value = 10 * seen.value + next(results)
        except ValueError:
            seen.value = 10 * seen.value + 9
    pool.close()
    pool.join()
