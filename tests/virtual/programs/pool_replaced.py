"""Workers that are replaced when they have done their share."""

from multiprocessing import Pool, Value, current_process


def share(value):
    global last
    last = value


def note(n):
    last.value = int(current_process().name[-1])
    return n


if __name__ == "__main__":
    pool = Pool(2, share, (Value("i", 0),), maxtasksperchild=1)
    results = [pool.apply_async(note, (n,)) for n in range(3)]
    got = [result.get() for result in results]
    pool.close()
    pool.join()
    print(got)
