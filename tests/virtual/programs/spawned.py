"""The same with spawn: the child imports the program anew and gets its arguments pickled."""

import multiprocessing as mp

words = ["fresh"]


class Worker(mp.get_context("spawn").Process):
    def __init__(self, lock, queue):
        super().__init__(name="Ada")
        self.lock, self.queue = lock, queue

    def run(self):
        with self.lock:
            self.queue.put(words)


if __name__ == "__main__":
    words.append("changed")
    spawn = mp.get_context("spawn")
    lock, queue = spawn.Lock(), spawn.SimpleQueue()
    worker = Worker(lock, queue)
    worker.start()
    print(queue.get(), words)
    worker.join()
    print(worker.exitcode, worker.is_alive())
