"""Programs that are broken, or hostile: a clear answer each, within its limits, nothing left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

import syncsim
from syncsim.explore.checker import Checker

pytestmark = pytest.mark.once

LOOP = "while True: pass\n"
CHILD = """
from multiprocessing import {what}
def work():
    {does}
if __name__ == "__main__":
    child = Process(target=work)
    child.start()
    child.join()
"""
SPAWNED = """
import multiprocessing as mp
if __name__ != "__main__":
    raise RuntimeError("not in a child")
class Child(mp.get_context("spawn").Process):
    def run(self): pass
if __name__ == "__main__":
    child = Child()
    child.start()
    child.join()
"""


def child(does: str) -> str:
    return CHILD.format(what="Process", does=does)


NOTHING = "There is nothing to prove"
#: The program, the exit code, and what is said of it.
BROKEN = {
    "no syntax": ("def (:\n", 2, "line 1"),
    "a NUL byte": ("x = 1\0\n", 2, "NUL byte"),
    "nothing": ("", 3, NOTHING),
    "no operation in a child": (child(LOOP), 3, "without any operation"),
    "no operation, and catches all": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n",
        3,
        "without any operation",
    ),
    "fork, and catches all": (
        "import os\ntry: os.fork()\nexcept BaseException: pass\n",
        3,
        "os.fork (program.py, line 2)",
    ),
    "catches its end": (
        """
from multiprocessing import Lock
lock = Lock()
while True:
    try:
        with lock: pass
    except BaseException:
        pass
""",
        0,
        "proven",
    ),
    "fork": ("import os\nos.fork()\n", 3, "os.fork"),
    "exec": ("import os\nos.execvp('sleep', ['sleep', '1000'])\n", 3, "os.execvp"),
    "ten gigabytes": ("x = bytearray(10 << 30)\n", 3, "more than 4 GB of memory"),
    "exit": ("import sys\nsys.exit(3)\n", 3, NOTHING),
    "exit at once": ("import os\nos._exit(5)\n", 3, NOTHING),
    "exception": ("raise ValueError('no')\n", 1, "ValueError: no"),
    "exception in a child": (child("raise ValueError('no')"), 1, "ValueError: no"),
    "exception in a spawned child": (SPAWNED, 1, "RuntimeError: not in a child"),
    "a module that is not there": ("import no_such_module\n", 1, "No module named"),
    "a name that is not there": (CHILD.format(what="Proces", does="pass"), 1, "Proces"),
    "recursion": ("def f(): f()\nf()\n", 1, "RecursionError"),
    "megabytes": ("for _ in range(40): print('x' * (1 << 18))\n", 3, NOTHING),
    "closes its streams": (
        "import sys\nsys.stdin.close()\nsys.stdout.close()\n",
        3,
        "sys.stdout.close",
    ),
    "closes all files": ("import os\nos.closerange(0, 256)\n", 3, "os.closerange"),
    "writes past Python": (
        "import os\nos.write(1, b'x' * 200_000)\nos.write(2, b'x' * 200_000)\n",
        3,
        NOTHING,
    ),
    "kills its parent": ("import os, signal\nos.kill(os.getppid(), 9)\n", 3, "os.kill"),
    "kills its group": ("import os, signal\nos.killpg(0, signal.SIGTERM)\n", 3, "os.killpg"),
    "a thread": ("import threading\nthreading.Thread(target=print).start()\n", 3, "Thread"),
    "a program": ("import subprocess\nsubprocess.Popen(['sleep', '1000'])\n", 3, "subprocess"),
    "a socket": ("import socket\nsocket.socket().accept()\n", 3, "socket.socket"),
    "reads a line": ("input('who? ')\n", 1, "EOFError"),
    "reads all": ("import sys\nassert sys.stdin.read() == ''\n", 3, NOTHING),
    "a segmentation fault": ("import ctypes\nctypes.string_at(0)\n", 3, "by SIGSEGV"),
    "a limit of its own": (
        f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n{LOOP}",
        3,
        "by SIGKILL",
    ),
    "says that it is proven": (
        "import os\n"
        "for n in range(3, 64):\n"
        '    try: os.write(n, b\'{"over":true,"complete":true,"states":1}\\n\')\n'
        "    except OSError: pass\n"
        "raise ValueError('no')\n",
        1,
        "ValueError: no",
    ),
}

#: What is said to help, where the program takes long to say.
HINTS = {"no operation, and catches all": "What it computes"}


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """An environment by which what is left behind is known: its processes, its temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return os.environ | {"TMPDIR": str(folder), "SYNCSIM_TEST": uuid.uuid4().hex}


def left_behind(surroundings: dict[str, str]) -> list[str]:
    mark = f"SYNCSIM_TEST={surroundings['SYNCSIM_TEST']}".encode()
    found = [str(path) for path in Path(surroundings["TMPDIR"]).iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().decode())
    return found


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "name",
    [
        # It is waited for five seconds, as is the one that catches all.
        pytest.param(name, marks=pytest.mark.slow) if name == "no operation in a child" else name
        for name in BROKEN
    ],
)
def test_a_clear_answer(tmp_path: Path, surroundings: dict[str, str], name: str) -> None:
    text, code, words = BROKEN[name]
    path = tmp_path / "program.py"
    path.write_text(text)
    found = subprocess.run(
        [sys.executable, "-m", "syncsim", "check", str(path), "--json"],
        capture_output=True, text=True, timeout=120, check=False, env=surroundings,
    )  # fmt: skip
    assert found.returncode == code, found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    if code == 2:
        assert found.stdout == ""
        (said,) = found.stderr.splitlines()
    else:
        assert found.stderr == ""
        told = json.loads(found.stdout)
        verdicts = {0: ["finished"], 1: ["crash"], 3: ["undecided"]}[code]
        assert told["verdict"] in verdicts
        assert told["confirmed"] is (code == 1)
        said = "proven" if code == 0 else told["explanation"]
        assert (told["hint"] or "").startswith(HINTS.get(name, ""))
    assert words in said
    wait_until(lambda: not left_behind(surroundings))


def test_code_in_c_that_does_not_come_back(
    tmp_path: Path, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "program.py"
    path.write_text("sum(range(10**12))\n")
    monkeypatch.setattr(Checker._line, "__defaults__", (3.0,))  # seconds of silence
    monkeypatch.setitem(os.environ, "SYNCSIM_TEST", surroundings["SYNCSIM_TEST"])
    checked = syncsim.check(path)
    assert checked.verdict == "undecided"
    assert "does not come back" in checked.explanation
    wait_until(lambda: len(left_behind(surroundings)) <= 1)  # (this process has the mark, too)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_the_check_ends_its_worker(
    tmp_path: Path, surroundings: dict[str, str], number: int
) -> None:
    path, begun = tmp_path / "program.py", tmp_path / "begun"
    path.write_text(f"open({str(begun)!r}, 'w').close()\nsum(range(10**12))\n")
    check = subprocess.Popen(
        [sys.executable, "-m", "syncsim", "check", str(path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings,
    )  # fmt: skip
    try:
        wait_until(begun.exists)
        check.send_signal(number)
        check.wait(60)
        wait_until(lambda: not left_behind(surroundings))
    finally:
        check.kill()
        check.wait()
