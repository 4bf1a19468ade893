"""The Pythons that syncsim was tried with."""

from __future__ import annotations

import sys

#: Their minor versions; `.ci/run`, the README and `pyproject.toml` name them.
TRIED = ((3, 11), (3, 12), (3, 13), (3, 14), (3, 15))

#: The one that runs us, in words.
THIS = f"Python {sys.version_info.major}.{sys.version_info.minor}"


def is_tried() -> bool:
    """Return whether the Python that runs us is one of those that were tried."""
    return sys.version_info[:2] in TRIED
