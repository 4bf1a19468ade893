"""Blocks of shared memory and lists in them, by name and through a manager."""

import multiprocessing
import sys
from multiprocessing.managers import SharedMemoryManager
from multiprocessing.shared_memory import ShareableList, SharedMemory


def work(name, cells, lock):
    block = SharedMemory(name)
    block.buf[0] = 7
    block.close()
    with lock:
        cells[0] += 1
    cells[1] = "x"
    try:
        cells[1] = "far too long for this place"
    except ValueError as error:
        print(error)
    cells.shm.close()


def main():
    block = SharedMemory(create=True, size=64)
    cells = ShareableList([1, "word", None, 2.5])
    lock = multiprocessing.Lock()
    workers = [
        multiprocessing.Process(target=work, args=(block.name, cells, lock)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(block.buf[0], list(cells), cells.count(3), len(cells))
    for one in (block, cells.shm):
        one.close()
        one.unlink()
    try:
        SharedMemory("none-such")
    except FileNotFoundError:
        print("there is none")
    with SharedMemoryManager() as manager:
        one, two = manager.SharedMemory(16), manager.ShareableList([1, 2])
        two[0] = 5
        print(one.size, two[0])


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
