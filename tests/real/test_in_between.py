"""Code of the program that runs in the middle of an operation, and makes operations of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import each_scheduler, tell_here

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.scheduler import Scheduler

HEAD = """\
import multiprocessing, os, signal
def work():
    pass
def handle(number, frame):
    with lock:
        print("in between")
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock = multiprocessing.Lock()
    child = multiprocessing.Process(target=work)
"""
PROGRAMS = {
    "a handler of a fork": """\
    os.register_at_fork(after_in_parent=lambda: handle(0, None))
    child.start()
    child.join()
    """,
    "a handler of a signal": """\
    signal.signal(signal.SIGUSR1, handle)
    os.register_at_fork(after_in_parent=lambda: signal.raise_signal(signal.SIGUSR1))
    child.start()
    child.join()
    """,
    "the end of a child": """\
    signal.signal(signal.SIGCHLD, handle)
    child.start()
    child.join()
    """,
}


@each_scheduler
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_comes_between_is_no_end_of_what_was_begun(
    tmp_path: Path, name: str, scheduler: Scheduler | None
) -> None:
    path = tmp_path / "program.py"
    path.write_text(HEAD + PROGRAMS[name].rstrip() + '\n    print("it went on")\n')
    told = tell_here(path, scheduler=scheduler)
    assert told.text("stdout") == "in between\nit went on\n"
    assert told.verdict["verdict"] == Verdict.FINISHED
