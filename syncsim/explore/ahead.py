"""The process that searches, which begins while whoever asks still imports what asking takes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TypeAlias

Process: TypeAlias = subprocess.Popen[bytes]

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: By -P nothing is taken from the current folder, nor in the processes that this one starts.
_WORDS = (
    "-P",
    "-c",
    # (While all is imported there is no garbage worth looking for.)
    "import gc, sys; gc.disable(); "
    f"sys.path.insert(0, {_ROOT!r}); from syncsim.explore import worker; worker.main()",
)


def command() -> list[str]:
    """Return the command that starts the process that searches."""
    return [sys.executable, *_WORDS]


def start() -> Process:
    """Start the process that searches; raises ``OSError`` where it cannot be started."""
    return subprocess.Popen(
        command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        start_new_session=True,
    )


def end(process: Process) -> None:
    """End the process, and leave nothing of it."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):  # something that it did not read
                stream.close()


@contextlib.contextmanager
def started(*, wanted: bool) -> Iterator[Process | None]:
    """Start the process ahead of its request, if it is ``wanted``, and end it in any case.

    None where it could not be started: whoever has a request tries again, and says why.
    """
    process = None
    if wanted:
        with contextlib.suppress(OSError):
            process = start()
    try:
        yield process
    finally:
        if process is not None:
            end(process)
