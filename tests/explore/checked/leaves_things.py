"""The child leaves by ``os._exit`` with the lock, and its item has perhaps not been sent yet."""

import os
from multiprocessing import Lock, Process, Queue


def work(lock, q):
    lock.acquire()
    q.put("x")
    os._exit(0)


if __name__ == "__main__":
    lock, q = Lock(), Queue()
    Process(name="Ada", target=work, args=(lock, q)).start()
    os._exit(0)
