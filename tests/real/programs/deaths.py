"""What a process that is killed leaves behind: its locks, its sleep, its unsent items."""

import multiprocessing
import os
import signal
import sys


def die_holding(lock, permits):
    lock.acquire()
    permits.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_on(event, ready):
    ready.set()
    event.wait()


def set_it(event):
    event.set()


def die_in_the_middle(jobs):
    jobs.put("x" * 1_000_000)
    while jobs.empty():
        pass
    os._exit(3)


def killed(process):
    process.kill()
    process.join()
    return process.exitcode


def started(target, *args):
    process = multiprocessing.Process(target=target, args=args)
    process.start()
    return process


def main():
    lock, permits = multiprocessing.Lock(), multiprocessing.Semaphore(2)
    holder = started(die_holding, lock, permits)
    holder.join()
    print("killed", holder.exitcode, lock.acquire(timeout=0.05))
    print("permits", permits.acquire(timeout=0.05), permits.acquire(timeout=0.05))
    event, ready = multiprocessing.Event(), multiprocessing.Event()
    sleeper = started(sleep_on, event, ready)
    ready.wait()
    while not event._cond._sleeping_count._semlock._get_value():
        pass
    print("sleeper", killed(sleeper))
    setter = started(set_it, event)
    setter.join(0.3)
    print("setter", setter.is_alive(), killed(setter))
    jobs = multiprocessing.Queue()
    sender = started(die_in_the_middle, jobs)
    sender.join()
    print("sender", sender.exitcode, jobs.empty())


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
