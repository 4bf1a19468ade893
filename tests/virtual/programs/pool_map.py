"""A Pool that is used as it mostly is, until its workers are terminated."""

from multiprocessing import Pool


def square(n):
    return n * n


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(square, [1, 2, 3], chunksize=1))
        print(pool.map(square, []))
        print(pool.starmap(pow, [(2, 3), (3, 2)]))
