"""Queue, JoinableQueue, SimpleQueue and Pipe."""

import multiprocessing
import queue
import sys


def double(jobs, results):
    while (job := jobs.get()) is not None:
        results.put(job * 2)
        jobs.task_done()
    jobs.task_done()


def answer(connection, simple):
    while (word := connection.recv()) != "bye":
        connection.send(word.upper())
    connection.close()
    simple.put("done")


def main():
    jobs, results = multiprocessing.JoinableQueue(3), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=double, args=(jobs, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for job in range(6):
        jobs.put(job)
    for _ in workers:
        jobs.put(None)
    jobs.join()
    print(sorted(results.get(timeout=60) for _ in range(6)))
    for worker in workers:
        worker.join()
    for lookup in (results.get_nowait, lambda: results.get(timeout=0.01)):
        try:
            lookup()
        except queue.Empty as error:
            print("empty", repr(error))
    small = multiprocessing.Queue(1)
    small.put("first")
    try:
        small.put("second", timeout=0.01)
    except queue.Full as error:
        print("full", repr(error))
    print(small.get())

    here, there = multiprocessing.Pipe()
    simple = multiprocessing.SimpleQueue()
    process = multiprocessing.Process(target=answer, args=(there, simple))
    process.start()
    for word in ("one", "two", b"\xff three", "bye"):
        here.send(word)
        if word != "bye":
            print(here.recv())
    print(simple.get(), simple.empty())
    process.join()

    jobs = multiprocessing.Queue()
    jobs.put(lambda: "cannot be pickled")
    jobs.put("fine")
    print(jobs.get(timeout=60))
    jobs.close()
    jobs.join_thread()
    try:
        jobs.put("late")
    except ValueError as error:
        print(error)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    main()
