"""Five friends want to row; the boathouse has three boats."""

from multiprocessing import Process, Semaphore
from time import sleep


def row(boats):
    with boats:
        print("rows out")
        sleep(0.2)


def main():
    boats = Semaphore(3)
    friends = [
        Process(name=name, target=row, args=(boats,))
        for name in ("Ada", "Bob", "Cleo", "Dan", "Eve")
    ]
    for friend in friends:
        friend.start()
    for friend in friends:
        friend.join()


if __name__ == "__main__":
    main()
