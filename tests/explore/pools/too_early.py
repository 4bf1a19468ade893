"""A Pool ended before its task is done, or before it is begun."""

from multiprocessing import Pool, RawValue


def share(value):
    global last
    last = value


def note(n):
    last.value = 10 * last.value + n


if __name__ == "__main__":
    pool = Pool(1, share, (RawValue("i", 0),))
    pool.apply_async(note, (1,))
    pool.apply_async(note, (2,))
    pool.terminate()
    pool.join()
