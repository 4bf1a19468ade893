"""Two divers wait for each other's sign."""

from multiprocessing import Event, Process


def dive(mine, partners):
    mine.set()
    partners.wait()
    print("dives")


def main():
    ready = {"Ada": Event(), "Bob": Event()}
    divers = [
        Process(name="Ada", target=dive, args=(ready["Ada"], ready["Bob"])),
        Process(name="Bob", target=dive, args=(ready["Bob"], ready["Ada"])),
    ]
    for diver in divers:
        diver.start()
    for diver in divers:
        diver.join()


if __name__ == "__main__":
    main()
