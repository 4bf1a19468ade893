"""The modules of the standard library that are wrapped.

Their types say, rightly, that nobody assigns to their methods; to us they are ``Any``.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


def _module(name: str) -> Any:
    """The module; an empty one where there is none: nothing is found in it (see ``presence``)."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return ModuleType(name)


class _Later:
    """A module that only some programs import: what is asked of it is asked once it is there."""

    def __init__(self, name: str) -> None:
        vars(self)["_syncsim_name"] = name

    def __getattr__(self, name: str) -> Any:
        return getattr(_module(vars(self)["_syncsim_name"]), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_module(vars(self)["_syncsim_name"]), name, value)


c_module = _module("_multiprocessing")
connection = _module("multiprocessing.connection")
context = _module("multiprocessing.context")
forkserver = _module("multiprocessing.forkserver")
futures: Any = _Later("concurrent.futures._base")
futures_process: Any = _Later("concurrent.futures.process")
pool = _module("multiprocessing.pool")
popen_fork = _module("multiprocessing.popen_fork")
popen_forkserver = _module("multiprocessing.popen_forkserver")
popen_spawn = _module("multiprocessing.popen_spawn_posix")
posix_subprocess = _module("_posixsubprocess")
process = _module("multiprocessing.process")
queues = _module("multiprocessing.queues")
reduction = _module("multiprocessing.reduction")
sharedctypes = _module("multiprocessing.sharedctypes")
spawn = _module("multiprocessing.spawn")
synchronize = _module("multiprocessing.synchronize")
util = _module("multiprocessing.util")
