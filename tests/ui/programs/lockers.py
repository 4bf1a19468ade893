"""So many processes, each of which keeps taking two of as many locks."""

import sys
from multiprocessing import Lock, Process


def work(low, high):
    for _ in range(1_000_000):
        with low, high:
            pass


def main(count):
    locks = [Lock() for _ in range(count)]
    workers = []
    for number in range(count):
        low, high = sorted((number, (number + 1) % count))
        arguments = locks[low], locks[high]
        workers.append(Process(name=f"Worker-{number + 1}", target=work, args=arguments))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
