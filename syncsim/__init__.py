"""See, step and check how the processes of a Python program synchronize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncsim.checking import Checked, check
    from syncsim.explore.properties import always, eventually, never, sometimes

__version__ = "0.1.0"
__all__ = ["Checked", "__version__", "always", "check", "eventually", "never", "sometimes"]


def __getattr__(name: str) -> Any:
    """The check is imported when it is first asked for: the command line starts without it."""
    if name in ("check", "Checked"):
        from syncsim import checking

        return getattr(checking, name)
    if name in ("always", "eventually", "never", "sometimes"):
        from syncsim.explore import properties

        return getattr(properties, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
