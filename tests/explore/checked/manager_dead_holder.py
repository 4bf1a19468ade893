"""A process ends while it holds a manager's lock: the server goes on holding it for the dead."""

from multiprocessing import Manager, Process


def leave(lock):
    lock.acquire()
    print("gone")


if __name__ == "__main__":
    with Manager() as manager:
        lock = manager.Lock()
        child = Process(target=leave, args=(lock,))
        child.start()
        child.join()
        with lock:
            print("main")
