"""Three friends want to row; there are two boats."""

from multiprocessing import Process, Semaphore, set_start_method


def row(boats):
    with boats:
        print("rows out")


if __name__ == "__main__":
    set_start_method("fork")
    boats = Semaphore(2)
    for name in ("Ada", "Bob", "Cleo"):
        Process(name=name, target=row, args=(boats,)).start()
