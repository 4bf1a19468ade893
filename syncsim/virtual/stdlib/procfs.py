"""``/proc``: a process of the virtual world has no place there, and what lies there is not its own.

Its pid is nobody's, or that of somebody who has nothing to do with the program.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from syncsim.virtual.errors import NotVirtualError

_PLACE = "/proc"
#: What looks at a path: of ``os``, and of ``os.path``.
LOOKS = ("listdir", "scandir", "stat", "lstat", "readlink", "access")
_ASKS = ("exists", "lexists", "isfile", "isdir", "islink")


def refuse(path: object) -> None:
    """Raise NotVirtualError for a path under ``/proc``."""
    if isinstance(path, str | bytes | os.PathLike):
        name = os.fsdecode(path)
        if name == _PLACE or name.startswith(f"{_PLACE}/"):
            raise NotVirtualError(f"{name[:80]} (the operating system's view of a process)")


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def look(path: Any = ".", *others: Any, **keywords: Any) -> Any:
        refuse(path)
        return real(path, *others, **keywords)

    look.__name__ = real.__name__
    return look


def guard(module: ModuleType) -> None:
    """Puts ours in the place of what looks at paths in a copy of ``os``."""
    path = ModuleType(os.path.__name__)
    vars(path).update(vars(os.path))
    for where, real, names in ((module, os, ("open", *LOOKS)), (path, os.path, _ASKS)):
        vars(where).update({name: _guarded(getattr(real, name)) for name in names})
    vars(module)["path"] = path
