"""Two divers go in together and come home together."""

from multiprocessing import Event, Process


def dive(me, partner, ready, done):
    print("checks the gear")
    ready[me].set()
    ready[partner].wait()
    print("dives")
    done[me].set()
    done[partner].wait()
    print("goes home")


def main():
    ready = {"Ada": Event(), "Bob": Event()}
    done = {"Ada": Event(), "Bob": Event()}
    divers = [
        Process(name="Ada", target=dive, args=("Ada", "Bob", ready, done)),
        Process(name="Bob", target=dive, args=("Bob", "Ada", ready, done)),
    ]
    for diver in divers:
        diver.start()
    for diver in divers:
        diver.join()


if __name__ == "__main__":
    main()
