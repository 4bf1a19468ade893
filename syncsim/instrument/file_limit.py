"""Room for open files: a run costs us some for each of the program's processes.

We take all that the system allows us; what the program is allowed stays as it was.
"""

from __future__ import annotations

import contextlib
import resource

#: How many files this process might have open when it began, which is what it hands on.
_usual = resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def make_room() -> int:
    """Allows this process as many open files as it can have; how many it might have before."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS knows a lower bound of its own
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return _usual


def leave_room(usual: int) -> None:
    """Allows this process, and whoever is born from it, no more open files than that."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))
