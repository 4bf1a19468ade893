"""Programs of several files: run as modules, folders and archives, as plain Python runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from either import either
from running import DEADLINE, METHODS, PROGRAMS, PROJECT, Told, tell

from syncsim.program.source import load_module

TOWN = PROGRAMS / "town"
WAYS = {
    "module": ("-m", "town.visit"),
    "package": ("-m", "town"),
    "folder": ("town",),
    "archive": ("town.zip",),
    "file": ("alone.py",),
    "link": ("link/linked.py",),
}
# (Unbuffered, a line would be written in pieces, and those of others come between.)
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": ""}

each_way = pytest.mark.parametrize("way", WAYS)
both = either("scheduler", ["os", "round-robin"])


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with the program in each of its shapes."""
    shutil.copytree(TOWN, tmp_path / "town")
    text = (TOWN / "__main__.py").read_text()
    with zipfile.ZipFile(tmp_path / "town.zip", "w") as archive:
        archive.writestr("__main__.py", text)
    (tmp_path / "alone.py").write_text(text)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "linked.py").symlink_to(tmp_path / "alone.py")
    return tmp_path


def plain(here: Path, way: str, method: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *WAYS[way], method],
        capture_output=True,
        text=True,
        cwd=here,
        env=ENVIRONMENT,
        timeout=3 * DEADLINE,
        check=False,
    )


def assert_as_plain(here: Path, way: str, method: str, scheduler: str) -> Told:
    expected = plain(here, way, method)
    words = (*WAYS[way], "--scheduler", scheduler, "--", method)
    told = tell(*words, cwd=here, env=ENVIRONMENT)
    assert sorted(told.text("stdout").splitlines()) == sorted(expected.stdout.splitlines())
    assert told.text("stderr") == expected.stderr
    assert told.process("main")["exitcode"] == expected.returncode
    # (What main defines only as main, a new interpreter does not find.)
    assert told.verdict["verdict"] == ("crash" if "Error" in expected.stderr else "finished")
    return told


@both
@each_way
@pytest.mark.parametrize("method", METHODS)
def test_a_program_in_any_shape_does_as_under_plain_python(
    here: Path, way: str, method: str, scheduler: str
) -> None:
    assert_as_plain(here, way, method, scheduler)


@pytest.mark.parametrize("way", ["module", "archive"])
def test_a_new_interpreter_imports_main_again_as_under_plain_python(here: Path, way: str) -> None:
    assert_as_plain(here, way, "spawn", "os")


def test_what_another_file_makes_and_awaits_has_its_name_and_line(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    told = tell("-m", "town.visit", "--", "fork", cwd=here, env=ENVIRONMENT)
    lines = (TOWN / "office.py").read_text().splitlines()
    taken = [step for step in told.steps if step["call"] == "Lock.acquire"]
    assert len(taken) == 2
    for step in taken:
        assert (step["primitive"], step["function"]) == ("counter", "serve")
        assert step["file"] == str(here / "town" / "office.py")
        assert lines[step["line"] - 1].strip() == "with counter:"


def test_what_an_archive_makes_has_its_name(here: Path) -> None:
    told = tell("town.zip", "--", "fork", cwd=here, env=ENVIRONMENT)
    assert {step["primitive"] for step in told.steps if step["kind"] == "Queue"} == {"names"}


def test_a_puzzle_run_by_its_module_can_be_scheduled(here: Path) -> None:
    one, other = (
        tell("-m", "town.visit", "--scheduler", "random:3", "--", "fork", cwd=here, env=ENVIRONMENT)
        for _ in range(2)
    )
    assert one.verdict["schedule"] == other.verdict["schedule"]


def test_the_words_after_the_program_are_its_own(here: Path) -> None:
    (here / "say.py").write_text("import sys\nprint(sys.argv)\n")
    words = ("--json", "-m", "x", "--", "--timeout", "a b", "")
    for target in (("say.py",), ("-m", "say")):
        told = tell(*target, "--", *words, cwd=here, env=ENVIRONMENT)
        first = "say.py" if len(target) == 1 else str(here / "say.py")
        assert told.text("stdout") == f"{[first, *words]}\n"


# -- what cannot be run ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-m", "nowhere"), "There is no module nowhere to run"),
        (("-m", "town.nowhere"), "There is no module town.nowhere to run"),
        (("-m", "town.visit.deeper"), "There is no module town.visit.deeper"),
        (("-m", "bare"), "There is no module bare to run"),
        (("-m", "sys"), "There is no module sys to run, or it has no source"),
        (("-m", ".town"), "There is no module .town"),
        (("-m", "town..visit"), "There is no module town..visit"),
        (("-m", "broken"), "broken.py, line 2"),
        (("bare/",), "bare is a directory and has no __main__.py"),
        (("empty.zip",), "empty.zip is an archive and has no __main__.py"),
        (("-m", "town", "town"), "one program is wanted"),
        (("-m",), "expected one argument"),
    ],
)
def test_what_cannot_be_run_is_refused_by_one_sentence(
    here: Path, words: tuple[str, ...], said: str
) -> None:
    (here / "bare").mkdir()
    (here / "bare" / "__init__.py").write_text("raise SystemExit('it ran')\n")
    (here / "broken.py").write_text("x = 1\ndef broken(:\n")
    zipfile.ZipFile(here / "empty.zip", "w").close()
    told = tell(*words, cwd=here, env=ENVIRONMENT)
    assert (told.exitcode, told.records) == (2, [])
    assert said in told.stderr
    assert told.stderr.count("\n") == 1


def test_to_look_for_a_module_runs_nothing_of_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    (here / "town" / "__init__.py").write_text("raise SystemExit('it ran')\n")
    program = load_module("town.visit", ("fork",))
    assert program.path == here / "town" / "visit.py"
    assert program.command == ("-m", "town.visit")
    assert "town" not in sys.modules
