"""The notification comes before anybody waits for it."""

from multiprocessing import Manager, Process


def notify(ready):
    with ready:
        ready.notify()


if __name__ == "__main__":
    with Manager() as manager:
        ready = manager.Condition()
        child = Process(target=notify, args=(ready,))
        child.start()
        with ready:
            ready.wait()
        child.join()
