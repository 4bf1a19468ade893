"""Processes that are started past the virtual world: by a package that has the real modules.

Whoever is installed, and not a module of the program, imports the real ``multiprocessing``.  What
it starts there no search would see, and it would run outside of it: so it is refused.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from multiprocessing import util
from typing import Any

from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.process.body import current


def refuse() -> None:
    """Refuse that a virtual process forks, or starts an interpreter."""
    vars(os)["fork"] = _refusing(os.fork)
    vars(util)["spawnv_passfds"] = _refusing(vars(util)["spawnv_passfds"])


def _refusing(real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def start(*arguments: Any, **keywords: Any) -> Any:
        if current() is not None:
            raise NotVirtualError("multiprocessing inside an installed package")
        return real(*arguments, **keywords)

    return start
