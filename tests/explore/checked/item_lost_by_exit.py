"""Who leaves by ``os._exit`` flushes nothing."""

import os
from multiprocessing import Process, Queue


def work(q):
    q.put("x")
    os._exit(0)


if __name__ == "__main__":
    q = Queue()
    child = Process(target=work, args=(q,))
    child.start()
    print(q.get())
    child.join()
