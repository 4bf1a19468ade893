"""Ada and Bob take two locks crosswise; or Cleo hears no notification, as she is late."""

from multiprocessing import Condition, Lock, Process


def cross(one, other):
    with one, other:
        pass


def sleep_on(bell):
    with bell:
        bell.wait()


if __name__ == "__main__":
    left, right, bell = Lock(), Lock(), Condition()
    both = [
        Process(name="Ada", target=cross, args=(left, right)),
        Process(name="Bob", target=cross, args=(right, left)),
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    Process(name="Cleo", target=sleep_on, args=(bell,)).start()
    with bell:
        bell.notify()
