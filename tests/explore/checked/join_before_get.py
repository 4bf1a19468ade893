"""The child waits until its large item is in the pipe, and the parent joins it first."""

from multiprocessing import Process, Queue


def work(q):
    q.put("x" * 100_000)


if __name__ == "__main__":
    q = Queue()
    child = Process(target=work, args=(q,))
    child.start()
    child.join()
    print(len(q.get()))
