"""Two read what a manager keeps, and write it plus one."""

from multiprocessing import Manager, Process, set_start_method


def add(shared):
    shared["n"] = shared["n"] + 1


if __name__ == "__main__":
    set_start_method("fork")
    with Manager() as manager:
        shared = manager.dict(n=0)
        both = [Process(target=add, args=(shared,)) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert shared["n"] == 2
