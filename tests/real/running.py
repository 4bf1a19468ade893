"""Runs of real processes, for tests: in this process, or by the command line."""

from __future__ import annotations

import glob
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from either import either
from msgspec.structs import replace

from syncsim.core.deadlock.verdict import Diagnosis, diagnose
from syncsim.core.schedule import Choice, Grain, format_schedule
from syncsim.core.scheduler import RoundRobin, Scheduler
from syncsim.core.state import Actor, State
from syncsim.core.steps import Step
from syncsim.program.source import load
from syncsim.real.run import RealRun
from syncsim.session.headless import HeadlessRun

#: Far more than anything here takes on a machine that is busy.
DEADLINE = 60.0
#: Seconds after which a world gives up on a process that sends no word: some tests wait it out.
PATIENCE = 20.0
#: The start methods.  A new interpreter for each child takes its time: those are for when there
#: is some, where the default run shows elsewhere that such a child joins the run.
METHODS = (
    "fork",
    pytest.param("spawn", marks=pytest.mark.slow),
    pytest.param("forkserver", marks=pytest.mark.slow),
)
PROGRAMS = Path(__file__).parent / "programs"
PROJECT = Path(__file__).parents[2]
#: The head of a program: what its ``task`` returns takes long to be unpickled.
LATE = """
class Late:
    def __setstate__(self, state):
        sum(range(10_000_000))

def task():
    late = Late()
    late.n = 1
    return late
"""


def wait_for(what: Callable[[], Any], deadline: float = DEADLINE) -> Any:
    """What it returns, as soon as that is true; fails after so many seconds."""
    end = time.monotonic() + deadline
    while not (found := what()):
        assert time.monotonic() < end, f"not true after {deadline} s: {what}"
        time.sleep(0.001)  # those who are waited for need the processor
    return found


# -- in this process -----------------------------------------------------------------------


@dataclass
class Run:
    """What came of a controlled run."""

    steps: list[Step] = field(default_factory=list)
    chosen: list[Choice] = field(default_factory=list)
    output: list[tuple[str, str]] = field(default_factory=list)
    state: State = field(default_factory=State)

    @property
    def schedule(self) -> str:
        return format_schedule(self.chosen)

    @property
    def diagnosis(self) -> Diagnosis:
        return diagnose(self.state)

    @property
    def told(self) -> list[Step]:
        """The steps without what differs from run to run: pids, and seconds that went by."""
        return [replace(step, pid=0, detail=timeless(step.detail)) for step in self.steps]

    @property
    def actors(self) -> list[Actor]:
        """How everyone stands at the end, without pids."""
        return [
            replace(
                actor,
                pid=0,
                observed=0,
                asleep_on="",
                pending=actor.pending and replace(actor.pending, atom="", primitive=""),
            )
            for actor in self.state.actors
        ]

    def text(self, stream: str) -> list[str]:
        """The lines written to that stream, sorted, without the seconds that went by."""
        written = "".join(text for to, text in self.output if to == stream)
        return sorted(timeless(written).splitlines())


def timeless(text: str) -> str:
    """The text without the seconds that the program has measured."""
    return re.sub(r"\b\d+\.\d\d s\b", "… s", text)


@contextmanager
def world(path: Path, *arguments: str, run: Run | None = None, **options: Any) -> Iterator[RealRun]:
    """A world of that program, closed at the end."""
    heard = run or Run()
    real = RealRun(
        load(path, arguments),
        on_step=heard.steps.append,
        on_print=lambda actor, stream, text: heard.output.append((stream, text)),
        **{"patience": PATIENCE} | options,
    )
    try:
        yield real
    finally:
        real.close()


def control(
    path: Path,
    scheduler: Scheduler,
    *arguments: str,
    grains: Iterator[Grain] | None = None,
    **options: Any,
) -> Run:
    """Runs the program until nobody can go on, or the scheduler wants no more.

    Before each choice the next of ``grains`` is switched to, unless the scheduler has its own.
    """
    run = Run()
    end = time.monotonic() + 3 * DEADLINE
    with world(path, *arguments, run=run, **options) as real:
        real.settle(end)
        while not real.over:
            assert time.monotonic() < end, f"not over: {real.state}"
            if grains is not None:
                real.adapt(scheduler.grain or next(grains), end)
                if not real.choices() and any(actor.outside for actor in real.state.actors):
                    real.pump(0.05)  # on a busy machine somebody is slow to begin
                    real.settle(end)
                    continue
            choice = scheduler.choose(real.state, real.choices())
            if choice is None:
                break
            run.chosen.append(choice)
            real.take(choice, end)
            assert real.quiet or real.over, f"not quiet after {choice}: {real.state}"
        run.state = real.state
    return run


# -- by the command line -------------------------------------------------------------------


def command(*words: object) -> list[str]:
    """``python -m syncsim`` with these words."""
    return [sys.executable, "-m", "syncsim", *map(str, words)]


@dataclass
class Told:
    """What ``syncsim run --json`` told."""

    exitcode: int
    stderr: str
    records: list[dict[str, Any]]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [record for record in self.records if record["type"] == "step"]

    @property
    def verdict(self) -> dict[str, Any]:
        assert self.records, self.stderr
        assert self.records[-1]["type"] == "verdict"
        return self.records[-1]

    @property
    def findings(self) -> set[str]:
        return {finding["kind"] for finding in self.verdict["findings"]}

    def process(self, name: str) -> dict[str, Any]:
        return next(p for p in self.verdict["processes"] if p["name"] == name)

    def text(self, stream: str) -> str:
        """All that was written to that stream, process by process."""
        texts: dict[str | None, list[str]] = {}
        for record in self.records:
            if record["type"] == "output" and record["stream"] == stream:
                texts.setdefault(record["process"], []).append(record["text"])
        return "".join("".join(pieces) for pieces in texts.values())


def tell(*words: object, **options: Any) -> Told:
    """Runs ``syncsim run --json`` to its end; nothing of ours may be in what it complains."""
    ended = subprocess.run(
        command("run", "--json", *words),
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
        check=False,
        **({"cwd": PROJECT, "stdin": subprocess.DEVNULL} | options),
    )
    records = [json.loads(line) for line in ended.stdout.splitlines()]
    assert_clean(ended.stderr)
    return Told(ended.returncode, ended.stderr, records)


def tell_of(reached: Callable[[Told], bool], *words: object, **options: Any) -> Told:
    """As ``tell``, of a program that does not end, with a time that lets it come as far as that."""
    for seconds in (2, 8, 30, 120):
        told = tell("--timeout", seconds, *words, **options)
        if reached(told):
            return told
    raise AssertionError(f"not reached after {seconds} s: {told.records}")


#: The operating system's, and one of ours.
each_scheduler = either("scheduler", [None, RoundRobin()], ids=["os", "round-robin"])


class Hearing(io.StringIO):
    """What is told; some seconds after the program has first printed ``word`` it calls ``then``.

    What is called is given all that was printed there.
    """

    def __init__(self, word: str, then: Callable[[str], object], seconds: float) -> None:
        super().__init__()
        self._word, self._then, self._seconds = word, then, seconds
        self._heard = False

    def write(self, text: str) -> int:
        if not self._heard and text.startswith('{"type":"output"'):
            printed = json.loads(text)["text"]
            if printed.startswith(self._word):
                self._heard = True
                threading.Timer(self._seconds, self._then, (printed,)).start()
        return super().write(text)


def tell_here(
    path: Path, *arguments: str, scheduler: Scheduler | None = None, out: io.StringIO | None = None
) -> Told:
    """As ``tell``, in this process; all is written to ``out`` while it happens."""
    out = out or io.StringIO()
    run = HeadlessRun(load(path, arguments), scheduler, as_json=True, timeout=DEADLINE, out=out)
    code = run.run()
    return Told(code, "", [json.loads(line) for line in out.getvalue().splitlines()])


def assert_clean(text: str) -> None:
    """No traceback of ours."""
    assert "syncsim/" not in text, text
    assert "Traceback" not in text, text


# -- what is left on the machine -------------------------------------------------------------


def environments() -> dict[int, bytes]:
    """The environment of every process that we may look at."""
    found = {}
    for entry in glob.glob("/proc/[0-9]*/environ"):
        with suppress(OSError), open(entry, "rb") as file:
            found[int(entry.split("/")[2])] = file.read()
    return found


def processes_of(mark: str) -> dict[int, str]:
    """Those alive whose environment has that word, and what they are."""
    found = {}
    for pid, environment in environments().items():
        if mark.encode() in environment:
            with suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                if state_of(pid) not in "ZX":
                    found[pid] = line.decode(errors="replace")[:200]
    return found


def state_of(pid: int) -> str:
    """The letter the kernel has for the state of the process; X where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def parent_of(pid: int) -> int:
    """Who started it, by the kernel's account."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return state_of(pid) not in "ZX"


def kill_all(mark: str) -> None:
    """After a test that failed: nothing stays."""
    for pid in processes_of(mark):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
