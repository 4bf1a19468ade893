"""Tasks that add to a number without its lock."""

from multiprocessing import Pool, Value


def share(value):
    global total
    total = value


def add(n):
    total.value += n


if __name__ == "__main__":
    total = Value("i", 0)
    with Pool(2, share, (total,)) as pool:
        pool.map(add, [1, 2])
    assert total.value == 3
