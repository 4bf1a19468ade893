"""A process that is killed while it holds a lock never gives it back."""

import os
import signal
from multiprocessing import Lock, Process


def die(gate):
    with gate:
        os.kill(os.getpid(), signal.SIGKILL)


def want(gate):
    with gate:
        print("never here")


def main():
    gate = Lock()
    ada = Process(name="Ada", target=die, args=(gate,))
    ada.start()
    ada.join()
    bob = Process(name="Bob", target=want, args=(gate,))
    bob.start()
    bob.join()


if __name__ == "__main__":
    main()
