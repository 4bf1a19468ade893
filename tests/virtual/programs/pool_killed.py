"""A worker that is killed, perhaps with a lock of the Pool in its hands."""

from multiprocessing import Pool

if __name__ == "__main__":
    pool = Pool(2)
    first = pool.apply(abs, (-2,))
    pool._pool[0].kill()
    second = pool.apply(abs, (-3,))
    print(first, second)
