"""Two add one to a value after another program has run, under the value's lock."""

import subprocess
from multiprocessing import Process, Value, set_start_method


def add(value):
    subprocess.run(["true"], check=True)
    with value.get_lock():
        value.value += 1


if __name__ == "__main__":
    set_start_method("fork")
    value = Value("i", 0)
    both = [Process(target=add, args=(value,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert value.value == 2
