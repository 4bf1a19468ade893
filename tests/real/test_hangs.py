"""Why a program hangs that the operating system schedules: each kind, by its reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import DEADLINE, METHODS, PROGRAMS, PROJECT, command, tell, wait_for

from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose
from syncsim.core.live import Diagnosed
from syncsim.core.scheduler import RoundRobin
from syncsim.core.words.report import WIDTH, Report, as_text
from syncsim.core.words.status import Status, status
from syncsim.program.source import load
from syncsim.real.finality import HANGS_AFTER
from syncsim.real.run import RealRun
from syncsim.session.monitor import Monitor

HANGS = PROGRAMS / "hangs.py"
LINES = HANGS.read_text().splitlines()


def line_with(text: str, nth: int = 0) -> int:
    """The number of the line of the program with that text."""
    return [n for n, line in enumerate(LINES, 1) if text in line][nth]


@contextmanager
def free(path: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> Iterator[RealRun]:
    """A free run of that program."""
    world = RealRun(load(path, arguments), controlled=False, stdin=stdin)
    try:
        yield world
    finally:
        world.close()


def standstill(world: RealRun) -> Diagnosis:
    """What is said once nothing moves."""
    end = time.monotonic() + 2 * DEADLINE
    while (found := world.standstill()) is None:
        assert time.monotonic() < end, world.state
        assert not world.over, world.state
        world.pump(0.05)
    return found


def reported(world: RealRun) -> Report:
    return world.inspection.report(standstill(world), [], "a command")


# -- deadlocks -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_two_locks_taken_crosswise(method: str) -> None:
    told = tell(HANGS, "--timeout", 2 * DEADLINE, "--", "ab_ba", method)
    assert told.verdict["verdict"] == "deadlock"
    assert told.verdict["explanation"] in (
        "Ada holds a and waits for b; Bob holds b and waits for a. Neither can go on.",
        "Bob holds b and waits for a; Ada holds a and waits for b. Neither can go on.",
    )
    report = told.verdict["report"]
    main, ada, bob = report["processes"]
    assert main["waits"] == "waits for Ada to end"
    assert (ada["waiting_for"], ada["held_by"], ada["holds"]) == ("b", ["Bob"], ["a"])
    assert ada["place"] | {"file": ""} == {
        "file": "",
        "line": line_with("with second:"),
        "function": "work",
        "text": "with second:",
        "exact": True,
    }
    assert ada["kernel"].startswith("sleeping in futex")
    assert ada["kernel"].endswith("on the semaphore of b")
    assert bob["kernel"].endswith("on the semaphore of a")
    assert not ada["doubt"]
    assert [(p["name"], p["holders"], p["waiters"]) for p in report["primitives"]][:2] == [
        ("a", ["Ada"], ["Bob"]),
        ("b", ["Bob"], ["Ada"]),
    ]
    assert report["start_method"] == method


def test_a_notification_that_nobody_is_left_to_give() -> None:
    told = tell(HANGS, "--timeout", 2 * DEADLINE, "--", "missing_notifier").verdict
    assert told["verdict"] == "deadlock"
    assert told["explanation"] == (
        "Ada waits on changed until it is notified, and nobody is left who could help. "
        "main waits for Ada to end."
    )
    assert told["report"]["processes"][1]["kernel"].endswith("on the semaphore of changed")


def test_a_holder_that_died() -> None:
    told = tell(HANGS, "--timeout", 2 * DEADLINE, "--", "dead_holder").verdict
    assert told["verdict"] == "deadlock"
    assert "main waits for lock, held by Ada (who has ended)" in told["explanation"]
    assert told["findings"][-1] == {
        "kind": "dead holder",
        "explanation": "Ada ended while it held lock; main cannot have it any more",
    }
    assert told["report"]["primitives"][0]["holders"] == ["Ada (has ended)"]


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_a_join_before_the_get(method: str) -> None:
    told = tell(HANGS, "--timeout", 2 * DEADLINE, "--", "join_before_get", method).verdict
    assert told["verdict"] == "deadlock"
    assert told["explanation"].startswith(
        "Ada waits to flush results: its items do not fit into the pipe"
    )
    ada = told["report"]["processes"][1]
    assert ada["place"]["line"] == line_with("results.put(")
    assert not ada["place"]["exact"]


@pytest.mark.parametrize(
    ("kind", "explanation"),
    [
        ("with_a_feeder", "main waits for answers: it is empty"),
        ("with_an_idle_manager", "main waits for answers: it is empty"),
        ("with_a_manager", "main holds lock and waits for lock. It waits for itself."),
    ],
)
def test_threads_and_servers_of_the_library_that_rest_do_not_hide_it(
    kind: str, explanation: str
) -> None:
    told = tell(HANGS, "--timeout", 2 * DEADLINE, "--", kind).verdict
    assert told["verdict"] == "deadlock"
    assert told["explanation"].startswith(explanation)


# -- what we do not see ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "doing", "line"),
    [
        ("read_socket", r"asleep in recvfrom on fd \d+, a udp socket", "here.recv(10)"),
        (
            "lock_file",
            r"asleep in flock on fd \d+, the file \S+\.lock, locked by main",
            "fcntl.flock(second",
        ),
        ("wait_for_program", r"asleep in (wait4|waitid) for the end of pid \d+ \(.+\)", "run(["),
        (
            "wait_for_pid",
            r"asleep in wait4 for the end of pid \d+, which was forked past multiprocessing",
            "os.waitpid(",
        ),
        (
            "wait_for_thread",
            "asleep in futex on a lock or condition of its own threads",
            "    lock.acquire()",
        ),
        ("wait_in_select", r"asleep in p?select6? on fd \d+, a pipe", "select.select("),
    ],
)
def test_outside_is_told_with_system_call_and_line(kind: str, doing: str, line: str) -> None:
    with free(HANGS, kind) as world:
        diagnosis = standstill(world)
        main = world.state.actors[0]
        where = main.whereabouts
        assert diagnosis.verdict is Verdict.UNDECIDED
        assert status(world.state, main) is Status.OUTSIDE
        assert where is not None
        assert re.fullmatch(doing, where.doing)
        assert where.exact
        assert where.site is not None
        assert where.site.line == max(n for n, text in enumerate(LINES, 1) if line in text)
        assert f"main is outside: {where.doing}, at hangs.py:{where.site.line}" in (
            diagnosis.explanation
        )


def test_who_asks_its_stdin_is_outside() -> None:
    reading, writing = os.pipe()
    try:
        with free(HANGS, "ask", stdin=reading) as world:
            assert "main is outside: asleep in read on its stdin, a pipe" in (
                standstill(world).explanation
            )
            # Help from outside comes, and what was said is taken back.
            os.write(writing, b"hello\n")
            end = time.monotonic() + DEADLINE
            while not world.over:
                assert time.monotonic() < end
                world.pump(0.05)
            assert diagnose(world.state).verdict is Verdict.FINISHED
            assert world.standstill() is None
    finally:
        os.close(reading)
        os.close(writing)


def test_one_waits_for_another_who_is_outside() -> None:
    with free(HANGS, "child_reads_socket") as world:
        diagnosis = standstill(world)
        assert diagnosis.explanation.startswith(
            "Nothing moves. main waits for Ada to end; Ada is outside: asleep in recvfrom on fd "
        )
        assert diagnosis.stuck == ()


def test_a_thread_that_wakes_by_itself_keeps_the_question_open() -> None:
    told = tell(HANGS, "--timeout", 2 * DEADLINE, "--", "a_thread_may_help")
    assert told.verdict["verdict"] == "finished"
    said = [record["explanation"] for record in told.records if record["type"] == "standstill"]
    assert all("Help may still come from where we do not see" in text for text in said)


def test_a_thread_that_has_ended_helps_nobody(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import threading\n"
        "from multiprocessing import Event, Queue\n"
        "set_once, answers = Event(), Queue()\n"
        "thread = threading.Thread(target=set_once.set)\n"
        "thread.start()\n"
        "thread.join()\n"
        "answers.get()\n"
    )
    told = tell(program, "--timeout", 2 * DEADLINE).verdict
    assert told["verdict"] == "deadlock"
    assert told["explanation"].startswith("main waits for answers: it is empty")


def test_who_sleeps_for_some_time_is_outside_and_does_not_hang(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import ctypes\nctypes.CDLL(None).sleep(1000)\n")
    with free(program) as world:

        def is_outside() -> bool:
            world.pump(0.05)
            return world.state.actors[0].outside

        wait_for(is_outside)
        where = world.state.actors[0].whereabouts
        assert where is not None
        assert where.words == "asleep in clock_nanosleep for some time, at program.py:2"
        end = time.monotonic() + 2 * HANGS_AFTER
        while time.monotonic() < end:
            world.pump(0.05)
            assert world.standstill() is None


def test_who_computes_does_not_stand_still(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end:\n    pass\n"
    )
    with free(program) as world:
        end = time.monotonic() + 2 * DEADLINE
        while not world.over:
            assert time.monotonic() < end
            world.pump(0.05)
            assert world.standstill() is None


# -- the report --------------------------------------------------------------------------------


def test_the_report_says_it_all_in_narrow_plain_text() -> None:
    ended = subprocess.run(
        command("run", HANGS, "--timeout", 2 * DEADLINE, "--", "ab_ba"),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        timeout=3 * DEADLINE,
        check=False,
    )
    assert ended.returncode == 1
    text = ended.stdout[ended.stdout.index("syncsim report: ") :]
    assert text.startswith("syncsim report: deadlock after ")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text
    for part in (
        "cycle:\n  Ada waits for b, held by Bob\n  Bob waits for a, held by Ada\n",
        f"line    hangs.py:{line_with('with second:')} in work  with second:\n",
        "on the semaphore of b\n",
        "\nprimitives:\n  a  Lock  made at hangs.py:",
        "\nlast steps:\n",
        "start method  fork\n",
        "python        CPython 3.",
    ):
        assert part in text
    # (Where the line is broken is a matter of where the project lies.)
    assert " -- ab_ba python " in " ".join(text.split())


def test_a_run_that_is_out_of_time_is_reported(tmp_path: Path) -> None:
    ended = subprocess.run(
        command("run", "--json", HANGS, "--timeout", 4, "--", "read_socket"),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        timeout=3 * DEADLINE,
        check=False,
    )
    assert ended.returncode == 3
    verdict = json.loads(ended.stdout.splitlines()[-1])
    assert verdict["verdict"] == verdict["report"]["verdict"] == "undecided"
    assert verdict["explanation"].startswith("Nothing is decided: the time is up (4 s).")
    assert verdict["report"]["start_method"] == "no process was started"
    assert "syncsim run --json" in verdict["report"]["command"]


def test_a_line_of_the_program_cannot_break_the_report(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from multiprocessing import Lock\n"
        "lock = Lock(); lock.acquire()\n"
        f"lock.acquire()  # \x1b[31m {'long ' * 400}\n"
    )
    ended = subprocess.run(
        command("run", program, "--timeout", 2 * DEADLINE),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        timeout=3 * DEADLINE,
        check=False,
    )
    assert ended.returncode == 1
    assert "\x1b" not in ended.stdout
    text = ended.stdout[ended.stdout.index("syncsim report: ") :]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "line    program.py:3 in <module>  lock.acquire() # " in text


def test_a_report_is_text_and_value_alike() -> None:
    with free(HANGS, "wait_in_select") as world:
        report = reported(world)
        text = as_text(report)
    assert report.processes[0].state == "outside"
    assert report.processes[0].waits.startswith("outside: asleep in ")
    assert f"main  pid {report.processes[0].pid}  outside" in text


# -- the monitor -------------------------------------------------------------------------------


def test_the_monitor_tells_that_nothing_moves_and_takes_it_back(tmp_path: Path) -> None:
    """The program waits in an ``os.open`` of a FIFO until somebody writes there."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = tmp_path / "program.py"
    program.write_text(f"print(1)\nopen({str(fifo)!r}).close()\nprint(2)\n")
    monitor = Monitor(load(program), RoundRobin())
    try:
        monitor.free()
        told: list[Diagnosis] = []

        def heard(verdict: Verdict | None) -> bool:
            while monitor.updates:
                update = monitor.updates.popleft()
                if isinstance(update, Diagnosed):
                    told.append(update.diagnosis)
            return any(diagnosis.verdict is verdict for diagnosis in told)

        wait_for(lambda: heard(Verdict.UNDECIDED))
        assert "main is outside: asleep in openat" in told[-1].explanation
        assert told[-1].explanation.endswith(", at program.py:2.")
        os.close(os.open(fifo, os.O_WRONLY))
        wait_for(lambda: heard(Verdict.FINISHED))
        assert [diagnosis.verdict for diagnosis in told] == [
            Verdict.UNDECIDED,
            None,
            Verdict.FINISHED,
        ]
    finally:
        monitor.close()
