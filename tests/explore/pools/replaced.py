"""Workers with one task each: who does which, and what is new in the memory that they copy."""

from multiprocessing import Pool, RawValue, current_process


def share(value):
    global last
    last = value


def note(n):
    last.value = 10 * last.value + int(current_process().name[-1])


if __name__ == "__main__":
    pool = Pool(2, share, (RawValue("i", 0),), maxtasksperchild=1)
    pool.map(note, range(2), chunksize=1)
    pool.close()
    pool.join()
