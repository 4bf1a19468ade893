"""Nobody is said to wait for ever while something unseen may still help; nothing is told twice."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, Told, tell

from syncsim.core.scheduler import RoundRobin
from syncsim.program.source import load
from syncsim.session.monitor import Monitor

SLOW_TO_PICKLE = """
import time
from multiprocessing import Queue

class Slow:
    def __reduce__(self):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pass
        return (int, (7,))

if __name__ == "__main__":
    queue = Queue()
    queue.put(Slow())
    print("got", queue.get())
"""

A_THREAD_THAT_COMPUTES = """
import threading, time
from multiprocessing import Queue

def work(queue):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        pass
    queue.put(7)

if __name__ == "__main__":
    queue = Queue()
    threading.Thread(target=work, args=(queue,)).start()
    print("got", queue.get())
"""

AN_END_IS_CLOSED_BY_ONE_WHO_LIVES_ON = """
from multiprocessing import Event, Pipe, Process

def talk(end, over):
    end.send(1)
    end.close()
    over.wait()

if __name__ == "__main__":
    over = Event()
    here, there = Pipe()
    process = Process(target=talk, args=(there, over))
    process.start()
    there.close()
    print("got", here.recv())
    try:
        here.recv()
    except EOFError:
        over.set()
    process.join()
"""

GONE_BEFORE_ITS_START_IS_TOLD = """
import os
from multiprocessing import Process

os.register_at_fork(after_in_parent=lambda: [None for _ in range(5_000_000)])

def nothing():
    pass

if __name__ == "__main__":
    for _ in range(2):
        process = Process(target=nothing)
        process.start()
        process.join()
    print("got 7")
"""

both = either("scheduler", ["os", "round-robin"])


def run(tmp_path: Path, text: str, scheduler: str, *words: object) -> Told:
    program = tmp_path / "program.py"
    program.write_text(text)
    return tell(program, "--scheduler", scheduler, *words)


@both
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SLOW_TO_PICKLE, id="a feeder that pickles"),
        pytest.param(A_THREAD_THAT_COMPUTES, id="a thread that computes"),
        pytest.param(AN_END_IS_CLOSED_BY_ONE_WHO_LIVES_ON, id="an end that is closed"),
    ],
)
def test_help_that_is_not_seen_comes_all_the_same(
    tmp_path: Path, text: str, scheduler: str
) -> None:
    told = run(tmp_path, text, scheduler, "--timeout", 2 * DEADLINE)
    assert told.verdict["verdict"] == "finished"
    assert "got" in told.text("stdout")


@both
def test_a_child_that_is_gone_before_its_start_is_told_is_counted_once(
    tmp_path: Path, scheduler: str
) -> None:
    told = run(tmp_path, GONE_BEFORE_ITS_START_IS_TOLD, scheduler, "--timeout", 2 * DEADLINE)
    assert told.verdict["verdict"] == "finished"
    assert [process["name"] for process in told.verdict["processes"]] == [
        "main",
        "Process-1",
        "Process-2",
    ]


@both
def test_output_that_never_stops_does_not_stop_the_clock(tmp_path: Path, scheduler: str) -> None:
    text = "import os\nwhile True:\n    os.write(1, b'x')\n"
    assert run(tmp_path, text, scheduler, "--timeout", 1).exitcode == 3


def test_whatever_is_printed_is_told_whole(tmp_path: Path) -> None:
    text = 'print("😀" * 3000 + "\\x1b[31m" * 3000 + "é" * 9999)\n'
    told = run(tmp_path, text, "os", "--timeout", 2 * DEADLINE)
    assert told.text("stdout") == "😀" * 3000 + "\x1b[31m" * 3000 + "é" * 9999 + "\n"


def test_a_run_can_be_closed_while_a_step_does_not_come_to_an_end(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("while True:\n    pass\n")
    monitor = Monitor(load(program), RoundRobin())
    for _ in range(4):
        monitor.step()
    closing = threading.Thread(target=monitor.close, daemon=True)
    closing.start()
    closing.join(DEADLINE)
    assert not closing.is_alive()


def test_an_exit_code_is_the_one_that_the_system_gives(tmp_path: Path) -> None:
    text = """
import sys
from multiprocessing import Process

if __name__ == "__main__":
    for code in (-9, 300):
        process = Process(target=sys.exit, args=(code,))
        process.start()
        process.join()
"""
    told = run(tmp_path, text, "os", "--timeout", 2 * DEADLINE)
    assert [process["exitcode"] for process in told.verdict["processes"]] == [0, 247, 44]
    assert told.verdict["verdict"] == "finished"
