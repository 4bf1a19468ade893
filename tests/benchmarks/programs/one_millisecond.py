"""A producer and a consumer that work one millisecond on each item."""

import sys
import time
from multiprocessing import Process, Queue


def work(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def produce(queue, count):
    for number in range(count):
        work(0.001)
        queue.put(number)
    queue.put(None)


def consume(queue):
    while queue.get() is not None:
        work(0.001)


def main():
    queue = Queue(10)
    consumer = Process(target=consume, args=(queue,))
    consumer.start()
    start = time.perf_counter()
    produce(queue, int(sys.argv[1]))
    consumer.join()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
