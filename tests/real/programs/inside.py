"""A Queue with its feeder threads, a Condition, an Event and a Barrier."""

import multiprocessing
import sys


def produce(queue, ready):
    for item in range(3):
        queue.put(item)
    ready.set()


def consume(queue, bell, gate):
    for _ in range(3):
        print(queue.get())
    with bell:
        bell.notify_all()
    gate.wait()


def sleep(bell, ready, gate):
    with bell:
        bell.wait(timeout=5)
    ready.wait()
    gate.wait()


def main():
    queue = multiprocessing.Queue(2)
    bell = multiprocessing.Condition()
    ready = multiprocessing.Event()
    gate = multiprocessing.Barrier(2)
    processes = [
        multiprocessing.Process(target=produce, args=(queue, ready), name="Ada"),
        multiprocessing.Process(target=consume, args=(queue, bell, gate), name="Bob"),
        multiprocessing.Process(target=sleep, args=(bell, ready, gate), name="Cleo"),
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
