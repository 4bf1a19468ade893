"""Two results that do not fit into the pipe, and only one of them is got before the joins."""

from multiprocessing import Process, Queue


def work(q):
    q.put("x" * 100_000)


if __name__ == "__main__":
    q = Queue()
    workers = [Process(target=work, args=(q,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    q.get()
    for worker in workers:
        worker.join()
