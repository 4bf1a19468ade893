"""The output of a process: to print is an operation; what goes to stderr is none."""

from __future__ import annotations

import sys
from typing import Any

from syncsim.core.operation import Verb
from syncsim.program.safe_text import safe_text
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.process.body import ProcessBody, here
from syncsim.virtual.process.stacks import user_frame
from syncsim.virtual.stdlib.environment import replaced

#: Bytes after which what was written is flushed also in the middle of a line.
_MOST = 1 << 16


class _Stdout:
    """The stdout of a process: its text is kept until a line ends, and to flush it is an operation.

    What is not flushed is a part of the process's state, and is taken out before the operation: a
    thread of the library may print while its process is suspended there.
    """

    def __init__(self, body: ProcessBody) -> None:
        self._body = body

    def write(self, text: str) -> int:
        """Keep the text; flush all that is kept once a line ends."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        state = self._body.state
        state.unflushed += text.encode("utf-8")
        if "\n" in text or "\r" in text or len(state.unflushed) > _MOST:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Print what is kept."""
        body = self._body
        kept, body.state.unflushed = body.state.unflushed, b""
        if not kept:
            return
        text = kept.decode("utf-8")
        if user_frame(sys._getframe()) is not None:
            body.operate(Verb.OUTPUT, name="print", detail=safe_text(text.rstrip("\n"), 80))
        body.wrote("stdout", text)


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
        return _Stdout(body).write(text)

    def flush(self) -> None:
        """Do as the real one does."""
        if self._name == "stdout":
            _Stdout(here()).flush()

    def isatty(self) -> bool:
        """Return False: the stream is no terminal."""
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotVirtualError(f"sys.{self._name}.{name}")

    encoding = "utf-8"
    errors = "strict"


def print_here(*values: Any, file: Any = None, **keywords: Any) -> None:
    """Print as the real one does, to the stdout of the process that runs."""
    if file is None:
        file = replaced("stdout") or _Stdout(here())
    print(*values, file=file, **keywords)


def input_here(prompt: object = "") -> str:
    """There is nobody to ask."""
    if prompt:
        print_here(prompt, end="", flush=True)
    raise EOFError("EOF when reading a line")
