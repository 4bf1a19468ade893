"""Each takes the lock or does not, as chance will have it; and before, eight times, one of its own.

(Three coins alone fall the same way four times running in one of a thousand checks.)
"""

import os
from multiprocessing import Lock, Process, set_start_method


def toss(lock):
    own = Lock(), Lock()
    for byte in os.urandom(8):
        with own[byte % 2]:
            pass
    if os.urandom(1)[0] % 2:
        with lock:
            pass


if __name__ == "__main__":
    set_start_method("fork")
    lock = Lock()
    for _ in range(3):
        Process(target=toss, args=(lock,)).start()
