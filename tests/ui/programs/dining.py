"""The scripted philosophers, as a program: each eats once."""

from multiprocessing import Lock, Process

NAMES = ("Plato", "Socrates", "Kant", "Hume")


def dine(left, right):
    with left, right:
        print("eats")


if __name__ == "__main__":
    forks = [Lock() for _ in range(4)]
    guests = [
        Process(name=name, target=dine, args=(forks[seat], forks[(seat + 1) % 4]))
        for seat, name in enumerate(NAMES)
    ]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
