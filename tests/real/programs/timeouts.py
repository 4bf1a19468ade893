"""Calls with a timeout that are sure to end by it, and such that have no need of it."""

import multiprocessing
import queue
import sys
import time


def want(lock, results):
    results.put(("in the child", lock.acquire(timeout=0.01), lock.acquire(False)))


def main():
    lock, jobs, never = multiprocessing.Lock(), multiprocessing.Queue(1), multiprocessing.Event()
    here, there = multiprocessing.Pipe()
    barrier = multiprocessing.Barrier(2)
    condition = multiprocessing.Condition()
    print(lock.acquire(timeout=10), lock.acquire(timeout=0.01), lock.acquire(timeout=-1))
    print(never.wait(0.01), never.wait(0))
    try:
        jobs.get(timeout=0.01)
    except queue.Empty as error:
        print("Empty", error.args)
    jobs.put(1)
    try:
        jobs.put(2, timeout=0.01)
    except queue.Full as error:
        print("Full", error.args)
    print(jobs.get(timeout=10))
    print(here.poll(0.01), here.poll())
    there.send("sent")
    print(here.poll(10), here.recv())
    try:
        barrier.wait(0.01)
    except Exception as error:
        print(type(error).__name__, barrier.broken)
    with condition:
        print(condition.wait(0.01), condition.wait_for(lambda: False, 0.01))
    results = multiprocessing.Queue()
    child = multiprocessing.Process(target=want, args=(lock, results))
    child.start()
    print(results.get(timeout=30))
    child.join(30)
    began = time.monotonic()
    time.sleep(0)
    print(child.exitcode, time.monotonic() >= began)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
