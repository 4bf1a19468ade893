"""The item cannot be pickled, and its process ends: now not even the feeder complains."""

from multiprocessing import Process, Queue


def work(results):
    results.put(lambda: 7)
    results.put("lost as well")


def main():
    results = Queue()
    ada = Process(name="Ada", target=work, args=(results,))
    ada.start()
    ada.join()
    print("Ada ended with", ada.exitcode)
    print(results.get())


if __name__ == "__main__":
    main()
