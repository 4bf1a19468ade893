"""What a child changes stays the child's: each process has its own globals and arguments."""

from multiprocessing import Lock, Process

seen = []


def change(numbers, lock):
    with lock:
        seen.append(1)
        numbers.append(1)
        assert len(seen) == len(numbers) == 1


if __name__ == "__main__":
    numbers, lock = [], Lock()
    both = [Process(target=change, args=(numbers, lock)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert not seen
    assert not numbers
