"""To add one to an item of a manager's dict is to read it and to write it."""

from multiprocessing import Manager, Process


def add(counts):
    counts["n"] += 1


if __name__ == "__main__":
    with Manager() as manager:
        counts = manager.dict(n=0)
        both = [Process(target=add, args=(counts,)) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join()
        assert counts["n"] == 2
