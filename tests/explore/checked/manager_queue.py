"""A queue of a manager has no feeder: what was put is there at once, and in order."""

from multiprocessing import Manager, Process


def produce(jobs):
    for job in (1, 2, None):
        jobs.put(job)


def consume(jobs, done):
    while (job := jobs.get()) is not None:
        done.append(job)
        jobs.task_done()
    jobs.task_done()


if __name__ == "__main__":
    with Manager() as manager:
        jobs, done = manager.JoinableQueue(1), manager.list()
        mailbox = manager.Queue()
        mailbox.put("a letter")
        assert not mailbox.empty()
        producer = Process(target=produce, args=(jobs,))
        consumer = Process(target=consume, args=(jobs, done))
        producer.start()
        consumer.start()
        producer.join()
        jobs.join()
        assert list(done) == [1, 2]
        consumer.join()
