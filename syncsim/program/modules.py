"""Where the source of a module is, found without running any of it.

(``importlib.util.find_spec`` would import the packages that the module is in.)
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def find_source(name: str) -> Path | None:
    """Return the file that ``python -m name`` runs from the current directory; None without one.

    A package stands for the ``__main__`` inside it.
    """
    spec = _find(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _find(f"{name}.__main__")
    if spec is None or not spec.has_location or not (spec.origin or "").endswith(".py"):
        return None
    return Path(spec.origin or "").absolute()


def _find(name: str) -> ModuleSpec | None:
    top, *inner = name.split(".")
    path = [os.getcwd(), *sys.path[1:]]
    spec = PathFinder.find_spec(top, path) or _by_other_means(top)
    for tail in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        # By its last name alone: a finder that is told its package wants that imported.
        spec = PathFinder.find_spec(tail, list(spec.submodule_search_locations)) if tail else None
    return spec


def _by_other_means(top: str) -> ModuleSpec | None:
    """Return what the finder of somebody else says, such as that of a package under development."""
    for finder in sys.meta_path:
        spec = finder.find_spec(top, None) if top else None
        if spec is not None:
            return spec
    return None
