"""``os._exit`` ends the child before its feeder has sent what was put."""

import os
import time
from multiprocessing import Process, Queue


class Slow:
    """What takes the feeder longer to pickle than the child has to live."""

    def __reduce__(self):
        time.sleep(60)
        return str, ("never here",)


def work(results):
    results.put(Slow())
    os._exit(0)


def main():
    results = Queue()
    ada = Process(name="Ada", target=work, args=(results,))
    ada.start()
    ada.join()
    print("Ada ended with", ada.exitcode)
    print(results.get())


if __name__ == "__main__":
    main()
