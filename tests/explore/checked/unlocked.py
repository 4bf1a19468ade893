"""Memory that no lock guards, beside a lock that does not help, as the writer does not take it."""

from multiprocessing import Lock, Process, RawArray, Value


def count(total, lock):
    with lock:
        total.get_obj().value += 1


def read(total, notes):
    notes[0] = total.value
    notes[1] = 1


if __name__ == "__main__":
    total, notes, lock = Value("i", 0), RawArray("i", 2), Lock()
    both = [
        Process(name="Ada", target=count, args=(total, lock)),
        Process(name="Bob", target=read, args=(total, notes)),
    ]
    for one in both:
        one.start()
    notes[1] = 2
    for one in both:
        one.join()
    print(notes[0])
