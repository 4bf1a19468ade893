"""The searches by their names, and how far each may go."""

from __future__ import annotations

from typing import NamedTuple

#: What the search on real processes is called in a report.
REAL = "real"
#: The names of the searches by samples, and of all searches.
SAMPLERS = ("random", "urw", "pos", "pct", "portfolio")
SEARCHES = ("graph", "dpor", "exhaustive", *SAMPLERS)


def search_for(kind: str) -> str:
    """The search that properties are judged in where ``kind`` is asked for; empty if in none."""
    if kind in SAMPLERS:
        return kind
    return "graph" if kind in ("exhaustive", "graph") else ""


class Bounds(NamedTuple):
    """The bounds of a search: states (or executions), steps in a row, seconds.

    So many of the seconds are ``gone`` when it begins.
    """

    states: int = 2_000_000
    depth: int = 10_000
    seconds: float = 60.0
    gone: float = 0.0


#: How far it goes unless one says otherwise.
USUAL = Bounds()
