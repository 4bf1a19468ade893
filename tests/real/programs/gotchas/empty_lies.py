"""``put`` comes back before the item is in the pipe: until then the queue says it is empty."""

import time
from multiprocessing import Queue


class Slow:
    """What takes the feeder a while to pickle."""

    def __reduce__(self):
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
        return str, ("here",)


def main():
    jobs = Queue()
    jobs.put(Slow())
    print("empty:", jobs.empty(), "items:", jobs.qsize())
    print(jobs.get())
    print("empty:", jobs.empty(), "items:", jobs.qsize())


if __name__ == "__main__":
    main()
