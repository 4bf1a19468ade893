"""What the feeder thread of a queue means to its process; the first word says which story."""

import multiprocessing
import os
import sys


def lies(queue):
    queue.put(7)
    print("empty", queue.empty())
    print("got", queue.get())


def ends(queue):
    queue.put(7)


def flees(queue):
    queue.put(7)
    os._exit(0)


def clogs(queue):
    queue.put(b"x" * 1_000_000)
    print("put")


def clogs_two(queue):
    other = multiprocessing.Process(target=clogs, args=(queue,), name="Ada")
    other.start()
    queue.put(b"y" * 1_000_000)
    print(len(queue.get()))
    print(len(queue.get()))
    other.join()


def fills(queue):
    processes = [
        multiprocessing.Process(target=ends, args=(queue,), name=name) for name in ("Ada", "Bob")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print(queue.get(), queue.get())


def drops(queue):
    queue.put(lambda: "cannot be pickled")
    queue.put("fine")
    print(queue.get())


def main(story, method):
    multiprocessing.set_start_method(method)
    queue = multiprocessing.Queue(2)
    if story in (ends, flees, clogs):
        process = multiprocessing.Process(target=story, args=(queue,), name="Ada")
        process.start()
        if story is clogs:
            print(len(queue.get()))
        process.join()
    else:
        story(queue)


if __name__ == "__main__":
    main(globals()[sys.argv[1]], sys.argv[2])
