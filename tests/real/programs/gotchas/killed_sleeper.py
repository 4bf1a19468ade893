"""Ada is killed while she sleeps on the event: who sets it waits until she is awake."""

from multiprocessing import Event, Process


def sleep_on(ready):
    ready.wait()


def main():
    ready = Event()
    ada = Process(name="Ada", target=sleep_on, args=(ready,))
    ada.start()
    while not ready._cond._sleeping_count._semlock._get_value():
        pass
    with ready._cond:  # now she has given its lock back, too
        ada.kill()
    ada.join()
    ready.set()


if __name__ == "__main__":
    main()
