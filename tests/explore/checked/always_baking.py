from multiprocessing import Pipe, Process, Queue


def bake(shelf, note):
    while True:
        shelf.put("loaf")
        note.send("one more")


def sell(shelf, note):
    while True:
        shelf.get()
        note.recv()


if __name__ == "__main__":
    shelf = Queue(1)
    here, there = Pipe(duplex=False)
    Process(target=bake, args=(shelf, there)).start()
    Process(target=sell, args=(shelf, here)).start()
