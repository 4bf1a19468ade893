"""Two locks of a manager, taken in opposite order."""

from multiprocessing import Manager, Process


def work(one, other):
    with one, other:
        print("both")


if __name__ == "__main__":
    with Manager() as manager:
        left, right = manager.Lock(), manager.RLock()
        both = [Process(target=work, args=pair) for pair in ((left, right), (right, left))]
        for process in both:
            process.start()
        for process in both:
            process.join()
