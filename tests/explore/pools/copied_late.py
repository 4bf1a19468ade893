"""A new worker has the memory that its parent has just then."""

from multiprocessing import Pool, RawValue

news = 0


def share(value):
    global last
    last = value


def note():
    last.value = 10 * last.value + news


if __name__ == "__main__":
    pool = Pool(1, share, (RawValue("i", 1),), maxtasksperchild=1)
    one = pool.apply_async(note)
    two = pool.apply_async(note)
    news = 2
    print(news)
    one.get()
    news = 3
    print(news)
    two.get()
    pool.close()
    pool.join()
