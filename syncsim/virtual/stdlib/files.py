"""Files: what processes do there they share past every primitive.

They are the real ones.  In which order they are written and read is no operation, so where one
process writes and another looks, that is noted: no order of operations decides what it has seen.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
from collections.abc import Callable, Hashable
from typing import Any

from syncsim.virtual.process.body import chances, current
from syncsim.virtual.stdlib.procfs import LOOKS, refuse

#: What nobody can foresee, for a person.
_CONTENTS = "what is in files that it writes"
#: Of ``os``: what changes a path, or two.
_CHANGES = ("mkdir", "rmdir", "unlink", "remove", "utime", "truncate", "mkfifo", "chmod")
_CHANGES_BOTH = ("rename", "replace", "link", "symlink")
#: By path, which processes have looked at it, or changed it.
_readers: dict[str, set[Hashable]] = {}
_writers: dict[str, set[Hashable]] = {}


def open_file(file: Any, mode: str = "r", *others: Any, **keywords: Any) -> Any:
    """``open`` for a process."""
    refuse(file)
    kinds = set(mode)
    _note(file, reads=bool(kinds & set("r+")), writes=bool(kinds & set("wax+")))
    return builtins.open(file, mode, *others, **keywords)


def _note(path: Any, *, reads: bool = False, writes: bool = False) -> None:
    body = current()
    if body is None or not isinstance(path, str | bytes | os.PathLike):
        return
    name = os.path.abspath(os.fsdecode(path))
    readers, writers = _readers.setdefault(name, set()), _writers.setdefault(name, set())
    if reads:
        readers.add(body.who.key)
    if writes:
        writers.add(body.who.key)
    if writers and len(readers | writers) > 1:
        chances.add(_CONTENTS)


def _noting(real: Callable[..., Any], paths: int, *, writes: bool) -> Callable[..., Any]:
    @functools.wraps(real)
    def call(*arguments: Any, **keywords: Any) -> Any:
        for path in arguments[:paths]:
            _note(path, reads=not writes, writes=writes)
        return real(*arguments, **keywords)

    return call


def watch() -> None:
    """Has that watched, too, which is done by the standard library, such as by a ``Path``."""
    vars(io)["open"] = open_file
    for names, paths in ((LOOKS, 1), (_CHANGES, 1), (_CHANGES_BOTH, 2)):
        for name in names:
            real = getattr(os, name)
            vars(os)[name] = _noting(real, paths, writes=names is not LOOKS)
