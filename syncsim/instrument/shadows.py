"""Modules of the program that are called like some that we have loaded: it gets its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import PathFinder

#: What Python itself had loaded before us.
at_start: set[str] = set()


def give_way(path: Sequence[str]) -> None:
    """Forget the modules in whose place an import finds others on this path.

    Those who have imported them keep them: the library and we.
    """
    library = os.path.dirname(os.__file__)
    for folder in path[: path.index(library) if library in path else len(path)]:
        for name in _loaded(folder):
            _forget(name, folder)


def _loaded(folder: str) -> Iterable[str]:
    """The names of what we have loaded that may lie in that folder, too."""
    ours = {name for name in sys.modules if "." not in name} - at_start
    try:
        return ours.intersection(entry.partition(".")[0] for entry in os.listdir(folder or "."))
    except NotADirectoryError:  # an archive
        return ours
    except OSError:
        return ()


def _forget(name: str, folder: str) -> None:
    loaded = getattr(sys.modules[name], "__spec__", None)  # (None may stand for a module there)
    found = PathFinder.find_spec(name, [folder])
    if loaded is None or found is None or found.loader is None:
        return  # (a folder alone is found after what is on the rest of the path)
    if not loaded.has_location or found.origin == loaded.origin:
        return
    is_ours = name == __name__.partition(".")[0]
    if is_ours and found.submodule_search_locations is not None:
        return  # a checkout of us: one half of each would be worse
    del sys.modules[name]
    if not is_ours:  # (ours are found by their whole names)
        for inner in [one for one in sys.modules if one.startswith(f"{name}.")]:
            del sys.modules[inner]
