"""Two tasks of a Pool take two locks crosswise."""

from multiprocessing import Lock, Pool


def keep(one, other):
    global locks
    locks = one, other


def work(turned):
    first, second = reversed(locks) if turned else locks
    with first, second:
        return turned


if __name__ == "__main__":
    with Pool(2, keep, (Lock(), Lock())) as pool:
        pool.map(work, [False, True], chunksize=1)
