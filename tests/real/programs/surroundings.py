"""What a program sees of the world around it."""

import multiprocessing
import os
import sys
import threading
import time

import __main__


def next_file():
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    return number


def look(who, lock):
    with lock:
        print(who, "arguments", sys.argv[1:], "in", os.getcwd())
        print(who, "path", sys.path[0], "main", os.path.basename(__main__.__file__))
        print(who, "threads", threading.active_count(), "name", threading.current_thread().name)
        print(who, "process", multiprocessing.current_process().name)
        print(who, "next file", next_file() if who == "main" else "-")
        print(who, "streams", sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.encoding)
        print(who, "stdin", sys.stdin.read() if who == "main" else "-")
        print(who, "locked", lock.acquire(False))


def main():
    lock = multiprocessing.Lock()
    look("main", lock)
    process = multiprocessing.Process(name="Ada", target=look, args=("child", lock))
    process.start()
    process.join()
    began = time.monotonic()
    time.sleep(0.001)
    print(time.monotonic() >= began, __name__, __main__.__spec__, __main__.__doc__)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
