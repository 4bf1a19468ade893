"""A baker rings for every cake; two guests wait for the bell."""

from multiprocessing import Condition, Process, Value


def bake(bell, cakes):
    for _ in range(2):
        with bell:
            cakes.value += 1
            bell.notify_all()


def eat(bell, cakes):
    with bell:
        if cakes.value == 0:
            bell.wait()
        assert cakes.value > 0, "the bell rang, but the plate is empty"
        cakes.value -= 1


def main():
    bell = Condition()
    cakes = Value("i", 0)
    processes = [
        Process(name="Ada", target=eat, args=(bell, cakes)),
        Process(name="Bob", target=eat, args=(bell, cakes)),
        Process(name="Cleo", target=bake, args=(bell, cakes)),
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
