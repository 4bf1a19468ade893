"""Two bakers fill a shelf with two places; two sellers empty it."""

from multiprocessing import Process, Queue
from time import sleep


def bake(shelf, loaves):
    for loaf in loaves:
        shelf.put(loaf)


def sell(shelf):
    while (loaf := shelf.get()) is not None:
        print(f"sells {loaf}")
        sleep(0.1)


def main():
    shelf = Queue(2)
    bakers = [
        Process(name="Ada", target=bake, args=(shelf, ["rye", "oat", "corn"])),
        Process(name="Bob", target=bake, args=(shelf, ["bun", "roll", "pie"])),
    ]
    sellers = [
        Process(name="Cleo", target=sell, args=(shelf,)),
        Process(name="Dan", target=sell, args=(shelf,)),
    ]
    for process in bakers + sellers:
        process.start()
    for baker in bakers:
        baker.join()
    for _ in sellers:
        shelf.put(None)  # closing time: one for each seller
    for seller in sellers:
        seller.join()


if __name__ == "__main__":
    main()
