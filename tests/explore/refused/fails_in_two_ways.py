"""Locks taken crosswise, and an update that may be lost."""

import subprocess
from multiprocessing import Lock, Process, Value, set_start_method


def add(one, other, value):
    with one, other:
        seen = value.value
    value.value = seen + 1


if __name__ == "__main__":
    set_start_method("fork")
    subprocess.run(["true"], check=True)
    a, b, value = Lock(), Lock(), Value("i", 0)
    both = [Process(target=add, args=(*locks, value)) for locks in ((a, b), (b, a))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert value.value == 2
