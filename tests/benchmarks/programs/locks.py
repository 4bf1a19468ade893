"""N processes that take and give back one lock of their own and one in common."""

import sys
from multiprocessing import Lock, Process


def work(common, rounds):
    own = Lock()
    for _ in range(rounds):
        with own:
            pass
        with common:
            pass


def main():
    processes, rounds = int(sys.argv[1]), int(sys.argv[2])
    common = Lock()
    workers = [Process(target=work, args=(common, rounds)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
