"""The processes of one run, as ``/proc`` has them: also those whose parents are gone (Linux)."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

#: How interpreters are called; with what comes behind: 3, 3.14, 3.14t.
_PYTHON = re.compile(r"(python|pypy)[\d.]*[a-z]?", re.IGNORECASE)


class Entry(NamedTuple):
    """A process: its name is that of the file that it runs, at most 15 letters of it."""

    pid: int
    name: str
    state: str
    parent: int
    session: int
    began: int


def has_tree() -> bool:
    """Return whether the processes of a run can be found at all."""
    return os.path.exists("/proc/self/stat")


def entry(pid: int | str) -> Entry | None:
    """Return what the kernel says of that process; None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            before, _, after = file.read().rpartition(")")
        fields = after.split()
        name = before.partition("(")[2]
        return Entry(int(pid), name, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def family(stage: Entry, mark: str, before: Collection[Entry]) -> list[Entry]:
    """Return the processes that came from that stage, oldest first.

    They are of its session, children of others, were so ``before``, or have the ``mark`` in their
    environment, or among the words that they were started with.
    """
    try:
        found = [entry(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    known = {(one.pid, one.began) for one in before}
    ours = {stage.pid}
    members = []
    for one in sorted(filter(None, found), key=lambda one: (one.began, one.pid)):
        if one.began < stage.began or one.pid == os.getpid():
            continue
        related = one.session == stage.pid or one.parent in ours or one.pid == stage.pid
        if related or (one.pid, one.began) in known or _has(one.pid, mark.encode()):
            ours.add(one.pid)
            members.append(one)
    return members


def _has(pid: int, mark: bytes) -> bool:
    for file in ("environ", "cmdline"):
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{pid}/{file}").read_bytes():
                return True
    return False


def words_of(pid: int) -> list[str]:
    """Return the words that the process was started with; none where they cannot be had."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return words.decode("utf-8", "replace").removesuffix("\0").split("\0") if words else []


def file_of(one: Entry) -> str:
    """Return the file that the process runs; of one that has ended the name alone."""
    try:
        return os.readlink(f"/proc/{one.pid}/exe").removesuffix(" (deleted)")
    except OSError:
        return one.name


@lru_cache(maxsize=256)
def is_python(file: str) -> bool:
    """Return whether that file is an interpreter of Python, by its name or because it runs us."""
    if _PYTHON.fullmatch(os.path.basename(file)):
        return True
    return file in (sys.executable, os.path.realpath(sys.executable))
