"""See, step and check how the processes of a Python program synchronize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncsim.checking import Checked, check
    from syncsim.explore.checker import CheckError
    from syncsim.explore.properties.properties import (
        PropertyError,
        always,
        eventually,
        never,
        sometimes,
    )
    from syncsim.program.source import ProgramError

__version__ = "0.1.0"
__all__ = [
    "CheckError",
    "Checked",
    "ProgramError",
    "PropertyError",
    "__version__",
    "always",
    "check",
    "eventually",
    "never",
    "sometimes",
]
#: Where the names are.  They are imported when first asked for: the command line starts without.
_ROOMS = {
    "CheckError": "syncsim.explore.checker",
    "Checked": "syncsim.checking",
    "ProgramError": "syncsim.program.source",
    "PropertyError": "syncsim.explore.properties.properties",
    "always": "syncsim.explore.properties.properties",
    "check": "syncsim.checking",
    "eventually": "syncsim.explore.properties.properties",
    "never": "syncsim.explore.properties.properties",
    "sometimes": "syncsim.explore.properties.properties",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ROOMS[name]), name)
