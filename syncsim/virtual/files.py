"""Files: what processes write there they share past every primitive.

They are the real ones.  In which order they are written and read is no operation, so where one is
both, that is noted: no order of operations decides what may have been read.
"""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Hashable
from typing import Any

from syncsim.virtual.body import chances, current
from syncsim.virtual.procfs import refuse

#: What nobody can foresee, for a person.
_CONTENTS = "what is in files that it writes"
#: By path, which processes have opened it so.
_readers: dict[str, set[Hashable]] = {}
_writers: dict[str, set[Hashable]] = {}


def open_file(file: Any, mode: str = "r", *others: Any, **keywords: Any) -> Any:
    """``open`` for a process."""
    refuse(file)
    body = current()
    if body is not None and isinstance(file, str | bytes | os.PathLike):
        _note(os.path.abspath(os.fsdecode(file)), body.who.key, mode)
    return builtins.open(file, mode, *others, **keywords)


def _note(path: str, process: Hashable, mode: str) -> None:
    readers, writers = _readers.setdefault(path, set()), _writers.setdefault(path, set())
    if set(mode) & set("wax+"):
        writers.add(process)
    if "r" in mode or "+" in mode:
        readers.add(process)
    if len(writers) > 1 or (writers and readers):
        chances.add(_CONTENTS)


def watch() -> None:
    """Has those watched, too, that are opened by the standard library, such as by a ``Path``."""
    vars(io)["open"] = open_file
