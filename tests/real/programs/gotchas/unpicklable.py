"""The item cannot be pickled: ``put`` says nothing, the feeder complains, nobody gets it."""

from multiprocessing import Queue


def main():
    results = Queue()
    results.put(lambda: 7)
    print("put it")
    print(results.get())


if __name__ == "__main__":
    main()
