"""A global that a child changes is the child's: the parent sees what it saw before."""

from multiprocessing import Process

total = 0


def count():
    global total
    total += 5
    print("Ada sees", total)


def main():
    ada = Process(name="Ada", target=count)
    ada.start()
    ada.join()
    print("main sees", total)


if __name__ == "__main__":
    main()
