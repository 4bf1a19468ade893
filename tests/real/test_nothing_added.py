"""What is watched finds nothing of ours where the program looks, and misses nothing of its own."""

from __future__ import annotations

import json
from pathlib import Path

from running import tell

A_THREAD_PAST_THREADING = """
import _thread, threading
from multiprocessing import Lock

def work():
    with lock:
        pass
    done.release()

if __name__ == "__main__":
    lock = Lock()
    done = _thread.allocate_lock()
    done.acquire()
    _thread.start_new_thread(work, ())
    done.acquire()
    print(len(threading._dangling), threading.active_count())
"""

A_QUEUE_THAT_IS_GONE = """
import gc, threading
from multiprocessing import Queue

if __name__ == "__main__":
    queue = Queue()
    queue.put(1)
    queue.get()
    queue.close()
    queue.join_thread()
    del queue
    gc.collect()
    print(len(threading._dangling), threading.active_count())
"""

THREADS_AT_ONE_PLACE = """
import sys, threading
from multiprocessing import Lock

def work(calls):
    for call in calls:
        together.wait()
        call()

if __name__ == "__main__":
    sys.setswitchinterval(1e-6)
    lock = Lock()
    together = threading.Barrier(4)
    calls = []
    for line in range(300):
        space = {"lock": lock}
        exec("\\n" * line + "def call():\\n  with lock: pass", space)
        calls.append(space["call"])
    threads = [threading.Thread(target=work, args=(calls,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("done")
"""

NO_STDOUT = """
import multiprocessing, sys

def work():
    sys.stdout = None

if __name__ == "__main__":
    for method in ("fork", "spawn"):
        process = multiprocessing.get_context(method).Process(target=work)
        process.start()
        process.join()
        print(process.exitcode)
    sys.stdout = None
"""

NO_EXECUTOR = """
import multiprocessing, sys

def loaded():
    return sorted(name for name in sys.modules if name.startswith(("concurrent", "logging")))

def work():
    print(loaded())

if __name__ == "__main__":
    print(loaded())
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    process.join()
"""


def printed(tmp_path: Path, text: str) -> str:
    path = tmp_path / "program.py"
    path.write_text(text)
    told = tell(path)
    assert told.verdict["verdict"] == "finished", json.dumps(told.verdict)
    assert told.text("stderr") == ""
    return told.text("stdout")


def test_a_thread_made_past_threading_gets_no_thread_object(tmp_path: Path) -> None:
    assert printed(tmp_path, A_THREAD_PAST_THREADING) == "1 1\n"


def test_a_feeder_that_is_done_is_not_kept(tmp_path: Path) -> None:
    assert printed(tmp_path, A_QUEUE_THAT_IS_GONE) == "1 1\n"


def test_threads_that_come_to_a_new_place_together_are_told_apart(tmp_path: Path) -> None:
    assert printed(tmp_path, THREADS_AT_ONE_PLACE) == "done\n"


def test_a_process_may_end_without_a_stdout(tmp_path: Path) -> None:
    assert printed(tmp_path, NO_STDOUT) == "0\n0\n"


def test_no_executor_is_loaded_for_a_program_that_uses_none(tmp_path: Path) -> None:
    assert printed(tmp_path, NO_EXECUTOR) == "[]\n[]\n"
