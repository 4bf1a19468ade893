"""A bounded buffer of one slot under one condition: producers, consumers, items of each."""

import sys
from multiprocessing import Condition, Process, RawValue, set_start_method


def produce(count, changed, items):
    for _ in range(items):
        with changed:
            while count.value == 1:
                changed.wait()
            count.value = 1
            changed.notify()


def consume(count, changed, items):
    for _ in range(items):
        with changed:
            while count.value == 0:
                changed.wait()
            count.value = 0
            changed.notify()


if __name__ == "__main__":
    set_start_method("fork")
    producers, consumers, items = map(int, sys.argv[1:])
    count, changed = RawValue("i", 0), Condition()
    for target, number in ((produce, producers), (consume, consumers)):
        for _ in range(number):
            Process(target=target, args=(count, changed, items)).start()
