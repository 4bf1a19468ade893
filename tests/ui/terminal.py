"""A terminal of our own: the real command in a pty, and what it has drawn so far."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.cells import cell_len

PATIENCE = 60.0

_TOKENS = re.compile(
    r"\x1b\[(?P<arguments>[0-?]*)[ -/]*(?P<command>[@-~])"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings, as the title
    r"|\x1b[ -/]*[0-~]"
    r"|(?P<control>[\x00-\x1f])"
    r"|(?P<text>[^\x00-\x1f\x1b]+)"
)
#: The beginning of an escape sequence of which the rest has not been read.
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?)?\Z")


class Terminal:
    """``syncsim`` with these words in a terminal of 120 by 40."""

    width, height = 120, 40

    def __init__(self, words: Sequence[str], variables: Mapping[str, str]) -> None:
        self._cells = [[" "] * self.width for _ in range(self.height)]
        self._x = self._y = 0
        self._rest = b""
        self.pid, self._fd = pty.fork()
        if not self.pid:
            environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
            for name in ("TEXTUAL_ANIMATIONS", "SSH_CONNECTION", "SYNCSIM_ASCII"):
                environment.pop(name, None)
            environment.update(variables)
            command = [sys.executable, "-m", "syncsim", *words]
            os.execve(sys.executable, command, environment)
        fcntl.ioctl(
            self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", self.height, self.width, 0, 0)
        )

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        return ["".join(line) for line in self._cells]

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._fd, key.encode())

    def until(self, holds: Callable[[], object]) -> None:
        """Read on, frame by frame, until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, "\n".join(self.lines)
            if select.select([self._fd], [], [], 0.1)[0]:
                self._draw(os.read(self._fd, 1 << 16))

    def _draw(self, read: bytes) -> None:
        data = self._rest + read
        text = data.decode(errors="ignore")
        broken = data[-3:].decode(errors="replace").endswith("\ufffd")
        unfinished = _UNFINISHED.search(text)
        if unfinished or broken:  # the rest comes with the next read
            self._rest = data
            if len(data) < 1 << 20:
                return
        self._rest = b""
        for token in _TOKENS.finditer(text):
            if token["text"]:
                self._write(token["text"])
            elif token["control"]:
                self._control(token["control"])
            elif token["command"] in ("H", "f"):
                y, _, x = token["arguments"].partition(";")
                self._y, self._x = int(y or 1) - 1, int(x or 1) - 1

    def _control(self, sign: str) -> None:
        if sign == "\n":
            self._y += 1
        if sign in "\r\n":  # the terminal makes both of a newline
            self._x = 0

    def _write(self, text: str) -> None:
        for sign in text:
            size = cell_len(sign)
            if 0 <= self._y < self.height and 0 <= self._x < self.width:
                self._cells[self._y][self._x] = sign
                for at in range(self._x + 1, min(self._x + size, self.width)):
                    self._cells[self._y][at] = ""
            self._x += size

    def close(self) -> None:
        """End it, and wait until it has gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            while os.read(self._fd, 1 << 16):
                pass
        os.waitpid(self.pid, 0)
        os.close(self._fd)


@contextmanager
def terminal(*words: str, **environment: str) -> Iterator[Terminal]:
    """The command running in a terminal, with these variables in its environment."""
    opened = Terminal(words, environment)
    try:
        yield opened
    finally:
        opened.close()
