"""Readers share a page; a writer changes it only when nobody reads."""

from multiprocessing import Condition, Lock, Process, Value


def read(door, quiet, readers, page):
    with door:
        readers.value += 1
    print(f"reads edition {page.value}")
    with door:
        readers.value -= 1
        quiet.notify_all()


def write(door, quiet, readers, page):
    with door:
        while readers.value > 0:
            quiet.wait()
        page.value += 1
        print("writes the next edition")


def main():
    door = Lock()
    quiet = Condition(door)
    readers = Value("i", 0)
    page = Value("i", 1)
    shared = (door, quiet, readers, page)
    processes = [
        Process(name="Ada", target=read, args=shared),
        Process(name="Bob", target=read, args=shared),
        Process(name="Cleo", target=write, args=shared),
        Process(name="Dan", target=write, args=shared),
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
