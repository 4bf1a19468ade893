"""The event is set, and the item is still on its way: ``empty`` says True."""

from multiprocessing import Event, Process, Queue


def work(q, ready):
    q.put("x")
    ready.set()


if __name__ == "__main__":
    q, ready = Queue(), Event()
    child = Process(target=work, args=(q, ready))
    child.start()
    ready.wait()
    assert not q.empty(), "empty lies"
    q.get()
    child.join()
