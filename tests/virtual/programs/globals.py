"""A global changed in a child stays as it was in the parent; arguments are copies."""

from multiprocessing import Process, Queue, set_start_method

seen = []


class Counter:
    total = 0

    def add(self, n):
        Counter.total += n
        self.own = n


def work(queue, numbers, counter):
    seen.append("child")
    numbers.append(4)
    counter.add(5)
    queue.put((seen, numbers, Counter.total, counter.own))


if __name__ == "__main__":
    set_start_method("fork")
    queue, numbers, counter = Queue(), [1], Counter()
    child = Process(target=work, args=(queue, numbers, counter))
    child.start()
    print(queue.get())
    child.join()
    print(seen, numbers, Counter.total, hasattr(counter, "own"))
