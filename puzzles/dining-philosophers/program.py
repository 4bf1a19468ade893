"""Four philosophers, four forks: to eat, one needs two."""

from multiprocessing import Lock, Process

NAMES = ["Plato", "Socrates", "Kant", "Hume"]


def dine(left, right):
    for _ in range(2):
        with left:
            with right:
                print("eats")


def main():
    forks = [Lock() for _ in range(4)]
    philosophers = []
    for seat, name in enumerate(NAMES):
        left, right = forks[seat], forks[(seat + 1) % 4]
        guest = Process(name=name, target=dine, args=(left, right))
        philosophers.append(guest)
    for guest in philosophers:
        guest.start()
    for guest in philosophers:
        guest.join()


if __name__ == "__main__":
    main()
