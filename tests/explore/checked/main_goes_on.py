"""The main process never ends; it comes back to where it was, and so does not count steps."""

from multiprocessing import Lock, Process


def work(lock):
    with lock:
        pass


if __name__ == "__main__":
    lock = Lock()
    Process(target=work, args=(lock,)).start()
    while True:
        with lock:
            pass
