"""``+=`` on a Value reads and then writes, and gives its lock back in between."""

from multiprocessing import Process, Value


def count(cell):
    cell.value += 1


def main():
    cell = Value("i", 0)
    children = [Process(name=name, target=count, args=(cell,)) for name in ("Ada", "Bob")]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(cell.value)


if __name__ == "__main__":
    main()
