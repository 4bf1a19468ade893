"""Two workers, two tasks, and the Pool ended while they are still about."""

from multiprocessing import Pool, RawValue


def share(value):
    global last
    last = value


def note(n):
    last.value = n


if __name__ == "__main__":
    with Pool(2, share, (RawValue("i", 0),)) as pool:
        pool.map(note, (1, 2), chunksize=1)
