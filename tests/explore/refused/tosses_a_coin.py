"""Each takes the lock or does not, as chance will have it."""

import os
from multiprocessing import Lock, Process


def toss(lock):
    if os.urandom(1)[0] % 2:
        with lock:
            pass


if __name__ == "__main__":
    lock = Lock()
    for _ in range(3):
        Process(target=toss, args=(lock,)).start()
