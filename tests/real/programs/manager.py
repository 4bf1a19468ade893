"""A server process with a dict, a list, a lock and a namespace."""

import multiprocessing
import sys


def work(words, numbers, lock, space, n):
    with lock:
        words[n] = n * n
        numbers.append(n)
        space.last = max(getattr(space, "last", 0), n)


def main():
    with multiprocessing.Manager() as manager:
        words, numbers, lock = manager.dict(), manager.list(), manager.Lock()
        space, jobs, event = manager.Namespace(), manager.Queue(), manager.Event()
        workers = [
            multiprocessing.Process(target=work, args=(words, numbers, lock, space, n))
            for n in (1, 2, 3)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(dict(sorted(words.items())), sorted(numbers), space.last)
        jobs.put("a job")
        event.set()
        print(jobs.get(), event.is_set(), event.wait(1))
        try:
            words["missing"]
        except KeyError as error:
            print("raised", error)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
