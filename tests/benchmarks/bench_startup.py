"""How soon syncsim answers: ``--version`` beside bare Python, and the first paint of the gallery.

Run: python tests/benchmarks/bench_startup.py
"""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import time


def seconds(*command: str) -> float:
    """How long the command takes, as a whole process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


MINIMAL = """
from textual.app import App
from textual.widgets import Static

class Minimal(App):
    def compose(self):
        yield Static("Producer")

Minimal().run()
"""


def first_paint(*arguments: str) -> float:
    """Seconds from the start of Python with these arguments to the first title on the screen."""
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(sys.executable, [sys.executable, *arguments])
    seen = b""
    try:
        while b"Producer" not in seen:
            if not select.select([terminal], [], [], 10)[0]:
                raise TimeoutError("nothing was painted within ten seconds")
            seen += os.read(terminal, 1 << 16)
        return time.perf_counter() - start
    finally:
        os.kill(pid, signal.SIGTERM)
        while True:  # let it restore the terminal
            try:
                if not os.read(terminal, 1 << 16):
                    break
            except OSError:
                break
        os.waitpid(pid, 0)
        os.close(terminal)


def main() -> None:
    """Ten rounds of each in turn; medians."""
    bare, version, paint, minimal = [], [], [], []
    for _ in range(10):
        bare.append(seconds(sys.executable, "-c", "pass"))
        version.append(seconds(sys.executable, "-m", "syncsim", "--version"))
        paint.append(first_paint("-m", "syncsim"))
        minimal.append(first_paint("-c", MINIMAL))
    over = statistics.median(v - b for v, b in zip(version, bare, strict=True))
    print(f"python -c pass              {statistics.median(bare) * 1000:6.0f} ms")
    print(f"syncsim --version, above it {over * 1000:6.0f} ms")
    print(f"first paint                 {statistics.median(paint) * 1000:6.0f} ms")
    print(f"of a minimal Textual app    {statistics.median(minimal) * 1000:6.0f} ms")
    ratio = statistics.median(ours / least for ours, least in zip(paint, minimal, strict=True))
    print(f"ratio of the two            {ratio:6.2f}")


if __name__ == "__main__":
    main()
