"""A process that is terminated while it holds a lock never gives it back."""

from multiprocessing import Lock, Process


def work(lock):
    with lock:
        print("in")


if __name__ == "__main__":
    lock = Lock()
    child = Process(target=work, args=(lock,))
    child.start()
    child.terminate()
    child.join()
    with lock:
        print("main")
