"""A manager that is shut down while others still want something of it."""

from multiprocessing import Manager, Process


def wait(marks, bell):
    marks["waits"] = True
    try:
        bell.wait()
    except EOFError:
        print("nobody rings any more")


def lock_up(lock):
    lock.acquire()


def serve(jobs):
    try:
        while True:
            print(jobs.get())
    except (EOFError, BrokenPipeError):
        print("no more jobs")


if __name__ == "__main__":
    with Manager() as manager:
        marks, bell, lock, jobs = manager.dict(), manager.Event(), manager.Lock(), manager.Queue()
        lock.acquire()
        waiter = Process(target=wait, args=(marks, bell))
        waiter.start()
        locker = Process(target=lock_up, args=(lock,))
        locker.start()
        server = Process(target=serve, args=(jobs,))
        server.start()
        jobs.put("a job")
    try:
        marks["late"] = True
    except FileNotFoundError as error:
        print(error)
    for process in (waiter, locker, server):
        process.join()
