"""Two workers, three tasks, and the Pool closed."""

from multiprocessing import Pool

if __name__ == "__main__":
    pool = Pool(2)
    pool.map(abs, range(3), chunksize=1)
    pool.close()
    pool.join()
