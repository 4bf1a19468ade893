"""Two play for ever with queues of a manager: finitely many states, and nobody gets stuck."""

from multiprocessing import Manager, Process


def play(mine, theirs):
    while True:
        theirs.put(mine.get())


if __name__ == "__main__":
    with Manager() as manager:
        left, right = manager.Queue(), manager.Queue()
        for sides in ((left, right), (right, left)):
            process = Process(target=play, args=sides)
            process.start()
        left.put("ball")
        process.join()
