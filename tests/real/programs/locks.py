"""Lock, RLock, Semaphore and BoundedSemaphore, in children."""

import multiprocessing
import sys


def count(lock, cell, times):
    for _ in range(times):
        with lock:
            cell.value = cell.value + 1


def again(rlock, cell):
    with rlock, rlock:
        count(rlock, cell, 2)


def trying(lock, answers):
    answers.put((lock.acquire(False), lock.acquire(timeout=0.01)))


def main():
    lock, rlock = multiprocessing.Lock(), multiprocessing.RLock()
    permits, bounded = multiprocessing.Semaphore(2), multiprocessing.BoundedSemaphore(1)
    cell = multiprocessing.Value("i", 0, lock=False)
    other = multiprocessing.Value("i", 0)
    answers = multiprocessing.Queue()
    for target, args in (
        (count, (lock, cell, 5)),
        (count, (bounded, cell, 5)),
        (again, (rlock, cell)),
        (count, (permits, other, 3)),
    ):
        process = multiprocessing.Process(target=target, args=args)
        process.start()
        process.join()
    print("counted", cell.value, other.value)
    lock.acquire()
    process = multiprocessing.Process(target=trying, args=(lock, answers))
    process.start()
    print("a try and a wait for a taken lock:", answers.get())
    process.join()
    lock.release()
    print(lock, rlock, permits, bounded)
    for broken, error in ((lock, ValueError), (rlock, AssertionError), (bounded, ValueError)):
        try:
            broken.release()
        except error as complaint:
            print(type(complaint).__name__, complaint)
    print(permits.get_value(), bounded.get_value())


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
