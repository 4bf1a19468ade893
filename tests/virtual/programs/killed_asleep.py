"""A process that is killed while it sleeps in a manager's server: its call sleeps on there."""

from multiprocessing import Manager, Process


def take(jobs):
    print(jobs.get())


if __name__ == "__main__":
    with Manager() as manager:
        jobs = manager.Queue()
        doomed = Process(target=take, args=(jobs,))
        doomed.start()
        taker = Process(target=take, args=(jobs,))
        taker.start()
        doomed.kill()
        doomed.join()
        jobs.put("the first")
        jobs.put("the second")
        taker.join()
        print(jobs.qsize())
