"""Runs CPython's tests with and without syncsim, and compares what comes of each test."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import counting

HERE = Path(__file__).parent
PROGRAM = HERE / "program.py"
#: The environment variable by which the program learns its start method.
METHOD = "SYNCSIM_ORACLE_METHOD"
METHODS = ("fork", "spawn", "forkserver")
#: Without it nothing can be said about this Python.
NEEDED = "test._test_multiprocessing"
MISSING = (
    f"This Python ({sys.executable}) has no module {NEEDED}: its standard library came without the "
    "test package. Use a Python that has it (one built from source, by pyenv for instance; on "
    "Debian and Ubuntu install libpython3-testsuite)."
)
#: What must never be in the output of a program: a file of ours.
OURS = "syncsim/instrument/"
#: Seconds that one test may take before it is said to hang; the longest needs about 20.
PATIENCE = 180.0
#: What counts as a success, besides having passed.
_GOOD = ("passed", "skipped", "expected failure")


def is_there() -> bool:
    """Whether this Python has CPython's tests."""
    return importlib.util.find_spec("test") is not None and (
        importlib.util.find_spec(NEEDED) is not None
    )


@dataclass
class Outcome:
    """What came of one test."""

    outcome: str
    detail: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return self.outcome in _GOOD


@dataclass
class Run:
    """What came of the tests, run once; over several launches if one of them hung or died."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    #: What ``test.support`` warned of (processes and threads that dangle), without the objects.
    warnings: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    #: The exit codes of the program, one a launch.
    exitcodes: list[int | None] = field(default_factory=list)
    #: What went wrong besides the tests.
    trouble: list[str] = field(default_factory=list)
    #: Watched: records that the processes have written, and that were read.
    written: int = 0
    read: int = 0
    steps: int = 0
    processes: int = 0

    @property
    def counts(self) -> Counter[str]:
        return Counter(outcome.outcome for outcome in self.outcomes.values())

    @property
    def lost(self) -> int:
        """How many records were written and not read.

        (A few more may be read than were counted, see ``counting``.)
        """
        return max(0, self.written - self.read)


def listed(method: str) -> list[str]:
    """The ids of all tests for that start method."""
    told = subprocess.run(
        [sys.executable, PROGRAM, "--list"],
        env=os.environ | {METHOD: method},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split()


def run(method: str, *, watched: bool, tests: Iterable[str] = (), log: Path) -> Run:
    """Runs the tests named (all of them without) as plain Python does, or ``watched``.

    Where a test hangs or takes the program down with it, the rest is run in another launch.
    """
    result = Run()
    began = time.monotonic()
    left = list(tests)
    while True:
        with tempfile.TemporaryDirectory(prefix="oracle-") as directory:
            left = _Launch(Path(directory), method, watched, left, log).into(result)
        if not left:
            result.seconds = time.monotonic() - began
            return result


class _Launch:
    """One launch of the program."""

    def __init__(
        self, directory: Path, method: str, watched: bool, tests: list[str], log: Path
    ) -> None:
        self._directory = directory
        self._watched = watched
        self._log = log
        self._outcomes = directory / "outcomes"
        self._outcomes.touch()
        self._place = directory / "cwd"
        self._place.mkdir()
        self._counters = directory / "counters"
        words = [str(self._outcomes)]
        if tests:
            names = directory / "tests"
            names.write_text("\n".join(tests))
            words.append(str(names))
        self._environment = os.environ | {METHOD: method}
        if watched:
            counting.make(self._counters)
            self._environment[counting.COUNTERS] = str(self._counters)
            self._command = [sys.executable, "-m", "syncsim", "run", "--scheduler", "os", "--json"]
            self._command += [str(PROGRAM), "--", *words]
        else:
            self._command = [sys.executable, str(PROGRAM), *words]
        self._verdict: dict[str, Any] = {}
        self._trouble: list[str] = []

    def into(self, result: Run) -> list[str]:
        """Runs, and adds what came of it; the answer is which tests were not reached."""
        with self._log.open("a") as log:
            log.write(f"== {' '.join(self._command)}\n")
            log.flush()
            program = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._watched else log,
                stderr=log,
                cwd=self._place,
                env=self._environment,
                start_new_session=True,
            )
            reader = threading.Thread(target=self._listen, args=(program.stdout, log))
            if self._watched:
                reader.start()
            hung = self._attend(program)
            if self._watched:
                reader.join()
                program.stdout.close()
        left = self._gather(result, "hung" if hung else "broke off")
        if self._watched:
            result.written += counting.total(self._counters)
            result.read += self._verdict.get("records", 0)
            result.steps += self._verdict.get("steps", 0)
            result.processes += len(self._verdict.get("processes", ()))
            result.trouble += self._trouble
            if not self._verdict:
                result.trouble.append(f"syncsim ended without a verdict, by {program.returncode}")
            main = self._verdict.get("processes", [{}])[0]
            result.exitcodes.append(main.get("exitcode"))
        else:
            result.exitcodes.append(program.returncode)
        return left

    def _listen(self, told: Any, log: Any) -> None:
        """Keeps of what ``syncsim run --json`` tells the verdict, and the program's output."""
        for line in told:
            if line.startswith(b'{"type":"verdict"'):
                self._verdict = json.loads(line)
            elif line.startswith(b'{"type":"output"'):
                text = json.loads(line)["text"]
                log.write(text)
                if OURS in text:
                    self._trouble.append(f"something of ours was told: {text.strip()[:200]}")
        log.flush()

    def _attend(self, program: subprocess.Popen[bytes]) -> bool:
        """Waits for the end; a test that takes too long is ended, and so called hung."""
        while True:
            try:
                program.wait(1.0)
                hung = False
            except subprocess.TimeoutExpired:
                hung = time.time() - self._outcomes.stat().st_mtime > PATIENCE
                if not hung:
                    continue
                program.terminate()  # syncsim ends the run, and says what it has seen
                with suppress(subprocess.TimeoutExpired):
                    program.wait(20.0)
            with suppress(ProcessLookupError):  # what a plain run has left behind
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            return hung

    def _gather(self, result: Run, unfinished: str) -> list[str]:
        """Reads what came of each test; one that has only begun gets ``unfinished``."""
        expected: list[str] = []
        begun = ""
        for line in self._outcomes.read_text().splitlines():
            record = json.loads(line)
            if "tests" in record:
                expected = record["tests"]
            elif record["outcome"] == "begun":
                begun = record["test"]
            elif record["outcome"] == "warning":
                kind = record["detail"].partition(":")[0]
                result.warnings[kind] += 1
            else:
                name = record.pop("test")
                result.outcomes[name] = Outcome(**record)
                if name == begun:
                    begun = ""
        if begun:
            result.outcomes[begun] = Outcome(unfinished)
        elif not expected:
            result.trouble.append("the program did not get to its tests")
        left = [name for name in expected if name not in result.outcomes]
        if left and not begun:
            # It ended between two tests: that would go on for ever.
            result.trouble.append(f"not reached: {', '.join(left)}")
            return []
        return left


@dataclass(frozen=True)
class Difference:
    """A test that comes out otherwise when it is watched; also alone, both ways?"""

    test: str
    plain: Outcome
    watched: Outcome
    plain_alone: Outcome
    watched_alone: Outcome

    @property
    def is_ours(self) -> bool:
        """Whether it fails alone, too, and only when it is watched."""
        return self.plain_alone.good and not self.watched_alone.good


def differences(method: str, plain: Run, watched: Run, *, log: Path) -> Iterator[Difference]:
    """The tests that came out otherwise; each is run again, alone, both ways."""
    missing = Outcome("not reached")
    for name, one in plain.outcomes.items():
        other = watched.outcomes.get(name, missing)
        if one.outcome != other.outcome and other is not missing:
            alone = (
                run(method, watched=how, tests=[name], log=log).outcomes.get(name, missing)
                for how in (False, True)
            )
            yield Difference(name, one, other, *alone)


def amiss(plain: Run, watched: Run) -> list[str]:
    """What else is not as without us, one sentence each."""
    found = [*plain.trouble, *watched.trouble]
    found += [f"{name}: only without" for name in plain.outcomes if name not in watched.outcomes]
    found += [f"{name}: only with" for name in watched.outcomes if name not in plain.outcomes]
    if watched.lost:
        found.append(f"{watched.lost} records were lost")
    if plain.warnings != watched.warnings:
        found.append("the warnings are not the same")
    if plain.exitcodes[-1] != watched.exitcodes[-1]:
        found.append("the exit codes are not the same")
    return found


def fail_both_ways(plain: Run, watched: Run) -> list[str]:
    """The tests that fail without us, too."""
    return [
        name
        for name, outcome in plain.outcomes.items()
        if not outcome.good and name in watched.outcomes and not watched.outcomes[name].good
    ]
