"""Ada and Bob meet, exchange what they have, and leave their marks."""

from multiprocessing import Event, Manager, Pipe, Process, Queue
from time import perf_counter


def give(basket, line, ready, partner, marks, guests):
    ready.set()
    partner.wait()
    for item in range(10):
        basket.put(item)
    for item in range(10):
        line.send(item)
        marks["Ada"] = line.recv()
    guests.append("Ada")


def take(basket, line, ready, partner, marks, guests):
    ready.set()
    partner.wait()
    marks["Bob"] = sum(basket.get() for _ in range(10))
    for _ in range(10):
        line.send(2 * line.recv())
    guests.append("Bob")


def main():
    began = perf_counter()
    here, there = Pipe()
    basket, ada, bob = Queue(), Event(), Event()
    with Manager() as manager:
        marks, guests = manager.dict(), manager.list()
        adas = (basket, here, ada, bob, marks, guests)
        bobs = (basket, there, bob, ada, marks, guests)
        pair = [Process(name="Ada", target=give, args=adas)]
        pair.append(Process(name="Bob", target=take, args=bobs))
        for process in pair:
            process.start()
        for process in pair:
            process.join()
        print(f"{marks}, {guests}, in {perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
