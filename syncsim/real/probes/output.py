"""Output: what the program prints is recorded, and shown by us."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from syncsim.core.operation import Verb
from syncsim.program.safe import safe_text
from syncsim.real import wire
from syncsim.real.gate import Gate


class _Stream(io.RawIOBase):
    """The program's stdout or stderr, unbuffered."""

    def __init__(self, gate: Gate, name: str, fd: int) -> None:
        self.name = f"<{name}>"
        self._gate = gate
        self._stream = name
        self._fd = fd
        self._file = gate.streams.get(name)
        # A character may be written in two halves.
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def fileno(self) -> int:
        """The file descriptor that the stream has under plain Python."""
        return self._fd

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Records the bytes; to print is an operation, to complain on stderr is none."""
        gate = self._gate
        raw = bytes(data)
        # Where the program has closed or replaced the file, the bytes go the way they went.
        if not gate.active or wire.identity(self._fd) != self._file:
            return os.write(self._fd, raw)
        text = self._decoder.decode(raw)
        if self._stream == "stdout" and gate.applies():
            # What is left in the buffer when a process ends comes from no line of the program.
            act = gate.give if gate.user_frame() is not None else gate.note
            act(Verb.OUTPUT, "", "print", safe_text(text.rstrip("\n"), 80))
        for start in range(0, len(text), wire.CHARACTERS):
            piece = text[start : start + wire.CHARACTERS]
            gate.write(wire.Text(gate.pid, self._stream, piece))
        return len(raw)


@contextmanager
def reentrant(gate: Gate) -> Iterator[None]:
    """Lets a signal handler print although the process may be waiting in a print of its own.

    (A ``BufferedWriter`` refuses that; under plain Python a print does not wait, so it is rare.)
    """
    before = sys.stdout, sys.stderr
    for name, stream, fd in (("stdout", sys.stdout, 1), ("stderr", sys.stderr, 2)):
        if gate.active and isinstance(getattr(stream, "buffer", None), _Buffer):
            setattr(sys, name, _stream(gate, name, fd))
    inside = sys.stdout, sys.stderr
    try:
        yield
    finally:
        for name, mine, theirs in zip(("stdout", "stderr"), inside, before, strict=True):
            if getattr(sys, name) is mine and mine is not theirs:
                mine.flush()
                setattr(sys, name, theirs)


class _Buffer(io.BufferedWriter):
    """What tells our streams from those that the program has put in their place."""


def _stream(gate: Gate, name: str, fd: int) -> io.TextIOWrapper:
    buffered = _Buffer(_Stream(gate, name, fd), 1 << 16)
    errors = "strict" if name == "stdout" else "backslashreplace"
    stream = io.TextIOWrapper(buffered, "utf-8", errors, line_buffering=True)
    vars(stream)["mode"] = "w"
    return stream


def redirect(gate: Gate) -> None:
    """Sends this process's stdout and stderr our way, by line, as to a terminal."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = _stream(gate, name, fd)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
