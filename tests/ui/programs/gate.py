"""Three walkers go through a gate together."""

from multiprocessing import Barrier, Process


def walk(gate):
    gate.wait()
    print("is through")


def main():
    gate = Barrier(3)
    walkers = [Process(name=name, target=walk, args=(gate,)) for name in ("Ada", "Bob", "Cleo")]
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join()


if __name__ == "__main__":
    main()
