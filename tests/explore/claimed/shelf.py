"""Everything that a property can ask for: a queue, a Pipe, values, locks, an Event, a Condition."""

from multiprocessing import (
    Array,
    Condition,
    Event,
    Lock,
    Pipe,
    Process,
    Queue,
    RawValue,
    RLock,
    Semaphore,
    Value,
)


def bake(shelf, slots, count, started):
    started.set()
    for loaf in ("rye", ("two", 2)):
        with slots:
            shelf.put(loaf)
        with count:
            count.value += 1


def sell(shelf, lock, sold, note, bell):
    for at in range(2):
        loaf = shelf.get()
        with lock, lock:
            sold[at] = len(loaf)
    note.send({"sold": 2})
    with bell:
        bell.notify()


if __name__ == "__main__":
    shelf, slots, count, started = Queue(1), Semaphore(2), Value("i", 0), Event()
    lock, sold, raw = RLock(), Array("i", 3), RawValue("d", 0.5)
    here, note = Pipe(duplex=False)
    bell, late = Condition(), Lock()
    workers = [
        Process(name="Ada", target=bake, args=(shelf, slots, count, started)),
        Process(name="Bob", target=sell, args=(shelf, lock, sold, note, bell)),
    ]
    with late, bell:
        for worker in workers:
            worker.start()
        started.wait()
        bell.wait()
    raw.value = here.recv()["sold"] / 4
    for worker in workers:
        worker.join()
