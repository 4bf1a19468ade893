"""How soon syncsim answers: ``--version``, the first paint of the gallery, a check of little.

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
import tempfile
import time
from pathlib import Path


def seconds(*command: str, code: int = 0) -> float:
    """How long the command takes, as a whole process, which ends with that exit code."""
    start = time.perf_counter()
    ended = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    assert ended.returncode == code, command
    return time.perf_counter() - start


#: A program that is proven: one process asks, another one searches.
TINY = """
from multiprocessing import Lock, Process

def work(lock):
    with lock:
        pass

if __name__ == "__main__":
    lock = Lock()
    processes = [Process(target=work, args=(lock,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


def interpreters(number: int) -> float:
    """Return the seconds of so many that import multiprocessing, each started by the one before."""
    code = "import multiprocessing.context, subprocess, sys; n = int(sys.argv[2]) - 1; "
    code += "n and subprocess.run([*sys.orig_argv[:2], sys.argv[1], sys.argv[1], str(n)])"
    return seconds(sys.executable, "-c", code, code, str(number))


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


def checks() -> None:
    """Ten rounds of two checks: one that proves, and one whose failure is replayed."""
    proven, failed, two, three = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder, "tiny.py")
        tiny.write_text(TINY, encoding="utf-8")
        for _ in range(10):
            proven.append(seconds(sys.executable, "-m", "syncsim", "check", str(tiny)))
            two.append(interpreters(2))
            failed.append(seconds(sys.executable, "-m", "syncsim", "check", "ab-ba", code=1))
            three.append(interpreters(3))
    for name, ours, least in (
        ("check, proven    ", proven, two),
        ("check, replayed  ", failed, three),
    ):
        ratio = statistics.median(one / other for one, other in zip(ours, least, strict=True))
        bare = f"{statistics.median(least) * 1000:.0f} ms of bare interpreters"
        print(f"{name}           {statistics.median(ours) * 1000:6.0f} ms ({ratio:.1f} x {bare})")


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
    checks()


if __name__ == "__main__":
    main()
