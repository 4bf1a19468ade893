"""Runs programs on CPython as it is, freely, many times; what they print is what came of it.

Run as a script it is the parent of those runs: a plain interpreter that has imported
``multiprocessing``, so that a run costs a fork and not the start of an interpreter.  A program
hangs when all its threads sleep and none of them has woken in a while: no sleep in it is
that long.  On a busy machine that may be a mistake, so where nobody expects it to hang like that,
it has to do so for long.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

#: Seconds in which whoever sleeps for some time wakes up; where it is not expected to hang.
AWHILE, LONG = 0.04, 5.0
#: Seconds after which a run is given up that neither ends nor hangs.
TOO_LONG = 60.0
#: So many at the same time.
AT_ONCE = 6


class Outcome(NamedTuple):
    """The exit code of the main process, None if it hangs, and what each process printed."""

    code: int | None
    printed: frozenset[tuple[str, tuple[str, ...]]]


def outcome_of(code: int | None, lines: Sequence[str]) -> Outcome:
    """The same, from lines that begin with who printed them."""
    by_whom: dict[str, list[str]] = {}
    for line in lines:
        who, _, what = line.partition(" ")
        by_whom.setdefault(who, []).append(what)
    return Outcome(code, frozenset((who, tuple(what)) for who, what in by_whom.items()))


class FreeRunner:
    """The parent of the runs, as seen from the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def run(self, paths: Sequence[Path], expected: Collection[Outcome]) -> list[Outcome]:
        """Run each of those programs; what came of them, in any order."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        hangs = [sorted(one.printed) for one in expected if one.code is None]
        stdin.write(json.dumps([[str(path) for path in paths], hangs]).encode() + b"\n")
        stdin.flush()
        return [outcome_of(code, lines) for code, lines in json.loads(stdout.readline())]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


# -- in the parent of the runs ------------------------------------------------------------


class _Run:
    """One run: its session has the number of its main process."""

    def __init__(self, path: str) -> None:
        self.out, out = os.pipe()
        self.path = path
        self.text = b""
        self.began = time.monotonic()
        self.looked = self.moved = self.began
        self.seen: object = None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.dup2(out, 1)
            os.close(out)
            _be(path)
        os.close(out)

    def hangs(self, expected: Collection[Outcome]) -> bool:
        """Whether nobody has moved since the last look, a while ago, or for long."""
        now = time.monotonic()
        if now - self.looked < AWHILE:
            return False
        before, self.seen, self.looked = self.seen, _sleepers(self.pid), now
        if now - self.began > TOO_LONG:
            raise TimeoutError(f"{self.path} neither ends nor hangs: {self.text!r}")
        if self.seen is None or self.seen != before:
            self.moved = now
            return False
        is_expected = outcome_of(None, self.text.decode().splitlines()) in expected
        return is_expected or now - self.moved > LONG

    def end(self, *, hangs: bool) -> tuple[int | None, list[str]]:
        """Leave nothing of it."""
        if hangs:
            # A tracker ends of itself, and leaves no semaphore.  The others are stopped before the
            # first is killed: who sees another one's death would go on, and print.
            members = [pid for pid in _members(self.pid) if not _is_tracker(pid)]
            for end in signal.SIGSTOP, signal.SIGKILL:
                for pid in members:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, end)
        status = os.waitpid(self.pid, 0)[1]
        while data := os.read(self.out, 1 << 16):
            self.text += data
        os.close(self.out)
        code = None if hangs else os.waitstatus_to_exitcode(status)
        return code, self.text.decode().splitlines()


def _be(path: str) -> None:
    """Become the program, as ``python program.py`` would; never returns."""
    import runpy

    sys.argv = [path]
    # A method that starts interpreters wants them to find the program.
    if "spawn" in Path(path).read_text() or "forkserver" in Path(path).read_text():
        os.execv(sys.executable, [sys.executable, path])
    runpy.run_path(path, run_name="__main__")
    sys.exit()


def _members(session: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                if os.getsid(int(name)) == session:
                    found.append(int(name))
    return found


def _is_tracker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _sleepers(session: int) -> object:
    """How often each thread has gone to sleep; None if one does not sleep."""
    found = []
    for pid in sorted(_members(session)):
        try:
            for thread in sorted(os.listdir(f"/proc/{pid}/task")):
                status = Path(f"/proc/{pid}/task/{thread}/status").read_text()
                words = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
                if words["State"].strip()[0] not in "SZ":
                    return None
                found.append((thread, words["voluntary_ctxt_switches"]))
        except (OSError, KeyError):
            return None
    return found


def _run_all(
    paths: list[str], expected: Collection[Outcome]
) -> Iterator[tuple[int | None, list[str]]]:
    todo, selector = list(reversed(paths)), selectors.DefaultSelector()
    running: list[_Run] = []
    while todo or running:
        while todo and len(running) < AT_ONCE:
            running.append(_Run(todo.pop()))
            selector.register(running[-1].out, selectors.EVENT_READ, running[-1])
        over: dict[_Run, bool] = {}
        for key, _ in selector.select(AWHILE / 4):
            data = os.read(key.data.out, 1 << 16)
            key.data.text += data
            if not data:
                over[key.data] = False
        for run in running:
            if run not in over and run.hangs(expected):
                over[run] = True
        for run, hangs in over.items():
            selector.unregister(run.out)
            running.remove(run)
            yield run.end(hangs=hangs)


def _serve() -> None:
    import multiprocessing.queues
    import multiprocessing.synchronize  # noqa: F401 - as warm as it gets

    for line in sys.stdin.buffer:
        paths, hangs = json.loads(line)
        expected = {
            Outcome(None, frozenset((who, tuple(what)) for who, what in printed))
            for printed in hangs
        }
        sys.stdout.write(json.dumps(list(_run_all(paths, expected))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
