"""The main process ends, and its manager with it, before the child it never joined is done."""

from multiprocessing import Manager, Process


def mark(marks):
    marks["child"] = True


def main():
    manager = Manager()
    marks = manager.dict()
    Process(target=mark, args=(marks,)).start()


if __name__ == "__main__":
    main()
