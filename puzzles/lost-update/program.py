"""Two gatekeepers count visitors on one counter."""

from multiprocessing import Process, Value


def let_in(visitors, counter):
    for _ in range(visitors):
        print("opens the gate")
        counter.value += 1


def main():
    counter = Value("i", 0)
    keepers = [
        Process(name="Ada", target=let_in, args=(2, counter)),
        Process(name="Bob", target=let_in, args=(2, counter)),
    ]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    assert counter.value == 4, f"{counter.value} counted, 4 came"


if __name__ == "__main__":
    main()
