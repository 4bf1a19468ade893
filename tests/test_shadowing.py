"""Modules that are called like some of ours, or of the library: each gets its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncsim.program.source import load
from syncsim.real.launch import Launch

DEADLINE = 120
SCRIPT = Path(sys.executable).with_name("syncsim")
PROGRAM = """
import multiprocessing
import sys


def work(lock):
    with lock:
        print("child", sys.path[0] == {folder!r}, {owned})


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    print(sys.path[0] == {folder!r}, sys.argv[1:], sys.flags.safe_path, {owned})
    print(sys.orig_argv[-2:] == [sys.argv[0], sys.argv[1]], "boot" in str(sys.orig_argv))
    lock = multiprocessing.Lock()
    child = multiprocessing.Process(target=work, args=(lock,))
    child.start()
    child.join()
"""
#: What ours import first of all, and what they import last.
NAMES = (
    *("msgspec", "greenlet", "json", "string", "queue", "struct", "shlex", "tomllib", "linecache"),
    *("tokenize", "select", "textwrap", "argparse", "cloudpickle", "contextlib", "syncsim"),
)


def shadowing(folder: Path, names: tuple[str, ...], *, own: str = "") -> Path:
    """Fill the folder with modules that say in a file that they were executed."""
    folder.mkdir(exist_ok=True)
    marker = folder / "executed"
    for name in names:
        text = f"open({str(marker)!r}, 'a').write('{name} ')\n{own}\n"
        (folder / f"{name}.py").write_text(text)
    return marker


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE,
        check=False,
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    path = folder / "program.py"
    path.write_text(PROGRAM.format(folder=str(folder), owned="0"))
    return path


@pytest.mark.parametrize("command", ["run", "check"])
def test_nothing_is_taken_from_the_current_folder(
    program: Path, tmp_path: Path, command: str
) -> None:
    marker = shadowing(tmp_path / "here", NAMES)
    ended = run(command, program, "--", "fork", cwd=tmp_path / "here")
    assert ended.returncode == 0, ended.stderr
    assert not marker.exists(), marker.read_text()


def test_nor_is_it_in_children_that_are_new_interpreters(program: Path, tmp_path: Path) -> None:
    # (What the library itself takes from there is as under plain Python.)
    marker = shadowing(tmp_path / "here", ("msgspec", "string", "greenlet", "syncsim"))
    for method in ("spawn", "forkserver"):
        ended = run("run", program, "--", method, cwd=tmp_path / "here")
        assert "finished after" in ended.stdout, ended
        assert "prints 'child True 0'" in ended.stdout
        assert not marker.exists(), marker.read_text()


def test_nor_is_it_in_the_processes_that_search(tmp_path: Path) -> None:
    marker = shadowing(tmp_path / "here", NAMES)
    path = Path(__file__).parent / "explore" / "programs" / "locked_counter.py"
    ended = run("check", path, "--search", "dpor", "--jobs", "2", "--", "4", cwd=tmp_path / "here")
    assert ended.returncode == 0, ended
    assert not marker.exists(), marker.read_text()


def test_nor_by_the_stage_of_the_screen(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = shadowing(tmp_path / "here", NAMES)
    monkeypatch.chdir(tmp_path / "here")
    launch = Launch(load(program, ("fork",)), controlled=False, stdin=subprocess.DEVNULL)
    try:
        assert launch.stage.wait(DEADLINE) == 0
    finally:
        launch.close()
    assert not marker.exists(), marker.read_text()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_program_gets_the_modules_that_lie_beside_it(tmp_path: Path, method: str) -> None:
    names = ("msgspec", "greenlet", "json", "string", "syncsim")
    folder = tmp_path / "program"
    marker = shadowing(folder, names, own="mine = 1")
    owned = ", ".join(f"__import__({name!r}).mine" for name in names)
    path = folder / "program.py"
    path.write_text(PROGRAM.format(folder=str(folder), owned=owned))
    plain = subprocess.run(
        [sys.executable, path, method],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=DEADLINE,
        check=False,
    )
    ones = ", ".join("1" * len(names)).replace(", ", " ")
    expected = [f"True ['{method}'] False {ones}", "True False", f"child True {ones}"]
    assert plain.stdout.splitlines() == expected
    marker.unlink()
    ended = run("run", path, "--scheduler", "round-robin", "--", method, cwd=folder)
    assert "finished after" in ended.stdout, ended
    for line in expected:
        assert f'prints "{line}"' in ended.stdout or f"prints '{line}'" in ended.stdout, ended


def test_a_module_beside_it_is_not_executed_unless_it_is_imported(tmp_path: Path) -> None:
    folder = tmp_path / "program"
    marker = shadowing(folder, ("string", "msgspec", "shlex", "greenlet", "textwrap"))
    path = folder / "program.py"
    path.write_text(PROGRAM.format(folder=str(folder), owned="0"))
    for words in (
        ("run", path, "--", "fork"),
        ("run", path, "--", "spawn"),
        ("check", path, "--", "fork"),
    ):
        ended = run(*words, cwd=folder)
        assert ended.returncode == 0, ended
        assert not marker.exists(), marker.read_text()


def test_python_m_syncsim_takes_nothing_of_ours_from_the_current_folder(tmp_path: Path) -> None:
    marker = shadowing(tmp_path / "here", ("msgspec", "greenlet", "shlex", "argparse"))
    project = str(Path(__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-m", "syncsim", "run", "ab-ba", "--schedule", "a2b3c3", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path / "here",
        env=os.environ | {"PYTHONPATH": project},
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 1, ended
    assert not marker.exists(), marker.read_text()
