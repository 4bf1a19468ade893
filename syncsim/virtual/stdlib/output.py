"""The output of a process: to print is an operation; what goes to stderr is none."""

from __future__ import annotations

import io
import sys
from typing import Any

from syncsim.core.operation import Verb
from syncsim.program.safe_text import safe_text
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.process.body import ProcessBody, here
from syncsim.virtual.process.stacks import user_frame
from syncsim.virtual.stdlib.environment import replaced


class _Out(io.RawIOBase):
    """The stdout of a process: to print is an operation."""

    def __init__(self, body: ProcessBody) -> None:
        self._body = body

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Takes a piece of the output."""
        raw = bytes(data)
        body = self._body
        text = raw.decode("utf-8", "backslashreplace")
        if user_frame(sys._getframe()) is not None:
            body.operate(Verb.OUTPUT, name="print", detail=safe_text(text.rstrip("\n"), 80))
        body.wrote("stdout", text)
        return len(raw)


class Stream:
    """``sys.stdout`` or ``sys.stderr``, of whichever process is running."""

    _syncsim_shared = True

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, text: str) -> int:
        """Do as the real one does."""
        body = here()
        if self._name == "stderr":
            body.wrote("stderr", text)
            return len(text)
        return _stdout(body).write(text)

    def flush(self) -> None:
        """Do as the real one does."""
        if self._name == "stdout":
            _stdout(here()).flush()

    def isatty(self) -> bool:
        """Return False: the stream is no terminal."""
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotVirtualError(f"sys.{self._name}.{name}")

    encoding = "utf-8"
    errors = "strict"


def _stdout(body: ProcessBody) -> io.TextIOWrapper:
    """Return the stream of the thread that runs.

    A thread of the library has one of its own: it may print while its process is suspended in the
    middle of a write, where a ``BufferedWriter`` lets nobody in.
    """
    thread = body.helpers.current or body
    stream: io.TextIOWrapper | None = thread.stdout
    if stream is None:
        buffered = io.BufferedWriter(_Out(body), 1 << 16)
        stream = io.TextIOWrapper(buffered, "utf-8", "strict", line_buffering=True)
        thread.stdout = stream
    return stream


def print_here(*values: Any, file: Any = None, **keywords: Any) -> None:
    """Print as the real one does, to the stdout of the process that runs."""
    if file is None:
        file = replaced("stdout") or _stdout(here())
    print(*values, file=file, **keywords)


def input_here(prompt: object = "") -> str:
    """There is nobody to ask."""
    if prompt:
        print_here(prompt, end="", flush=True)
    raise EOFError("EOF when reading a line")
