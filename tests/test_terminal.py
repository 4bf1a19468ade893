"""Text on its way to a terminal: nothing in it commands one, and each sign can be carried."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsim.core.text import as_json, clean
from syncsim.terminal import json_line, say

pytestmark = pytest.mark.once

PROJECT = Path(__file__).parents[1]
DEADLINE = 120
#: A title, a colour in one byte, a line of its own, an order from right to left, no width.
HOSTILE = ("\x1b]0;T\x07Ada\nfinished after 1 steps", "\x9b31mBob\u202e\u200b", "\x1b[2JCleo\udc9b")

NAMES = f"""
from multiprocessing import Lock, Process


def work(first, second):
    with first:
        with second:
            pass


if __name__ == "__main__":
    locks = Lock(), Lock(), Lock()
    workers = [
        Process(target=work, args=(locks[n], locks[(n + 1) % 3]), name=name)
        for n, name in enumerate({HOSTILE!a})
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
"""
RAISES = f"raise LookupError({HOSTILE[0]!a} + {HOSTILE[1]!a})\n"
#: So all three wait in a circle.
CIRCLE = ("--schedule", "a3bcd")


def syncsim(*words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "syncsim", *map(os.fspath, map(str, words))],
        capture_output=True,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE,
        check=False,
        env=os.environ | environment,
    )


def assert_harmless(data: bytes) -> str:
    text = data.decode()
    assert all(line.isprintable() for line in text.split("\n")), ascii(text)
    return text


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "names.py"
    path.write_text(NAMES)
    return path


@pytest.mark.parametrize("words", [CIRCLE, ("--timeout", "2"), ("--scheduler", "random:1")])
def test_the_name_of_a_process_commands_no_terminal(program: Path, words: tuple[str, ...]) -> None:
    ended = syncsim("run", program, *words)
    text = assert_harmless(ended.stdout)
    assert "Ada finished after 1 steps" in text
    assert "Bob" in text
    assert "Cleo" in text
    assert "\nfinished after 1 steps" not in text
    assert ended.stderr == b""


def test_nor_does_it_in_the_report_of_a_hang(tmp_path: Path) -> None:
    path = tmp_path / "hangs.py"
    path.write_text(
        "from multiprocessing import get_context\n\nif __name__ == '__main__':\n"
        "    fork = get_context('fork')\n    lock = fork.Lock()\n    lock.acquire()\n"
        f"    child = fork.Process(target=lock.acquire, name={HOSTILE[0]!a})\n"
        "    child.start()\n    child.join()\n"
    )
    text = assert_harmless(syncsim("run", path).stdout)
    assert "syncsim report: deadlock" in text
    assert "Ada finished after 1 steps  pid" in text


def test_nor_does_it_in_a_check(program: Path) -> None:
    ended = syncsim("check", program)
    text = assert_harmless(ended.stdout)
    assert text.startswith("deadlock\n")
    assert "Ada finished after 1 steps" in text
    assert ended.returncode == 1


@pytest.mark.parametrize("command", [("run", *CIRCLE), ("check",)])
def test_nor_does_it_in_json(program: Path, command: tuple[str, ...]) -> None:
    name, *options = command
    lines = assert_harmless(syncsim(name, program, *options, "--json").stdout).splitlines()
    assert all(line.isascii() for line in lines)
    processes = [one["name"] for one in json.loads(lines[-1])["processes"]]
    assert processes[:3] == ["main", HOSTILE[0], HOSTILE[1]]


@pytest.mark.parametrize("command", ["run", "check"])
def test_an_exceptions_text_commands_no_terminal(tmp_path: Path, command: str) -> None:
    path = tmp_path / "raises.py"
    path.write_text(RAISES)
    text = assert_harmless(syncsim(command, path).stdout)
    assert "LookupError: Ada finished after 1 stepsBob" in text


def test_the_name_of_a_file_commands_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\x9b2J\udcff.py"
    path.write_text("raise ValueError\n")
    text = assert_harmless(syncsim("run", path).stdout)
    assert "crash after" in text
    assert "During handling" not in text
    assert "ValueError (a?.py, line 1)" in text
    path.unlink()
    ended = syncsim("run", path)
    assert "There is no file" in assert_harmless(ended.stderr)
    assert ended.returncode == 2
    ended = syncsim("list", "\x1b[31mred")
    assert "unrecognized arguments: red" in assert_harmless(ended.stderr)


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=["ascii", "latin-1", "C"],
)
@pytest.mark.parametrize(
    "words",
    [("run", "ab-ba", "--schedule", "a2b3c3"), ("check", "ab-ba"), ("list",), ("run", "né")],
    ids=lambda words: " ".join(words),
)
def test_a_stream_without_utf8_gets_ascii(
    words: tuple[str, ...], environment: dict[str, str]
) -> None:
    ended = syncsim(*words, **environment)
    told = ended.stdout + ended.stderr
    assert b"Traceback" not in told
    assert ended.returncode == {"list": 0, "né": 2}.get(words[-1], 1)
    if words[-1] != "né":
        assert told.isascii()
    if "ab-ba" in words:
        assert b"cycle: each waits for the next: Ada > Bob > Ada" in told


def test_letters_that_the_stream_has_stay() -> None:
    data = io.BytesIO()
    out = io.TextIOWrapper(data, "latin-1")
    say("Zoë → 日 ●", out)
    out.flush()
    assert data.getvalue() == "Zoë > ? o\n".encode("latin-1")


def test_signs_are_ascii_where_that_is_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCSIM_ASCII", "1")
    out = io.StringIO()
    say("Ada → Bob", out)
    assert out.getvalue() == "Ada > Bob\n"


@given(st.text(st.characters()))
def test_no_text_is_more_than_one_line_or_a_command(text: str) -> None:
    out = io.StringIO()
    say(text, out)
    assert out.getvalue().endswith("\n")
    assert all(c.isprintable() or c == " " for c in out.getvalue()[:-1])
    assert all(c.isprintable() or c == " " for c in clean(text))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_is_printable_ascii_and_means_the_same(text: str) -> None:
    line = json_line({"text": text})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"text": text}


def test_what_utf8_has_not_is_replaced() -> None:
    assert json.loads(as_json({"\udc80": ["a\udcffb", 1, None]})) == {"?": ["a?b", 1, None]}
