"""The text of a program, read the way Python itself would read it.

A program that cannot be read is refused here, with one sentence that says what is
wrong, where, and what to do; so nobody behind this door meets half a program.
"""

from __future__ import annotations

import io
import tokenize
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from syncsim.program.modules import find_source

_MAIN = "__main__.py"
#: What the end of a zip archive begins with, and so many last bytes of the file may be that end.
_END, _LONGEST_END = b"PK\5\6", 22 + (1 << 16)


class ProgramError(Exception):
    """The program cannot be read; the message is one sentence for the person."""


@dataclass(frozen=True, slots=True)
class Program:
    """A plain Python program that uses `multiprocessing`, and the arguments it is to get."""

    path: Path
    """Where its main file is, absolute (in a zip archive: as if that were a folder)."""
    text: str
    """The source, decoded, lines ending in a newline character."""
    name: str
    """The name that people call it by: that of the file, the folder or the module."""
    command: tuple[str, ...]
    """The name of it on Python's command line: `program.py`, a folder, an archive, `-m module`."""
    arguments: tuple[str, ...] = ()
    """The arguments that the program will see as `sys.argv[1:]`."""
    start_method: str = ""
    """The start method where the program does not say so itself; empty: as Python has it."""


def load(path: str | Path, arguments: tuple[str, ...] = (), start_method: str = "") -> Program:
    """Read the program at `path` and check that it is Python.

    A folder or a zip archive is a program when there is a `__main__.py` in it.

    Raises:
        ProgramError: there is no such file, it cannot be read, or it is no Python.
    """
    given, path = str(path), Path(path)
    main = path / _MAIN if _is_folder(path) or _is_archive(path) else path
    name, text = path.name or given, _text(main)
    return Program(main.absolute(), text, name, (given,), arguments, start_method)


def load_module(name: str, arguments: tuple[str, ...] = (), start_method: str = "") -> Program:
    """Read the program that `python -m name` runs, and check that it is Python.

    Raises:
        ProgramError: there is no such module, it cannot be read, or it is no Python.
    """
    path = find_source(name)
    if path is None:
        raise ProgramError(
            f"There is no module {name} to run, or it has no source: "
            "check its name, and in which folder you are."
        )
    return Program(path, _text(path), name, ("-m", name), arguments, start_method)


def read_again(program: Program) -> Program:
    """Return the program as its file stands now.

    Raises:
        ProgramError: the file is gone, it cannot be read, or it is no Python any more.
    """
    return replace(program, text=_text(program.path))


def source_of(file: str) -> str | None:
    """Return the text of a file of the program, also in a zip archive; None if unreadable."""
    try:
        return _decode(Path(file), _read(Path(file)))
    except ProgramError:
        return None


def _text(path: Path) -> str:
    text = _decode(path, _read(path))
    _check(path, text)
    return text


def _is_folder(path: Path) -> bool:
    try:
        if path.is_dir() and not (path / _MAIN).exists():
            raise ProgramError(
                f"{path} is a directory and has no {_MAIN}: name the Python file inside it."
            )
        return path.is_dir()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False


def _is_archive(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LONGEST_END))
            if _END not in file.read():
                return False
    except (OSError, ValueError):
        return False
    import zipfile  # only for a file that may be one: it takes its time

    return zipfile.is_zipfile(path)


def _read(path: Path) -> bytes:
    try:
        if _is_archive(path.parent):
            return _read_member(path)
        if path.exists() and not path.is_file():
            # Reading a pipe or a device could wait for ever.
            raise ProgramError(f"{path} is no regular file: save the program to one first.")
        return path.read_bytes()
    except FileNotFoundError:
        raise ProgramError(f"There is no file {path}: check the name and the folder.") from None
    except PermissionError:
        raise ProgramError(f"{path} may not be read: ask its owner for permission.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise ProgramError(f"{path} cannot be read ({reason}): check the path.") from None


def _read_member(path: Path) -> bytes:
    """Return a file of a zip archive."""
    import zipfile

    try:
        with zipfile.ZipFile(path.parent) as archive:
            return archive.read(path.name)
    except KeyError:
        raise ProgramError(
            f"{path.parent} is an archive and has no {path.name}: unpack it, and name a file."
        ) from None
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ProgramError(f"{path} cannot be read ({error}): unpack the archive.") from None


def _decode(path: Path, data: bytes) -> str:
    """Return the text, in the encoding the file itself declares (PEP 263), UTF-8 otherwise."""
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise ProgramError(
            f"{path}, line {line}, holds a NUL byte: it is no Python source, name another file."
        )
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except UnicodeDecodeError as error:
        raise ProgramError(
            f"{path} is not {error.encoding} text ({error.reason}): "
            "save it as UTF-8, or declare its encoding in the first line."
        ) from None
    except (SyntaxError, LookupError) as error:
        raise ProgramError(
            f"{path} cannot be decoded ({error}): "
            "save it as UTF-8, or declare its encoding in the first line."
        ) from None


def _check(path: Path, text: str) -> None:
    """Compile without running: also finds what a parser lets pass, as `return` in a module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f"{path}, line {error.lineno}" if error.lineno else f"{path}"
        raise ProgramError(f"{where}: {error.msg}; correct it and try again.") from None
    except (RecursionError, MemoryError):
        raise ProgramError(f"{path} is nested too deeply for Python: simplify it.") from None
