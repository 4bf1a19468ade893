"""``os._exit`` in the middle of sending: half an item is in the pipe, the rest never comes."""

import os
from multiprocessing import Process, Queue


def work(results):
    results.put("x" * 1_000_000)
    while results.empty():
        pass
    os._exit(0)


def main():
    results = Queue()
    ada = Process(name="Ada", target=work, args=(results,))
    ada.start()
    ada.join()
    print("Ada ended with", ada.exitcode)
    print(len(results.get()))


if __name__ == "__main__":
    main()
