"""Probes for modules that only some programs import: they are wrapped when that happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class _Finder:
    """Finds a module as ever, and has it wrapped once it has been run."""

    def __init__(self) -> None:
        self.waiting: dict[str, Callable[[Any], None]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that we wait for; None for all others."""
        install = self.waiting.pop(fullname, None)
        spec = PathFinder.find_spec(fullname, path) if install else None
        if install is None or spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        real = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            real(module)
            install(module)

        loader.exec_module = exec_module
        return spec


_finder = _Finder()


def when_imported(name: str, install: Callable[[Any], None]) -> None:
    """Call ``install`` with the module: now, if it has been imported, else when it is."""
    module = sys.modules.get(name)
    if module is not None:
        install(module)
        return
    _finder.waiting[name] = install
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
