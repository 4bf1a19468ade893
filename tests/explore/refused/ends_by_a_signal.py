"""Who waits is ended by the handler of a signal, in its own time."""

import ctypes
import multiprocessing
import os
import signal


def end(number, frame):
    ctypes.CDLL(None).usleep(500_000)
    os._exit(0)


def take(lock, ready):
    signal.signal(signal.SIGUSR1, end)
    ready.release()
    lock.acquire()


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock, ready = multiprocessing.Lock(), multiprocessing.Semaphore(0)
    lock.acquire()
    child = multiprocessing.Process(target=take, args=(lock, ready))
    child.start()
    ready.acquire()
    os.kill(child.pid, signal.SIGUSR1)
    child.join()
