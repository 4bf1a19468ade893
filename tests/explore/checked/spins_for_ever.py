"""A process spins on a value that nobody will change."""

from multiprocessing import Process, Value


def wait(flag):
    while not flag.value:
        pass


def forget(flag):
    pass


if __name__ == "__main__":
    flag = Value("i", 0)
    both = [Process(target=target, args=(flag,)) for target in (wait, forget)]
    for one in both:
        one.start()
    for one in both:
        one.join()
