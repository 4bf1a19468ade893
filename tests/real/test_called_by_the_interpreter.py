"""What the program has registered is called by the interpreter itself: no frame is above it."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import tell

pytestmark = pytest.mark.once

PROGRAM = """\
import atexit, multiprocessing, os, signal, time
from multiprocessing.connection import wait


def work():
    pass


if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=work)
    child.start()
    lock = fork.Lock()
    signal.signal(signal.SIGTERM, lambda number, frame: print("terminated", flush=True))
    atexit.register({call})
"""


@pytest.mark.parametrize(
    "call",
    [
        "os.kill, os.getpid(), signal.SIGTERM",
        "time.sleep, 0.01",
        "wait, [child.sentinel]",
        "type(child).exitcode.fget, child",
        "lock._semlock._get_value",
        "os.system, 'true'",
        "os.posix_spawn, '/bin/true', ['true'], {}",
        "child.join",
    ],
)
def test_it_is_called_as_under_plain_python(tmp_path: Path, call: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("{call}", call))
    told = tell(path, "--scheduler", "round-robin")
    assert told.text("stderr") == ""
    assert told.verdict["verdict"] == "finished"
    assert ("terminated" in told.text("stdout")) == call.startswith("os.kill")
