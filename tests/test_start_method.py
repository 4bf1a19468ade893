"""``--start-method``: the default of a program that names none, in both worlds."""

from __future__ import annotations

import json
import subprocess
import sys
from multiprocessing import get_all_start_methods
from pathlib import Path
from typing import Any

import pytest
from commands import check, pytest_in

import syncsim
from syncsim.cli import main
from syncsim.program.source import load
from syncsim.real.run import RealRun

METHODS = ("fork", "spawn", "forkserver")
#: A forked child has the memory of its parent; any other one imports the file anew.
CHANGED = """\
from multiprocessing import Process
GREETING = "before"
def work():
    assert GREETING == "after", GREETING
if __name__ == "__main__":
    GREETING = "after"
    child = Process(target=work, name="Ada")
    child.start()
    child.join()
"""
NO_GUARD = """\
from multiprocessing import Process
def work(): pass
child = Process(target=work, name="Ada")
child.start()
child.join()
"""
#: What a program chooses itself it has, wherever it does so.
CHOOSES = {
    "in main": """\
import multiprocessing
def work(wanted): assert multiprocessing.get_start_method() == wanted
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        multiprocessing.set_start_method(method, force=method == "spawn")
        child = multiprocessing.Process(target=work, args=(method,))
        child.start()
        child.join()
        assert child.exitcode == 0
""",
    "as a context": """\
import multiprocessing
WORD = "before"
def work(): assert WORD == "after"
if __name__ == "__main__":
    WORD = "after"
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0
""",
}
#: It goes back to the default; in the child, too.
ASKS = """\
import multiprocessing, sys
def work(wanted):
    multiprocessing.set_start_method(None, force=True)
    assert multiprocessing.get_start_method() == wanted
if __name__ == "__main__":
    assert multiprocessing.get_start_method(allow_none=True) is None
    assert multiprocessing.get_start_method() == sys.argv[1]
    assert isinstance(multiprocessing.Process(target=work)._Popen, object)
    child = multiprocessing.get_context("spawn").Process(target=work, args=sys.argv[1:])
    child.start()
    child.join()
    assert child.exitcode == 0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


def ran(*words: object) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what ``syncsim run --json`` has told."""
    command = [sys.executable, "-m", "syncsim", "run", "--json", *map(str, words)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
    )
    assert ended.stderr == ""
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("method", METHODS)
def test_what_a_child_sees_of_its_parent_follows_the_method_in_both_worlds(
    tmp_path: Path, method: str
) -> None:
    path = written(tmp_path, CHANGED)
    verdict = "finished" if method == "fork" else "assertion"
    for words in ((), ("--scheduler", "round-robin")):
        _, told = ran(path, *words, "--start-method", method)
        assert (told[-1]["verdict"], told[-1]["start_method"]) == (verdict, method)
    checked = syncsim.check(path, start_method=method)
    assert checked.verdict == verdict, checked.explanation
    assert checked.complete
    assert (checked.start_method, checked.as_dict()["start_method"]) == (method, method)


@pytest.mark.parametrize(("method", "verdict"), [("fork", "finished"), ("spawn", "crash")])
def test_a_missing_guard_is_seen_by_the_method_that_needs_it(
    tmp_path: Path, method: str, verdict: str
) -> None:
    path = written(tmp_path, NO_GUARD)
    _, told = ran(path, "--start-method", method)
    assert told[-1]["verdict"] == verdict
    checked = syncsim.check(path, start_method=method)
    assert checked.verdict == verdict, checked.explanation
    assert checked.confirmed is (verdict == "crash")


@pytest.mark.parametrize("text", CHOOSES.values(), ids=list(CHOOSES))
def test_a_program_that_chooses_keeps_its_choice(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert ran(path, "--start-method", "spawn")[1][-1]["verdict"] == "finished"
    checked = syncsim.check(path, start_method="spawn")
    assert checked.verdict == "finished", checked.explanation


@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_default_and_nothing_that_was_chosen(tmp_path: Path, method: str) -> None:
    path = written(tmp_path, ASKS)
    _, told = ran(path, "--start-method", method, "--", method)
    assert told[-1]["verdict"] == "finished", told[-1]["explanation"]
    checked = syncsim.check(path, arguments=(method,), start_method=method)
    assert checked.verdict == "finished", checked.explanation


def test_a_program_started_by_spawn_has_thereby_chosen_its_default(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "import multiprocessing\n"
        "said = 'nothing'\n"
        "if __name__ != '__main__':\n"
        "    try:\n"
        "        multiprocessing.set_start_method('spawn')\n"
        "    except RuntimeError as error:\n"
        "        said = str(error)\n"
        "def work(): assert said == 'context has already been set', said\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.get_context('spawn').Process(target=work).start()\n",
    )
    checked = syncsim.check(path)
    assert checked.verdict == "finished", checked.explanation


def test_without_one_the_default_of_this_python_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, CHANGED)
    default = get_all_start_methods()[0]
    assert ran(path)[1][-1]["start_method"] == default
    assert json.loads(check(path, "--json").stdout)["start_method"] == default


def test_each_search_and_the_search_on_real_processes_have_it(tmp_path: Path) -> None:
    path = written(tmp_path, CHANGED)
    samples: dict[str, Any] = {"search": "pct", "max_states": 9}
    for options in ({"real": True}, {"search": "graph"}, samples):
        checked = syncsim.check(path, start_method="spawn", **options)
        assert checked.verdict == "assertion", checked.explanation


# -- what is printed for a replay ------------------------------------------------------------


def test_what_is_printed_replays_as_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, CHANGED)
    searched = check(path, "--start-method", "spawn")
    assert searched.returncode == 1
    told = searched.stdout.splitlines()
    (line,) = [line for line in told if line.startswith("schedule: ")]
    words = line.removeprefix("schedule: ").split()
    assert words[1:] == ["--start-method", "spawn"]
    code, records = ran(path, "--schedule", *words)
    assert (code, records[-1]["verdict"]) == (1, "assertion")


def test_a_run_prints_it_behind_its_schedule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, CHANGED)
    words = ["run", str(path), "--scheduler", "round-robin", "--start-method"]
    assert main([*words, "spawn"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith(" --start-method spawn")
    main(words[:-1])
    assert "--start-method" not in capsys.readouterr().out


def test_a_report_has_it_in_its_command(tmp_path: Path) -> None:
    path = written(tmp_path, "from multiprocessing import Lock\nlock = Lock()\n")
    path.write_text(path.read_text() + "lock.acquire()\nlock.acquire()\n")
    _, told = ran(path, "--start-method", "spawn")
    assert told[-1]["verdict"] == "deadlock"
    assert "--start-method spawn" in told[-1]["report"]["command"]


def test_the_fixture_takes_it_and_says_it(tmp_path: Path) -> None:
    written(tmp_path, CHANGED)
    (tmp_path / "test_it.py").write_text(
        "def test_fork(syncsim_check):\n"
        "    syncsim_check('program.py', start_method='fork').never_fails()\n"
        "def test_spawn(syncsim_check):\n"
        "    syncsim_check('program.py', start_method='spawn').never_fails()\n"
        "def test_thread(syncsim_check):\n"
        "    syncsim_check('program.py', start_method='thread').never_fails()\n"
    )
    found = pytest_in(tmp_path)
    assert "2 failed, 1 passed" in found.stdout, found.stdout
    assert "schedule: A --start-method spawn" in found.stdout
    assert "'thread' is no start method of this platform" in found.stdout


# -- what there is not -----------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize(
    "words",
    [
        ["run", "ab-ba", "--start-method", "thread"],
        ["check", "ab-ba", "--start-method=thread"],
        ["--start-method", "thread", "ab-ba"],
        ["--start-method=thread"],
    ],
)
def test_a_method_that_there_is_not_is_one_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "'thread' is no start method of this platform, which has fork, forkserver" in said


@pytest.mark.once
def test_so_it_is_for_a_program_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'thread' is no start method of this platform"):
        syncsim.check(written(tmp_path, CHANGED), start_method="thread")


def test_a_run_that_asks_for_nothing_changes_nothing(tmp_path: Path) -> None:
    text = "import multiprocessing.context as c\nassert c._default_context._actual_context is None"
    path = written(tmp_path, text)
    world = RealRun(load(path), controlled=False)
    try:
        while not world.over:
            world.pump(0.05)
        assert world.state.actors[0].exitcode == 0
    finally:
        world.close()
