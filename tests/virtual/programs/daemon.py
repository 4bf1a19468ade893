"""A daemon that waits for ever is terminated when the main process ends; another is killed."""

from multiprocessing import Event, JoinableQueue, Process, RLock


def serve(tasks):
    while True:
        tasks.get()
        tasks.task_done()


def sleep(never):
    never.wait()


if __name__ == "__main__":
    tasks, never, lock = JoinableQueue(), Event(), RLock()
    Process(target=serve, args=(tasks,), name="Server", daemon=True).start()
    for n in range(2):
        tasks.put(n)
    tasks.join()
    victim = Process(target=sleep, args=(never,), name="Victim")
    victim.start()
    with lock, lock:
        print(victim.is_alive(), lock.acquire(False))
        lock.release()
    victim.join(0.1)
    victim.kill()
    victim.join()
    print(victim.exitcode, victim.is_alive())
