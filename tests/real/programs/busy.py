"""Loops that spin on shared memory, and code that computes and never reaches an operation."""

import multiprocessing
import sys
import threading


def wait_for(flag, answer):
    while not flag.value:
        pass
    answer.value = 7


def compute(results):
    total = 0
    for n in range(200_000):
        total += n * n % 7
    results.put(total)


def in_threads(lock, cell):
    def add():
        with lock:
            cell.value += 1

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def have_children(cell, depth):
    cell.value += 1
    if depth:
        child = multiprocessing.Process(target=have_children, args=(cell, depth - 1))
        child.start()
        child.join()
        print("depth", depth, child.exitcode)


def main():
    flag, answer = multiprocessing.Value("b", 0), multiprocessing.Value("i", 0, lock=False)
    lock, cell = multiprocessing.Lock(), multiprocessing.Value("i", 0)
    results, depth = multiprocessing.SimpleQueue(), multiprocessing.Value("i", 0)
    children = [
        multiprocessing.Process(target=wait_for, args=(flag, answer)),
        multiprocessing.Process(target=compute, args=(results,)),
        multiprocessing.Process(target=in_threads, args=(lock, cell)),
        multiprocessing.Process(target=have_children, args=(depth, 2)),
    ]
    for child in children:
        child.start()
    print(results.get())
    flag.value = 1
    for child in children:
        child.join()
    print(answer.value, cell.value, [child.exitcode for child in children])


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
