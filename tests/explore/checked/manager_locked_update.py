"""The same with a lock."""

from multiprocessing import Manager, Process


def add(counts, lock):
    with lock:
        counts["n"] += 1


if __name__ == "__main__":
    with Manager() as manager:
        counts, lock = manager.dict(n=0), manager.Lock()
        both = [Process(target=add, args=(counts, lock)) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join()
        assert counts["n"] == 2
