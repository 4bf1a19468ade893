from multiprocessing import Condition, Process, Semaphore, set_start_method


def take_turns(mine, yours):
    while True:
        mine.acquire()
        yours.release()


def sleep_and_wake(bell):
    with bell:
        while True:
            bell.notify()
            bell.wait()


if __name__ == "__main__":
    set_start_method("fork")
    black, white = Semaphore(1), Semaphore(0)
    Process(target=take_turns, args=(black, white)).start()
    Process(target=take_turns, args=(white, black)).start()
    bell = Condition()
    Process(target=sleep_and_wake, args=(bell,)).start()
    Process(target=sleep_and_wake, args=(bell,)).start()
