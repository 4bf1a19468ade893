"""See, step and check how the processes of a Python program synchronize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncsim.checking import Checked, check

__version__ = "0.1.0"
__all__ = ["Checked", "__version__", "check"]


def __getattr__(name: str) -> Any:
    """``check`` is imported when it is first asked for: the command line starts without it."""
    if name in ("check", "Checked"):
        from syncsim import checking

        return getattr(checking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
