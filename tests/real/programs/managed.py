"""All that a manager can keep, with a type of the program's own, used by two processes."""

import multiprocessing
import queue
import sys
from multiprocessing.managers import SyncManager


class Counter:
    def __init__(self):
        self.n = 0

    def add(self, k=1):
        self.n += k
        return self.n


class Office(SyncManager):
    pass


Office.register("Counter", Counter)


def work(n, things):
    things["event"].wait()
    with things["lock"]:
        things["words"][n] = [n]
        things["words"][n].append(99)  # into a copy: lost
        things["numbers"].append(n)
    with things["rlock"], things["rlock"]:
        things["space"].x = n
    with things["permits"]:
        things["value"].value += 0
    things["jobs"].put(n * 10)
    things["array"][n] = n
    with things["condition"]:
        things["condition"].notify_all()
    things["barrier"].wait()
    things["counter"].add(k=2)


def main():
    office = Office()
    office.start()
    things = {
        "words": office.dict(),
        "numbers": office.list([0]),
        "space": office.Namespace(x=0),
        "jobs": office.Queue(1),
        "lock": office.Lock(),
        "rlock": office.RLock(),
        "permits": office.Semaphore(2),
        "condition": office.Condition(),
        "event": office.Event(),
        "barrier": office.Barrier(3),
        "value": office.Value("i", 7),
        "array": office.Array("i", [0, 0, 0]),
        "counter": office.Counter(),
    }
    workers = [
        multiprocessing.Process(target=work, args=(n, things), name=f"Worker-{n}") for n in (1, 2)
    ]
    for worker in workers:
        worker.start()
    things["event"].set()
    with things["condition"]:
        things["condition"].wait(0.2)
    print(sorted([things["jobs"].get(), things["jobs"].get()]))
    things["barrier"].wait()
    for worker in workers:
        worker.join()
    print(dict(sorted(things["words"].items())), sorted(things["numbers"]), sorted(things["words"]))
    print(things["space"].x in (1, 2), things["value"].value, things["array"][:])
    print(things["counter"].add(), [worker.exitcode for worker in workers])
    for tried in (0.2, 0):
        try:
            things["jobs"].get(tried > 0, tried)
        except queue.Empty:
            print("empty")
    lock = things["lock"]
    print(things["event"].wait(0.1), lock.acquire(timeout=0.1), lock.acquire(timeout=0.1))
    try:
        things["permits"].no_such_method()
    except AttributeError as error:
        print(error)
    office.shutdown()


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
