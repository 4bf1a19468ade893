"""A notification that comes before anybody waits is heard by nobody."""

from multiprocessing import Condition, Process


def work(c):
    with c:
        c.wait()


if __name__ == "__main__":
    c = Condition()
    child = Process(target=work, args=(c,))
    child.start()
    with c:
        c.notify()
    child.join()
