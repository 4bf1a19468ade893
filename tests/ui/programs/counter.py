"""Two gatekeepers count on one counter; an update can get lost."""

from multiprocessing import Process, Value


def let_in(counter):
    for _ in range(2):
        counter.value += 1


def main():
    counter = Value("i", 0)
    keepers = [Process(name=name, target=let_in, args=(counter,)) for name in ("Ada", "Bob")]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    assert counter.value == 4, f"{counter.value} counted, 4 came"


if __name__ == "__main__":
    main()
