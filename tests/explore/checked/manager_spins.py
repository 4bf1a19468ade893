"""One looks into a manager's dict again and again for what nobody writes."""

from multiprocessing import Manager, Process


def watch(marks):
    while not marks.get("stop"):
        pass


if __name__ == "__main__":
    with Manager() as manager:
        marks = manager.dict()
        watcher = Process(target=watch, args=(marks,))
        watcher.start()
        watcher.join()
