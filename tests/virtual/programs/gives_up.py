"""Timeouts, tries, and errors that the program catches."""

from multiprocessing import BoundedSemaphore, Condition, Process, Queue, Semaphore
from queue import Empty, Full


def wait(condition, queue):
    with condition:
        print(condition.wait(0.1))
    try:
        print(queue.get(timeout=0.1))
    except Empty:
        print("empty")


if __name__ == "__main__":
    condition, queue, permits = Condition(), Queue(1), BoundedSemaphore(2)
    child = Process(target=wait, args=(condition, queue))
    child.start()
    try:
        permits.release()
    except ValueError as error:
        print(error)
    queue.put("one")
    try:
        queue.put("two", block=False)
    except Full:
        print("full")
    print(Semaphore(0).acquire(timeout=0.1))
    with condition:
        condition.notify()
    child.join()
