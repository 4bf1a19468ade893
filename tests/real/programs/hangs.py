"""Programs that hang, each in a way of its own: ``hangs.py KIND [METHOD]``.

Each says on its stderr when it does: the last ``mark`` is right before it.
"""

import fcntl
import os
import queue
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import (
    Barrier,
    Condition,
    Lock,
    Manager,
    Pool,
    Process,
    Queue,
    set_start_method,
)


def mark():
    print(time.monotonic(), file=sys.stderr)


def work(first, second, met):
    with first:
        met.wait()
        mark()
        with second:
            pass


def ab_ba():
    a, b, met = Lock(), Lock(), Barrier(2)
    children = [
        Process(target=work, args=(a, b, met), name="Ada"),
        Process(target=work, args=(b, a, met), name="Bob"),
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()


def listen(changed):
    with changed:
        mark()
        changed.wait()


def missing_notifier():
    changed = Condition()
    child = Process(target=listen, args=(changed,), name="Ada")
    child.start()
    child.join()


def die(lock):
    lock.acquire()
    os._exit(0)


def dead_holder():
    lock = Lock()
    child = Process(target=die, args=(lock,), name="Ada")
    child.start()
    child.join()
    mark()
    with lock:
        print("never")


def fill(results):
    mark()
    results.put("x" * 1_000_000)


def join_before_get():
    results = Queue()
    child = Process(target=fill, args=(results,), name="Ada")
    child.start()
    child.join()
    print(len(results.get()))


def with_a_feeder():
    """The main process has a feeder thread, which is idle."""
    sent, answers = Queue(), Queue()
    sent.put(1)
    sent.get()
    mark()
    answers.get()


def with_a_pool():
    answers = Queue()
    with Pool(2) as pool:
        pool.map(abs, [1, 2])
        mark()
        answers.get()


def with_a_manager():
    lock = Lock()
    with Manager() as manager:
        names = manager.list()
        names.append(1)
        lock.acquire()
        mark()
        lock.acquire()


def with_an_idle_manager():
    answers = Queue()
    with Manager() as manager:
        manager.list().append(1)
        mark()
        answers.get()


def read_socket():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))
        mark()
        here.recv(10)


def lock_file():
    with tempfile.NamedTemporaryFile(suffix=".lock") as first, open(first.name) as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        mark()
        fcntl.flock(second, fcntl.LOCK_EX)


def wait_for_program():
    mark()
    subprocess.run([sys.executable, "-c", "import time; time.sleep(100)"])


def wait_for_pid():
    if (pid := os.fork()) == 0:
        time.sleep(100)
    mark()
    os.waitpid(pid, 0)


def ask():
    mark()
    print(input())


def wait_for_thread():
    lock = threading.Lock()
    lock.acquire()
    mark()
    lock.acquire()


def wait_in_select():
    here, there = os.pipe()
    mark()
    select.select([here], [], [])
    print(there)


def child_reads_socket():
    """The main process waits for a child, which waits for a message from outside."""
    child = Process(target=read_socket, name="Ada")
    child.start()
    child.join()


def a_thread_may_help():
    """A timer, which is no thread of ours, helps after a second and a half."""
    answers = Queue()
    timer = threading.Timer(1.5, answers.put, ("late",))
    timer.start()
    print(answers.get())


def thread_queue():
    """Two threads of one process and a ``queue.Queue``, which is nothing we see."""
    inbox = queue.Queue()
    mark()
    inbox.get()


if __name__ == "__main__":
    set_start_method(sys.argv[2] if len(sys.argv) > 2 else "fork")
    globals()[sys.argv[1]]()
