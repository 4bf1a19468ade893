"""Ada fills a shelf with three places, Bob and Cleo empty it."""

from multiprocessing import Process, Queue


def bake(shelf):
    for loaf in (111, 222, 3333, 444, None, None):
        shelf.put(loaf)


def sell(shelf):
    while (loaf := shelf.get()) is not None:
        print("sells", loaf)


def main():
    shelf = Queue(3)
    processes = [Process(name="Ada", target=bake, args=(shelf,))]
    processes += [Process(name=name, target=sell, args=(shelf,)) for name in ("Bob", "Cleo")]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
