"""Two tasks of a Pool take two locks crosswise."""

from multiprocessing import Lock, Pool, set_start_method


def keep(one, other):
    global locks
    locks = one, other


def work(turned):
    first, second = reversed(locks) if turned else locks
    with first, second:
        return turned


if __name__ == "__main__":
    set_start_method("fork")
    with Pool(2, keep, (Lock(), Lock())) as pool:
        pool.map(work, [False, True], chunksize=1)
