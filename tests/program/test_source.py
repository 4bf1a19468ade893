"""A program is read as Python reads it, or refused with one clear sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncsim.program.source import ProgramError, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "program.py"


def refusal(path: Path) -> str:
    """The sentence with which the program is refused."""
    with pytest.raises(ProgramError) as refused:
        load(path)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_program_has_its_text_name_and_arguments(file: Path) -> None:
    file.write_bytes(b"print(1)\r\nprint(2)\r\n")
    program = load(file, ("--fast", "7"))
    assert program.path == file
    assert program.text == "print(1)\nprint(2)\n"
    assert program.name == "program.py"
    assert program.arguments == ("--fast", "7")


def test_the_path_of_a_program_is_absolute(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("pass\n")
    monkeypatch.chdir(file.parent)
    assert load("program.py").path == file


def test_loading_a_program_does_not_run_it(file: Path) -> None:
    file.write_text("raise SystemExit('it ran')\n")
    assert "it ran" in load(file).text


def test_an_empty_file_is_a_program(file: Path) -> None:
    file.touch()
    assert load(file).text == ""


def test_the_encoding_that_the_file_declares_is_honoured(file: Path) -> None:
    file.write_bytes("# coding: latin-1\nname = 'Zoë'\n".encode("latin-1"))
    assert "Zoë" in load(file).text


def test_a_byte_order_mark_is_no_part_of_the_text(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfpass\n")
    assert load(file).text == "pass\n"


def test_a_remark_of_the_compiler_is_no_refusal(file: Path) -> None:
    file.write_text("assert (1, 'always true')\npath = '\\d'\n")
    assert load(file).text


def test_a_missing_file_is_named(file: Path) -> None:
    assert refusal(file) == f"There is no file {file}: check the name and the folder."


def test_a_directory_is_no_program(tmp_path: Path) -> None:
    assert f"{tmp_path} is a directory" in refusal(tmp_path)


def test_a_path_through_a_file_is_refused(file: Path) -> None:
    file.touch()
    assert "check the path" in refusal(file / "program.py")


def test_a_path_with_a_nul_is_refused() -> None:
    with pytest.raises(ProgramError):
        load("program\0.py")


def test_a_pipe_is_refused_and_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    assert "no regular file" in refusal(file)


def test_a_file_that_cannot_be_read_is_refused(file: Path) -> None:
    file.symlink_to(file)  # which leads nowhere, also for root
    assert str(file) in refusal(file)


def test_a_syntax_error_is_told_with_its_line(file: Path) -> None:
    file.write_text("print(1)\nfor in range(3):\n")
    assert f"{file}, line 2: invalid syntax" in refusal(file)


def test_what_only_the_compiler_finds_is_told_too(file: Path) -> None:
    file.write_text("\n\nreturn 1\n")
    assert f"{file}, line 3: 'return' outside function" in refusal(file)


def test_an_indentation_error_is_a_syntax_error(file: Path) -> None:
    file.write_text("def main():\npass\n")
    assert f"{file}, line 2: expected an indented block" in refusal(file)


def test_text_that_is_no_utf_8_is_refused(file: Path) -> None:
    file.write_bytes(b"pass\n" * 2000 + b"name = 'Zo\xeb'\n")
    assert "save it as UTF-8" in refusal(file)


@pytest.mark.parametrize("encoding", ["no-such-encoding", "hex"])
def test_an_encoding_that_nobody_knows_is_refused(file: Path, encoding: str) -> None:
    file.write_text(f"# coding: {encoding}\n")
    assert encoding in refusal(file)


def test_a_binary_file_is_no_program(file: Path) -> None:
    file.write_bytes(b"\x7fELF\n\x02\x01\0\0\0")
    assert f"{file}, line 2, holds a NUL byte" in refusal(file)


def test_a_program_nested_without_end_is_refused(file: Path) -> None:
    file.write_text("-" * 200_000 + "1\n")
    refusal(file)


@pytest.mark.parametrize("depth", [300, 5000])
def test_brackets_without_end_are_refused(file: Path, depth: int) -> None:
    file.write_text("(" * depth + ")" * depth)
    refusal(file)
