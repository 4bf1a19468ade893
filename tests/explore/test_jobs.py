"""The processes of a search do not outlive it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from test_counts import PROGRAMS

from syncsim.explore.ahead import command
from syncsim.explore.request import Request


def children_of(pid: int) -> set[int]:
    """Those that Linux knows."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_who_searches_dies_with_who_asked() -> None:
    path = str(PROGRAMS / "locked_counter.py")
    request = Request(path, ("9",), search="dpor", seconds=300.0, jobs=2)
    worker = subprocess.Popen(
        command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    try:
        assert worker.stdin is not None
        worker.stdin.write(msgspec.json.encode(request))
        worker.stdin.close()
        # Both of them, and who keeps track of the semaphores of the executor.
        wait_for(lambda: len(children_of(worker.pid)) >= 3)
        children = children_of(worker.pid)
    finally:
        worker.kill()
        worker.wait()
    wait_for(lambda: not any(map(is_there, children)))
