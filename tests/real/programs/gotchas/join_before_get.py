"""The parent joins before it gets: the item is larger than the pipe, the child cannot end."""

from multiprocessing import Process, Queue


def work(results):
    results.put("x" * 1_000_000)


def main():
    results = Queue()
    ada = Process(name="Ada", target=work, args=(results,))
    ada.start()
    ada.join()
    print(len(results.get()))


if __name__ == "__main__":
    main()
