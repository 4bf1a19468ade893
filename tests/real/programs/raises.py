"""Exceptions that nobody catches, in a child and then in the main process."""

import multiprocessing
import queue
import sys


def deep(jobs):
    try:
        jobs.get(False)
    except queue.Empty as error:
        raise RuntimeError("[/foo] nothing there") from error


def misuse(lock):
    lock.release()


def main():
    jobs, lock = multiprocessing.Queue(), multiprocessing.Lock()
    for name, target, args in (("Ada", deep, (jobs,)), ("Bob", misuse, (lock,))):
        process = multiprocessing.Process(name=name, target=target, args=args)
        process.start()
        process.join()
        print(name, process.exitcode)
    print("to stderr", file=sys.stderr)
    process.start()


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
