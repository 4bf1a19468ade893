"""Results by all ways: late, failed, one after the other, called back; the Pool closed at last."""

from multiprocessing import Pool, Value
from multiprocessing import TimeoutError as LateError


def share(value):
    global total
    total = value


def add(n):
    if n == 2:
        raise ValueError(n)
    with total.get_lock():
        total.value += n
    return n


def loud(error):
    print("called back", error)


if __name__ == "__main__":
    got = []
    total = Value("i", 0)
    pool = Pool(2, share, (total,))
    one = pool.apply_async(add, (1,), callback=got.append)
    two = pool.apply_async(add, (2,), error_callback=loud)
    try:
        print(one.get(timeout=5), one.ready(), one.successful())
    except LateError:
        print("late")
    two.wait(3)
    print(two.ready(), sorted(got))
    for each in pool.imap_unordered(add, [3, 4, 5], chunksize=2):
        print(each)
    numbers = pool.imap(add, (n for n in (5, 2, 6)))
    try:
        for each in numbers:
            print(each)
    except ValueError as error:
        print("no", error)
    pool.close()
    pool.join()
    print(total.value)
