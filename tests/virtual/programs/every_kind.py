"""One primitive of each kind that needs no other process."""

import multiprocessing

if __name__ == "__main__":
    lock, rlock = multiprocessing.Lock(), multiprocessing.RLock()
    permits, bounded = multiprocessing.Semaphore(2), multiprocessing.BoundedSemaphore(2)
    condition, event = multiprocessing.Condition(), multiprocessing.Event()
    barrier = multiprocessing.Barrier(2)
    queue, tasks = multiprocessing.Queue(3), multiprocessing.JoinableQueue()
    simple, pipe = multiprocessing.SimpleQueue(), multiprocessing.Pipe()
    value, array = multiprocessing.Value("i", 7), multiprocessing.Array("i", 2)
    raw, raw_array = multiprocessing.RawValue("i", 7), multiprocessing.RawArray("i", 2)
    with lock, rlock, permits, bounded, condition:
        event.set()
