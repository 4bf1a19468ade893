"""Output: what the program prints is recorded, and shown by us."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any

from syncsim.core.operation import Verb
from syncsim.real import wire
from syncsim.real.gate import Gate
from syncsim.real.safe import safe_text


class _Stream(io.RawIOBase):
    """The program's stdout or stderr, unbuffered."""

    def __init__(self, gate: Gate, name: str, fd: int) -> None:
        self.name = f"<{name}>"
        self._gate = gate
        self._stream = name
        self._fd = fd
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
        if not gate.active:
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


def redirect(gate: Gate) -> None:
    """Sends this process's stdout and stderr our way, by line, as to a terminal."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        buffered = io.BufferedWriter(_Stream(gate, name, fd), 1 << 16)
        errors = "strict" if name == "stdout" else "backslashreplace"
        stream = io.TextIOWrapper(buffered, "utf-8", errors, line_buffering=True)
        vars(stream)["mode"] = "w"
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
