"""Silence is no success: each process of a run reports, or it is told that it was not seen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, PROGRAMS, PROJECT, Told, each_scheduler, tell, tell_here, wait_for

from syncsim.checking import check
from syncsim.checking.replay import confirm
from syncsim.checking.verdict import judge
from syncsim.core import pythons
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Diagnosed
from syncsim.core.recorder import Recorder
from syncsim.core.scheduler import RoundRobin, Scheduler
from syncsim.core.state import Actor, Life
from syncsim.explore.request import Found, Report
from syncsim.program.source import load
from syncsim.real.interpreter.processes import ProcessRegistry
from syncsim.real.kernel import tree
from syncsim.session.monitor import Monitor

LIBRARY = PROGRAMS / "future" / "library.py"
HEAD = "import multiprocessing, os, subprocess, sys, time\n"
PYTHON = "[sys.executable, '-c', 'pass']"
each_way = pytest.mark.parametrize("how", ["spawn", "subprocess", "util"])


def run(path: Path, text: str, scheduler: Scheduler | None = None) -> Told:
    program = path / "program.py"
    program.write_text(HEAD + text)
    return tell_here(program, scheduler=scheduler)


# -- a library of some future ------------------------------------------------------------------


@each_scheduler
@each_way
def test_children_of_another_fork_server_were_not_seen_though_all_ends_well(
    how: str, scheduler: Scheduler | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = tell_here(LIBRARY, how, scheduler=scheduler)
    assert (tmp_path / "Ada was here").exists()
    assert told.text("stdout") == "[0, 0]\n"
    assert told.exitcode == 3
    verdict = told.verdict
    assert verdict["verdict"] == "undecided"
    assert verdict["explanation"].startswith("3 processes were not seen: pid ")
    children = {told.process(name)["pid"] for name in ("Ada", "Bob")}
    assert children < {one["pid"] for one in verdict["unseen"]}
    assert len(verdict["unseen"]) == 3
    commands = [one["command"] for one in verdict["unseen"]]
    # (The kernel has no words for one that has ended already; the server lives longer.)
    assert any(commands)
    assert all("server.py" in command for command in commands if command)
    for one in verdict["unseen"]:
        assert one["parent"] == "main"
        said = ", command python" if one["command"] else ""
        assert f"pid {one['pid']}, started by main{said}" in verdict["explanation"]


@either("scheduler", ["os", "round-robin"])
@each_way
def test_children_of_another_fork_server_that_hang_are_told(
    how: str, scheduler: str, tmp_path: Path
) -> None:
    for seconds in (3, 10, 30):
        words = (LIBRARY, "--timeout", seconds, "--scheduler", scheduler, "--", how, "hang")
        environment = os.environ | {"PYTHONPATH": str(PROJECT)}
        told = tell(*words, cwd=tmp_path, env=environment)
        if len(told.verdict["unseen"]) == 3:
            break
    assert len(told.verdict["unseen"]) == 3
    assert told.exitcode == 3
    assert told.verdict["verdict"] == "undecided"
    assert any(one["kind"] == "not seen" for one in told.verdict["findings"])


def test_the_stage_says_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monitor = Monitor(load(LIBRARY, ("spawn",)), RoundRobin())
    try:
        monitor.free()
        seen: list[Diagnosed] = []

        def last_word() -> bool:
            while monitor.updates:
                update = monitor.updates.popleft()
                seen.extend([update] if isinstance(update, Diagnosed) else [])
            return bool(seen) and "were not seen" in seen[-1].diagnosis.explanation

        wait_for(last_word)
        assert seen[-1].diagnosis.verdict is Verdict.UNDECIDED
        wait_for(lambda: monitor._world.over)
        assert not any(one.diagnosis.verdict is Verdict.FINISHED for one in seen)
    finally:
        monitor.close()


# -- forks and interpreters of the program's own -----------------------------------------------


@each_scheduler
@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("if os.fork() == 0:\n    os._exit(0)\nos.wait()", ""),
        (f"subprocess.run({PYTHON})", "python -c pass"),
        (f"subprocess.run({PYTHON}, preexec_fn=os.getpid)", "python -c pass"),
        (f"os.waitpid(os.posix_spawn(sys.executable, {PYTHON}, os.environ), 0)", "python -c pass"),
        (f"os.spawnv(os.P_WAIT, sys.executable, {PYTHON})", "python -c pass"),
        ("os.system(sys.executable + ' -c pass')", "sh -c '{python} -c pass'"),
        ("subprocess.run(['sh', '-c', sys.executable + ' -c pass; true'])", "sh -c '{python} "),
        ("subprocess.run(['env', 'A=1', sys.executable, '-c', 'pass'])", "env A=1 {python}"),
        ("os.chmod(sys.argv[0], 0o700)\nsubprocess.run([sys.argv[0], 'again'])", "program.py "),
    ],
)
def test_one_that_is_too_brief_to_be_found_was_not_seen(
    text: str, command: str, scheduler: Scheduler | None, tmp_path: Path
) -> None:
    first = f"#!{sys.executable}\n{HEAD}if len(sys.argv) > 1: sys.exit()\n"
    (tmp_path / "program.py").write_text(first + text)
    told = tell_here(tmp_path / "program.py", scheduler=scheduler)
    assert told.exitcode == 3, told.verdict
    assert len(told.verdict["unseen"]) == 1, told.verdict
    (one,) = told.verdict["unseen"]
    assert one["parent"] == "main"
    assert one["command"].startswith(command.format(python=sys.executable)[:60])
    assert told.verdict["explanation"].startswith("1 process was not seen: ")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Path]:
    """A script that leaves an interpreter behind, and says which in the file ``pid``."""
    script = tmp_path / "leaves.sh"
    script.write_text(
        f"{sys.executable} -c 'import time; time.sleep(600)' & echo $! > {tmp_path}/pid\n"
    )
    yield script
    with suppress(OSError, ValueError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_an_interpreter_whose_parent_has_gone_is_found_where_the_kernel_lists_it(
    sleeper: Path, tmp_path: Path
) -> None:
    told = run(tmp_path, f"subprocess.run(['setsid', 'sh', {str(sleeper)!r}])")
    assert told.exitcode == 3, told.verdict
    assert len(told.verdict["unseen"]) == 1, told.verdict
    (one,) = told.verdict["unseen"]
    assert one["pid"] == int((tmp_path / "pid").read_text())
    assert "time.sleep(600)" in one["command"]
    assert one["parent"] == "a process that has ended"


@each_scheduler
def test_another_program_is_named_and_no_doubt(scheduler: Scheduler | None, tmp_path: Path) -> None:
    text = """\
subprocess.run(["true"])
subprocess.run(["true"], preexec_fn=os.getpid)
os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
os.spawnlp(os.P_WAIT, "ls", "ls", os.devnull)
os.system("true")
"""
    told = run(tmp_path, text, scheduler)
    assert told.exitcode == 0, told.verdict
    assert told.verdict["unseen"] == []
    named = {one["explanation"] for one in told.verdict["findings"]}
    names = [os.path.basename(os.path.realpath(f"/bin/{name}")) for name in ("true", "ls", "sh")]
    assert named == {
        f"{names[0]}, started by main 3 times",
        f"{names[1]}, started by main",
        f"{names[2]}, started by main",
    }
    assert told.findings == {"child program"}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_the_library_needs_for_itself_is_no_unseen_process(
    method: str, tmp_path: Path
) -> None:
    text = """\
def work(lock, jobs):
    with lock:
        jobs.put(1)
if __name__ == "__main__":
    context = multiprocessing.get_context("%s")
    lock, jobs = context.Lock(), context.Queue()
    child = context.Process(target=work, args=(lock, jobs))
    child.start()
    jobs.get()
    child.join()
"""
    told = run(tmp_path, text % method)
    assert told.exitcode == 0, told.verdict
    assert told.verdict["unseen"] == []
    assert told.findings == set()


def test_a_failure_is_a_failure_whoever_was_not_seen(tmp_path: Path) -> None:
    told = run(tmp_path, f"subprocess.run({PYTHON})\nassert False")
    assert told.verdict["verdict"] == "assertion"
    assert told.exitcode == 1
    assert len(told.verdict["unseen"]) == 1
    assert "not seen" in told.findings


def test_who_waits_for_ever_waits_for_ever_though_an_interpreter_was_not_seen(
    tmp_path: Path,
) -> None:
    text = (
        f"lock = multiprocessing.Lock()\nsubprocess.run({PYTHON})\nlock.acquire()\nlock.acquire()"
    )
    told = run(tmp_path, text)
    assert told.verdict["verdict"] == "deadlock"
    assert len(told.verdict["unseen"]) == 1


def test_a_replay_in_which_somebody_was_not_seen_confirms_nothing(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"{HEAD}subprocess.run({PYTHON})\nassert False")
    found = Found(Verdict.ASSERTION, "a2", "")
    failure = confirm(load(program), found)
    assert not failure.confirmed
    assert "1 process was not seen: pid " in failure.explanation
    report = Report(over=True, complete=True, failures=(found,))
    assert judge(load(program), report).verdict is Verdict.UNDECIDED


def test_a_search_on_real_processes_in_which_somebody_was_not_seen_proves_nothing(
    tmp_path: Path,
) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"{HEAD}subprocess.run({PYTHON})\nmultiprocessing.Lock().acquire()")
    checked = check(program, real=True)
    assert checked.verdict is Verdict.UNDECIDED
    assert "1 process was not seen: pid " in checked.explanation


# -- what the machine does not tell ------------------------------------------------------------


def test_without_proc_it_is_said_what_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "has_tree", lambda: False)
    told = run(tmp_path, "pass")
    assert told.exitcode == 0
    assert any("no /proc" in note for note in told.verdict["notes"])


def test_a_python_that_was_never_tried_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, "pass").verdict["notes"] == []
    monkeypatch.setattr(pythons, "TRIED", ((3, 5),))
    told = run(tmp_path, "pass")
    assert told.verdict["verdict"] == "finished"
    (note,) = told.verdict["notes"]
    assert pythons.THIS in note


# -- what the library lacks --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "sentence"),
    [
        (
            "import multiprocessing.util\ndel multiprocessing.util.spawnv_passfds",
            "multiprocessing.util.spawnv_passfds was not found: "
            "processes by spawn and forkserver are not seen.",
        ),
        (
            "import multiprocessing.pool\ndel multiprocessing.pool.IMapIterator._set",
            "multiprocessing.pool.IMapIterator._set was not found: "
            "who waits for the result of a pool is not seen.",
        ),
        (
            "import sys\nsys.modules['multiprocessing.sharedctypes'] = None",
            "multiprocessing.sharedctypes.rebuild_ctype was not found: "
            "shared memory without a lock is not seen.",
        ),
        (
            "import multiprocessing.process\n"
            "multiprocessing.process.BaseProcess.start = lambda self: None",
            "_children in sitecustomize.<lambda> was not found: "
            "who starts and joins a process is not seen.",
        ),
        (
            "import multiprocessing.managers\ndel multiprocessing.managers.BaseProxy._callmethod",
            "multiprocessing.managers.BaseProxy._callmethod was not found: "
            "calls on what a manager keeps are not seen.",
        ),
    ],
)
def test_what_the_instrumentation_does_not_find_is_said_and_doubts_the_end(
    lacks: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(lacks)
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing.managers\nmultiprocessing.get_context('fork').Lock()"
    )
    path = os.pathsep.join((str(tmp_path), str(PROJECT)))
    told = tell(program, "--timeout", DEADLINE, env=os.environ | {"PYTHONPATH": path})
    assert sentence in told.verdict["blind"]
    assert told.verdict["verdict"] == "undecided"
    assert sentence in told.verdict["explanation"]
    assert told.exitcode == 3


@pytest.mark.parametrize(("forked", "unseen"), [(True, []), (False, [4712])])
def test_one_of_ours_that_is_killed_before_its_first_word_has_done_nothing(
    forked: bool, unseen: list[int]
) -> None:
    recorder = Recorder(lambda step: None)
    recorder.add(Actor(id=0, name="main", pid=4711, parent=None, life=Life.ALIVE))
    recorder.add(Actor(id=1, name="", pid=4712, parent=0))
    registry = ProcessRegistry(recorder, "no directory", 0)
    registry.born(4711, "main")
    if forked:
        registry.forking(4711)
    registry.started(4712, 4711)
    recorder.end(1, -signal.SIGTERM)
    registry.ended(4712, 4711)
    assert [one.pid for one in registry.view().unseen] == unseen
