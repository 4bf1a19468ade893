"""However a run ends, nothing of it is left: no process, no directory, no semaphore.

What is left is looked for in /proc, so these tests are for Linux.
"""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import (
    DEADLINE,
    METHODS,
    PROJECT,
    command,
    environments,
    is_alive,
    kill_all,
    processes_of,
    tell,
    wait_for,
    world,
)

from syncsim.core.scheduler import RoundRobin, scheduler_named
from syncsim.program.source import load
from syncsim.session.monitor import Monitor

#: The main process and two children keep passing a lock for as long as one lets them; the
#: children are daemons of each kind: in the main process's group and in one of their own.
ENDLESS = """\
import multiprocessing, os, sys, time

def work(lock, cell, leaves):
    if leaves:
        os.setsid()
    while True:
        with lock:
            cell.value += 1
        time.sleep(0.001)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    lock, cell = multiprocessing.Lock(), multiprocessing.Value("i", 0)
    condition, jobs = multiprocessing.Condition(), multiprocessing.Queue()
    print(os.environ["SYNCSIM_RUN"])
    for leaves in (False, True):
        multiprocessing.Process(target=work, args=(lock, cell, leaves)).start()
    work(lock, cell, False)
"""

each_method = pytest.mark.parametrize("method", METHODS[:2])
each_scheduler = pytest.mark.parametrize("scheduler", ["os", "random:1"])


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS)
    return program


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A word in the environment of everything that the test starts."""
    word = f"SYNCSIM_TEST={tmp_path}"
    os.environ["SYNCSIM_TEST"] = str(tmp_path)
    yield word
    del os.environ["SYNCSIM_TEST"]
    # This process has had the word in its environment only after it began, so is not meant.
    kill_all(word)


def semaphores(runs: set[str]) -> list[str]:
    """The named semaphores of those runs: others may be at work on this machine, too."""
    return [name for run in runs for name in glob.glob(f"/dev/shm/sem.mp{run[-6:]}-*")]


def directories(mark: str) -> set[str]:
    """The run directories of everything that has the mark."""
    found = set()
    for environment in environments().values():
        words = environment.split(b"\0")
        if mark.encode() in words:
            found |= {
                word.partition(b"=")[2].decode()
                for word in words
                if word.startswith(b"SYNCSIM_RUN=")
            }
    return found


def assert_nothing_left(mark: str, runs: set[str]) -> None:
    wait_for(lambda: not processes_of(mark) and not any(map(os.path.exists, runs)))
    assert processes_of(mark) == {}
    assert not [run for run in runs if os.path.exists(run)]
    assert semaphores(runs) == []


def under_way(mark: str) -> set[str]:
    """Waits until the program's three processes are there; the run's directory."""
    wait_for(lambda: len(users(mark)) >= 3)
    runs = directories(mark)
    assert len(runs) == 1
    assert all(os.path.isdir(run) for run in runs)
    return runs


def users(mark: str) -> list[int]:
    """The processes of the program itself: those that map the run's mode file."""
    found = []
    for pid in processes_of(mark):
        try:
            maps = Path(f"/proc/{pid}/maps").read_text()
        except OSError:
            continue
        if "/mode" in maps and "syncsim-" in maps:
            found.append(pid)
    return found


@each_scheduler
@pytest.mark.parametrize(
    ("method", "number"),
    [
        ("fork", signal.SIGINT),
        ("fork", signal.SIGTERM),
        ("fork", signal.SIGHUP),
        ("fork", signal.SIGKILL),
        ("spawn", signal.SIGKILL),
        pytest.param("spawn", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("spawn", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("spawn", signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_ended_by_a_signal_leaves_nothing(
    number: signal.Signals, scheduler: str, method: str, endless: Path, mark: str
) -> None:
    process = subprocess.Popen(
        command("run", endless, "--scheduler", scheduler, "--", method),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        runs = under_way(mark)
        assert bool(semaphores(runs)) == (method == "spawn")
        process.send_signal(number)
        _, complaint = process.communicate(timeout=DEADLINE)
        assert_nothing_left(mark, runs)
        assert "Traceback" not in complaint
        expected = {signal.SIGKILL: -9, signal.SIGINT: 130}.get(number, 128 + number)
        assert process.returncode == expected
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_comes_while_a_run_begins_ends_it_in_the_same_way(number: int) -> None:
    code = (
        "import os, sys\n"
        "from syncsim import cli\nfrom syncsim.session import headless\n"
        f"headless.RealRun = lambda *args, **options: os.kill(os.getpid(), {number:d})\n"
        "sys.exit(cli.main(['run', 'ab-ba']))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        timeout=DEADLINE,
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (128 + number, b"")


@each_method
@pytest.mark.parametrize("words", [("--max-steps", 40), ("--timeout", 1.5)])
def test_a_run_that_is_broken_off_leaves_nothing(
    words: tuple[str, object], method: str, endless: Path, mark: str
) -> None:
    told = tell(endless, "--scheduler", "round-robin", *words, "--", method)
    assert told.exitcode == 3
    assert_nothing_left(mark, {told.text("stdout").strip()})


@each_method
def test_a_run_that_ends_by_itself_leaves_nothing(method: str, mark: str, tmp_path: Path) -> None:
    program = tmp_path / "short.py"
    program.write_text(
        ENDLESS.replace("while True:", "for _ in range(2):")
        + "    for child in multiprocessing.active_children():\n"
        + "        child.join()\n"
    )
    told = tell(program, "--", method)
    directory = told.text("stdout").strip()
    assert told.exitcode == 0
    assert os.path.basename(directory).startswith("syncsim-")
    assert_nothing_left(mark, {directory})


@each_method
@pytest.mark.parametrize("controlled", [True, False], ids=["controlled", "free"])
def test_a_world_that_is_closed_in_the_middle_leaves_nothing(
    controlled: bool, method: str, endless: Path
) -> None:
    files = set(os.listdir("/dev/fd"))
    with world(endless, method, controlled=controlled) as real:
        end = time.monotonic() + DEADLINE
        scheduler = RoundRobin()
        while real.state.n < 30:
            assert time.monotonic() < end
            if not controlled:
                real.pump(0.05)
                continue
            real.settle(end)
            choice = scheduler.choose(real.state, real.choices())
            real.take(choice, end)
        pids = [actor.pid for actor in real.state.actors]
        directory = real.directory
        assert len(pids) == 3
        assert all(is_alive(pid) for pid in pids)
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    assert not os.path.exists(directory)
    # (The guard is no child of ours: it has been killed, and takes its time.)
    wait_for(lambda: not processes_of(f"SYNCSIM_RUN={directory}"))
    assert semaphores({directory}) == []
    assert set(os.listdir("/dev/fd")) == files


def test_a_world_that_is_closed_before_it_began_leaves_nothing(endless: Path) -> None:
    with world(endless, "fork") as real:
        directory = real.directory
    wait_for(lambda: not processes_of(f"SYNCSIM_RUN={directory}"))
    assert not os.path.exists(directory)
    real.close()  # a second time does nothing


def test_a_monitor_that_is_closed_leaves_nothing(endless: Path) -> None:
    files = set(os.listdir("/dev/fd"))
    monitor = Monitor(load(endless, ("spawn",)), scheduler_named("random:1"))
    monitor.speed(None)
    monitor.play()
    wait_for(lambda: len(monitor.updates) > 100)
    directory = monitor._world.directory
    monitor.close()
    wait_for(lambda: not processes_of(f"SYNCSIM_RUN={directory}"))
    assert not os.path.exists(directory)
    assert semaphores({directory}) == []
    assert set(os.listdir("/dev/fd")) == files


def test_runs_beside_each_other_do_not_harm_each_other(endless: Path) -> None:
    with world(endless, "fork") as one:
        with world(endless, "fork") as other:
            for real in (one, other):
                real.settle(time.monotonic() + DEADLINE)
            doomed = other.state.actors[0].pid
        assert not is_alive(doomed)
        end = time.monotonic() + DEADLINE
        scheduler = RoundRobin()
        while one.state.n < 20:
            one.take(scheduler.choose(one.state, one.choices()), end)
        assert is_alive(one.state.actors[0].pid)
