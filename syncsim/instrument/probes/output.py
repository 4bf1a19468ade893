"""Output: what the program prints is recorded, and shown by us."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections import deque
from contextlib import suppress
from typing import Any

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.program.safe_text import safe_text

#: Bytes that a stream keeps at the most before it writes them.
_KEPT = 1 << 16


class _Stream(io.RawIOBase):
    """The program's stdout or stderr, unbuffered."""

    def __init__(self, gate: Gate, name: str, fd: int, encoding: str) -> None:
        self.name = f"<{name}>"
        self._gate = gate
        self._stream = name
        self._fd = fd
        self._file = gate.streams.get(name)
        # A character may be written in two halves.
        self._decoder = codecs.getincrementaldecoder(encoding)("backslashreplace")

    def fileno(self) -> int:
        """The file descriptor that the stream has under plain Python."""
        return self._fd

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Record the bytes; to print is an operation, to complain on stderr is none."""
        gate = self._gate
        raw = bytes(data)
        # Where the program has closed or replaced the file, the bytes go the way they went.
        if not gate.active or wire.identity(self._fd) != self._file:
            return os.write(self._fd, raw)
        text = self._decoder.decode(raw)
        if self._stream == "stdout" and gate.applies():
            # What is left in the buffer when a process ends comes from no line of the program.
            act = gate.give if gate.code.user_frame() is not None else gate.note
            act(Verb.OUTPUT, "", "print", safe_text(text.rstrip("\n"), 80))
        for start in range(0, len(text), wire.CHARACTERS):
            piece = text[start : start + wire.CHARACTERS]
            gate.write(wire.Text(gate.pid, self._stream, piece))
        return len(raw)


class _Buffer(io.BufferedIOBase):
    """The text written to a stream of ours and not flushed yet.

    Unlike a ``BufferedWriter`` it is not locked while somebody waits at the gate in a print: who
    starts a process flushes before, and that may be a thread of the library that we wait for.
    """

    def __init__(self, raw: _Stream) -> None:
        super().__init__()
        self._raw = raw
        self._pieces: deque[bytes] = deque()
        self._size = 0

    @property
    def raw(self) -> io.RawIOBase:
        """The file that it writes to."""
        return self._raw

    @property
    def name(self) -> str:
        """Give that of the stream."""
        return self._raw.name

    @property
    def mode(self) -> str:
        """It is written to, in bytes."""
        return "wb"

    def fileno(self) -> int:
        """Give that of the stream."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Answer for the stream."""
        return self._raw.isatty()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Keep the bytes, until there are many."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _KEPT:
            self.flush()
        return len(piece)

    def flush(self) -> None:
        """Write what is kept; what a signal handler keeps from being written stays."""
        super().flush()  # which complains of a closed file
        pieces = []
        with suppress(IndexError):
            while True:
                pieces.append(self._pieces.popleft())
        self._size = 0
        rest = b"".join(pieces)
        try:
            while rest:
                rest = rest[self._raw.write(rest) :]
        finally:
            if rest:
                self._pieces.appendleft(rest)

    def detach(self) -> io.RawIOBase:
        """The stream, without its buffer."""
        self.flush()
        return self._raw


def _stream(gate: Gate, name: str, fd: int) -> io.TextIOWrapper:
    # What cannot be printed under plain Python cannot be printed here: an error is an error.
    real = getattr(sys, f"__{name}__")
    encoding = getattr(real, "encoding", "utf-8")
    if "\n".encode(encoding) != b"\n":  # it has a mark at its beginning, of which we have many
        encoding = "utf-8"
    errors = getattr(real, "errors", "strict" if name == "stdout" else "backslashreplace")
    buffered = _Buffer(_Stream(gate, name, fd, encoding))
    stream = io.TextIOWrapper(buffered, encoding, errors, line_buffering=True)
    vars(stream)["mode"] = "w"
    return stream


def redirect(gate: Gate) -> None:
    """Send this process's stdout and stderr our way, by line, as to a terminal."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = _stream(gate, name, fd)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
