"""The command line: exit codes, one clear sentence for what cannot be, and quick answers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import syncsim
from syncsim.cli import main

PROJECT = Path(__file__).parents[1]
DEADLINE = 60

SLUGS = [
    "producer-consumer",
    "bounded-resource",
    "two-phase-handshake",
    "readers-writers",
    "exchange",
    "lost-update",
    "ab-ba",
    "dining-philosophers",
    "if-instead-of-while",
]


def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    values: dict[str, object] = {
        "capture_output": True,
        "text": True,
        "cwd": PROJECT,
        "stdin": subprocess.DEVNULL,
        "timeout": DEADLINE,
    }
    command = [sys.executable, "-m", "syncsim", *map(str, words)]
    return subprocess.run(command, **(values | options))


def refused(*words: object) -> str:
    """The one sentence on stderr with which bad input is refused."""
    ended = run(*words)
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    assert ended.stderr.startswith("syncsim: ")
    assert ended.stderr.endswith((".\n", "?\n", "NAME|FILE\n"))
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.removeprefix("syncsim: ").strip()


# -- what it says of itself ----------------------------------------------------------------


def test_the_version_is_told() -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout) == (0, f"syncsim {syncsim.__version__}\n")


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("list", "--help"), ("-h",)])
def test_help_names_what_there_is(words: tuple[str, ...]) -> None:
    ended = run(*words)
    assert ended.returncode == 0
    assert ended.stderr == ""
    wanted = {"run": ("--scheduler", "--schedule", "--max-steps", "--timeout", "--json")}
    for word in wanted.get(words[0], ()):
        assert word in ended.stdout
    if words[0] in ("--help", "-h"):
        for word in ("syncsim run", "syncsim list", "syncsim FILE", "exit codes", "--version"):
            assert word in ended.stdout


def test_without_a_terminal_it_names_the_way_that_needs_none() -> None:
    assert "syncsim run" in refused()
    assert "syncsim run" in refused(PROJECT / "puzzles" / "ab-ba" / "program.py")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("/nowhere/program.py",), "There is no file /nowhere/program.py"),
        (("/nowhere/program.py", "--help", "-m", "x"), "There is no file /nowhere/program.py"),
        (("-m", "nowhere.program", "--help"), "There is no module nowhere.program"),
        (("-m", "nowhere.program", "--", "x"), "There is no module nowhere.program"),
        (("-m",), "argument -m: expected one argument"),
    ],
)
def test_with_a_terminal_what_is_not_there_is_still_a_sentence(
    words: tuple[str, ...], said: str
) -> None:
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "syncsim", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            timeout=DEADLINE,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"syncsim: {said}")


# -- list ----------------------------------------------------------------------------------


def test_the_list_has_every_puzzle_under_its_chapter() -> None:
    ended = run("list")
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(" ")] == SLUGS
    assert "2  The four classics" in lines


def test_the_list_as_json_is_one_object_a_line() -> None:
    ended = run("list", "--json")
    records = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [record["name"] for record in records] == SLUGS
    for record in records:
        assert set(record) == {"name", "title", "chapter", "kind", "difficulty", "goal"}
        assert record["kind"] in ("watch", "break")


# -- bad input -----------------------------------------------------------------------------


def test_a_puzzle_that_is_not_there_is_refused_with_the_nearest() -> None:
    assert "Did you mean dining-philosophers?" in refused("run", "dinning-philosophers")
    assert "the puzzles are producer-consumer, bounded-resource" in refused("run", "xyz")


def test_a_word_that_names_nothing_asks_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "breakfast.py").touch()
    for word, meant in (
        ("dining", "dining-philosophers"),
        ("Dining", "dining-philosophers"),
        ("chekc", "check"),
        ("breakfst", "breakfast.py"),
        ("breakfast", "breakfast.py"),
    ):
        ended = run(word, cwd=tmp_path)
        said = f'syncsim: There is no puzzle or file "{word}". Did you mean {meant}?\n'
        assert (ended.returncode, ended.stderr) == (2, said)
    file = tmp_path / "brekfast.py"
    meant = f'There is no file "{file}". Did you mean {tmp_path / "breakfast.py"}?'
    assert refused("run", file) == meant


def test_only_where_a_command_can_stand_is_one_meant() -> None:
    assert "Did you mean" not in refused("run", "chekc")
    assert "Did you mean run" not in refused("--", "run")


def test_a_file_that_is_called_like_a_command_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("print('a file')\n")
    assert "syncsim run NAME|FILE" in run("./list", cwd=tmp_path).stderr
    assert "prints 'a file'" in run("run", "list", cwd=tmp_path).stdout


@pytest.mark.parametrize("columns", [40, 80, 132])
@pytest.mark.parametrize("command", [(), ("run",), ("check",), ("list",)])
def test_help_fits_into_the_terminal(command: tuple[str, ...], columns: int) -> None:
    ended = run(*command, "--help", env=os.environ | {"COLUMNS": str(columns)})
    assert max(map(len, ended.stdout.splitlines())) <= columns
    assert ended.stdout.isascii()  # it is shown wherever one is


def test_what_stands_in_columns_is_wrapped_below_its_beginning() -> None:
    told = run("check", "--help", env=os.environ | {"COLUMNS": "80"}).stdout
    column = told.index("what came of it") - told.rindex("\n", 0, told.index("what came of it"))
    _, _, below = told.partition("what came of it")
    continued = below.splitlines()[1]
    assert len(continued) - len(continued.lstrip()) == column - 1


# -- where it cannot be used -----------------------------------------------------------------


def test_a_terminal_that_can_only_write_gets_a_sentence_and_no_screen() -> None:
    code = (
        "import sys; from syncsim.cli import main; code = main(['ab-ba']); "
        "assert not any(name.partition('.')[0] in ('textual', 'rich') for name in sys.modules); "
        "sys.exit(code)"
    )
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            timeout=DEADLINE,
            env=os.environ | {"TERM": "dumb"},
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.stderr.startswith("syncsim: a terminal with TERM=dumb cannot show the screen")
    assert "syncsim run NAME|FILE" in ended.stderr
    assert ended.returncode == 2


def test_a_run_needs_no_more_than_that() -> None:
    assert run("run", "ab-ba", "--schedule", "a2", env=os.environ | {"TERM": "dumb"}).stderr == ""


@pytest.mark.parametrize("words", [[], ["ab-ba"], ["run", "ab-ba"], ["check", "ab-ba"]])
def test_where_there_is_no_posix_a_sentence_names_the_way(words: list[str]) -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys("
        "('fcntl', 'termios', 'resource', 'pwd', 'grp', 'pty', 'tty', '_posixsubprocess'))); "
        f"from syncsim.cli import main; sys.exit(main({words!r}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 2, ended
    assert ended.stderr.startswith("syncsim: programs run on Linux and macOS only")
    assert "WSL" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run",), "NAME|FILE"),
        (("run", "nowhere.py"), "There is no file nowhere.py"),
        (("run", "."), "directory"),
        (("run", "puzzles/"), "directory"),
        (("run", "ab-ba", "--scheduler", "fifo"), "there is no scheduler 'fifo'"),
        (("run", "ab-ba", "--scheduler", "random:x"), "must be a whole number"),
        (("run", "ab-ba", "--scheduler", "random:²"), "must be a whole number"),
        (("run", "ab-ba", "--scheduler", "replay"), "needs --schedule"),
        (("run", "ab-ba", "--scheduler", "round-robin", "--schedule", "a"), "--schedule goes"),
        (("run", "ab-ba", "--schedule", "a!b"), "character 2"),
        (("run", "ab-ba", "--schedule", "zz"), "cannot be followed: its choice 1 is z"),
        (("run", "ab-ba", "--max-steps", "0"), "no whole number above zero"),
        (("run", "ab-ba", "--max-steps", "²"), "no whole number above zero"),
        (("run", "ab-ba", "--timeout", "-1"), "no number of seconds above zero"),
        (("run", "ab-ba", "--timeout", "nan"), "no number of seconds above zero"),
        (("run", "ab-ba", "--colour"), "--colour"),
        (("run", "ab-ba", "more"), "more"),
        (("list", "more"), "more"),
    ],
)
def test_bad_input_is_refused_by_one_sentence(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


def test_a_schedule_that_cannot_be_followed_to_its_end_is_told_where() -> None:
    ended = run("run", "ab-ba", "--schedule", "a3")
    assert ended.returncode == 2
    assert "its choice 3 is a (main), which cannot go there" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_sentence_ends_once() -> None:
    assert ".." not in refused("run", "ab-ba", "--schedule", "zz")
    assert ".." not in refused("run", "xyz")


# -- exit codes ----------------------------------------------------------------------------


def test_the_exit_code_is_zero_when_it_finishes() -> None:
    assert run("run", "two-phase-handshake").returncode == 0


def test_the_exit_code_is_one_at_a_bad_verdict() -> None:
    assert run("run", "ab-ba", "--schedule", "a2b3c3").returncode == 1


def test_the_exit_code_is_three_when_nothing_is_decided() -> None:
    assert run("run", "ab-ba", "--schedule", "a2").returncode == 3
    assert run("run", "ab-ba", "--max-steps", 3).returncode == 3


def test_a_file_of_ones_own_gets_its_arguments(tmp_path: Path) -> None:
    program = tmp_path / "own.py"
    program.write_text("import sys\nassert sys.argv[1:] == ['--json', '-x', '--', 'a b']\n")
    ended = run("run", program, "--", "--json", "-x", "--", "a b")
    assert ended.returncode == 0, ended.stdout


def test_a_file_is_found_from_where_one_is(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import os\nprint(os.getcwd())\n")
    ended = run("run", "own.py", cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(PROJECT)})
    assert ended.returncode == 0, ended.stderr
    assert str(tmp_path) in ended.stdout


def test_whoever_stops_reading_is_not_shouted_at() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "syncsim", "run", "producer-consumer"],
            stdout=writing,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=PROJECT,
            timeout=DEADLINE,
            check=False,
        )
    finally:
        os.close(writing)
    assert ended.stderr == ""
    assert ended.returncode == 141


def test_main_can_be_called_with_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "dining-philosophers" in capsys.readouterr().out
    assert main(["run", "no-such-puzzle"]) == 2
    assert 'There is no puzzle or file "no-such-puzzle"' in capsys.readouterr().err


# -- import hygiene ------------------------------------------------------------------------


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=DEADLINE,
        check=True,
    )
    return set(ended.stdout.split("\n")[-2].split())


def test_the_command_line_loads_only_what_it_needs_to_read_the_words() -> None:
    loaded = loaded_by("import syncsim.cli")
    assert not loaded & {"textual", "msgspec", "multiprocessing", "asyncio", "subprocess"}
    assert {name for name in loaded if name.startswith("syncsim.")} == {
        "syncsim.arguments",
        "syncsim.cli",
    }


def test_a_run_without_a_screen_loads_no_screen_and_no_multiprocessing() -> None:
    loaded = loaded_by("from syncsim.cli import main; main(['run', 'two-phase-handshake'])")
    assert "syncsim.real.run" in loaded
    assert not loaded & {"textual", "multiprocessing", "asyncio", "syncsim.ui"}


def test_the_list_loads_no_run() -> None:
    loaded = loaded_by("from syncsim.cli import main; main(['list'])")
    assert not loaded & {"textual", "multiprocessing", "syncsim.real", "subprocess"}
