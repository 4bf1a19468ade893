"""Sixteen processes playing flat out: frames a second, processor use, and how soon a key answers.

The app runs in a terminal of its own (a pty, 120 by 40); processor time is the kernel's account
of the app's process, frames are the synchronized updates that it writes.  Linux only.

Run: python tests/benchmarks/bench_screen.py
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

PROGRAM = Path(__file__).parent / "programs" / "locks.py"
FRAME = b"\x1b[?2026h"


class Terminal:
    """The app in a pty; ``seen`` is what it wrote last."""

    def __init__(self, *arguments: str) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, "-m", "syncsim", *arguments])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read_for(self, seconds: float) -> bytes:
        """What is written within that time."""
        end, seen = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                seen += os.read(self.fd, 1 << 16)
        return seen

    def read_until(self, what: bytes, seconds: float = 10) -> float:
        """Seconds until ``what`` was written; raises TimeoutError."""
        start, seen = time.perf_counter(), b""
        while what not in seen:
            if not select.select([self.fd], [], [], seconds)[0]:
                raise TimeoutError(f"{what!r} did not come")
            seen += os.read(self.fd, 1 << 16)
        return time.perf_counter() - start

    def key(self, key: bytes) -> None:
        """Types a key."""
        os.write(self.fd, key)

    def processor_seconds(self) -> float:
        """What the app's process (not those of the program) has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Ends it as a person would not."""
        os.kill(self.pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            while os.read(self.fd, 1 << 16):
                pass
        os.waitpid(self.pid, 0)


def main() -> None:
    """Three rounds of five seconds each."""
    shares, frames, answers = [], [], []
    for _ in range(3):
        terminal = Terminal(str(PROGRAM), "16", "1000000")
        try:
            terminal.key(b"\x1b[?2026;2$y")  # as a terminal answers that knows synchronized updates
            terminal.read_until(b"paused")
            for _ in range(20):
                terminal.key(b"+")
            terminal.key(b" ")
            terminal.read_for(3)
            used = terminal.processor_seconds()
            wrote = terminal.read_for(5)
            shares.append((terminal.processor_seconds() - used) / 5)
            frames.append(wrote.count(FRAME) / 5)
            for _ in range(10):
                terminal.read_for(0.1)
                terminal.key(b"-")
                answers.append(terminal.read_until(b"/s"))
                terminal.key(b"+")
                terminal.read_until(b"flat")
        finally:
            terminal.close()
    print(f"frames a second         {statistics.median(frames):8.1f}")
    print(f"share of one core       {statistics.median(shares):8.0%}")
    slow = sorted(answers)[int(len(answers) * 0.95)]
    print(
        f"a key answers within    {slow * 1000:8.0f} ms (95 %), median "
        f"{statistics.median(answers) * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
