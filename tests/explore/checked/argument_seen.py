"""A child that is given what its parent has read: one thing, or another."""

from multiprocessing import Process, Value


def change(value):
    value.value = 1


def look(seen):
    assert seen == 0


if __name__ == "__main__":
    value = Value("i", 0)
    Process(target=change, args=(value,)).start()
    Process(target=look, args=(value.value,)).start()
