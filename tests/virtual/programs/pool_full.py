"""More tasks than the pipe to the workers holds: the thread for tasks has to wait."""

from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(len, ["x" * 30_000] * 5, chunksize=1))
