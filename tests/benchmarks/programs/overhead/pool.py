"""A pool of two workers maps a small function over many numbers."""

import sys
from multiprocessing import Pool, Value

counted = None


def share(value):
    global counted
    counted = value


def following(number):
    return 3 * number + 1 if number % 2 else number // 2


def length(number):
    """The steps that a Collatz sequence takes to reach 1; every fiftieth is counted."""
    if number % 50 == 0:
        with counted.get_lock():
            counted.value += 1
    steps = 0
    while number != 1:
        number = following(number)
        steps += 1
    return steps


def main():
    most = int(sys.argv[1])
    value = Value("i", 0)
    with Pool(2, share, (value,)) as pool:
        longest = max(pool.imap_unordered(length, range(1, most), chunksize=5))
        assert longest >= max(pool.map(length, range(1, 100), chunksize=1))
        results = [pool.apply_async(length, (number,)) for number in range(1, 1000)]
        assert all(result.get() <= longest for result in results)
    assert value.value == (most - 1) // 50 + 1 + 19


if __name__ == "__main__":
    main()
