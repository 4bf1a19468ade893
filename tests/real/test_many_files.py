"""Each process costs us open files: they are taken where there are some, and missed out loud."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import DEADLINE, PROJECT, command, processes_of, wait_for
from test_monitored_runs import Watch, watch  # noqa: F401

from syncsim.core.live import Broken
from syncsim.program.source import load
from syncsim.real.kernel import Deaths, UnwatchedError
from syncsim.real.run import RealRun

pytestmark = pytest.mark.once

#: More processes than we can watch and hold up with so many files, and less than the program can
#: start with them.
FILES, PROCESSES = 64, 20
PROGRAM = f"""\
import multiprocessing, resource
def work(lock):
    with lock:
        pass
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    lock = multiprocessing.Lock()
    with lock:
        children = [multiprocessing.Process(target=work, args=(lock,)) for _ in range({PROCESSES})]
        for child in children:
            child.start()
    for child in children:
        child.join()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def allow(files: int, most: int) -> list[str]:
    """The words that run a command with so many open files, and at the most so many."""
    code = (
        "import os, resource, sys; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {most})); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", code]


def run(program: Path, most: int) -> subprocess.CompletedProcess[str]:
    words = command("run", program, "--scheduler", "round-robin", "--timeout", DEADLINE)
    return subprocess.run(
        [*allow(FILES, most), *words],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=os.environ | {"MARK": str(program)},
        stdin=subprocess.DEVNULL,
        timeout=3 * DEADLINE,
        check=False,
    )


def test_we_take_more_files_and_the_program_keeps_what_it_had(program: Path) -> None:
    ended = run(program, most=10 * FILES)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"prints '{FILES}'" in ended.stdout


def test_where_there_are_no_more_the_run_ends_and_says_why(program: Path) -> None:
    ended = run(program, most=FILES)
    assert ended.returncode == 2, ended.stdout
    assert ended.stderr.startswith("syncsim: one of the program's processes cannot be ")
    assert ended.stderr.endswith(": Too many open files.\n")
    wait_for(lambda: not processes_of(str(program)))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_who_cannot_be_watched_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(pid: int) -> int:
        raise OSError(number, os.strerror(number))

    deaths = Deaths()
    try:
        monkeypatch.setattr(os, "pidfd_open", fails)
        with pytest.raises(UnwatchedError, match=os.strerror(number)):
            deaths.watch(os.getpid())
        assert deaths.collect() == []
    finally:
        deaths.close()


def test_who_has_ended_before_it_is_watched_is_dead() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    deaths = Deaths()
    try:
        deaths.watch(ended.pid)
        assert deaths.collect() == [ended.pid]
    finally:
        deaths.close()


def test_a_run_that_cannot_be_watched_at_all_is_not_begun(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pidfd_open", fails)
    monkeypatch.setenv("MARK", str(program))
    with pytest.raises(UnwatchedError):
        RealRun(load(program, ()))
    wait_for(lambda: not processes_of(str(program)))


def test_on_the_stage(
    watch: Watch,  # noqa: F811
    program: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    run = watch(program)
    run.begin()
    monkeypatch.setattr(os, "pidfd_open", fails)
    run.monitor.speed(None)
    run.monitor.play()

    def broken() -> Broken | None:
        while run.monitor.updates:
            if isinstance(update := run.monitor.updates.popleft(), Broken):
                return update
        return None

    assert wait_for(broken).message == (
        "The run was broken off: one of the program's processes cannot be watched: "
        "Too many open files"
    )
