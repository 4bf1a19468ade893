"""A Pool that does as it should."""

from multiprocessing import Pool, Value


def share(value):
    global total
    total = value


def add(n):
    with total.get_lock():
        total.value += n
    return n * n


if __name__ == "__main__":
    total = Value("i", 0)
    with Pool(2, share, (total,)) as pool:
        assert pool.map(add, [1, 2]) == [1, 4]
    assert total.value == 3
