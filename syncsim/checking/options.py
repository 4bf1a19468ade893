"""The request to a search, and which of its wishes can do something there."""

from __future__ import annotations

import os
from collections.abc import Iterable

from syncsim.explore.bounds import SAMPLERS, SEARCHES, USUAL
from syncsim.explore.properties.properties import Property, pack
from syncsim.explore.request import Request
from syncsim.program.source import Program


def request_for(
    program: Program,
    *,
    search: str,
    grain: str | None,
    real: bool,
    first: bool,
    seed: int | None,
    max_states: int,
    max_depth: int | None,
    timeout: float,
    jobs: int | None,
    properties: Iterable[Property],
) -> Request:
    """The request; None is what nobody has asked for.

    Raises ``ValueError`` for what there is not, or what would do nothing, and ``PropertyError``
    for what is no property.
    """
    claims = tuple(properties)
    for word, words in ((search, SEARCHES), (grain or "atom", ("atom", "call"))):
        if word not in words:
            raise ValueError(f"{word!r} is none of {', '.join(words)}")
    if real and search not in ("exhaustive", "dpor"):
        raise ValueError(f"real has no search {search}: it visits one execution of each class")
    if seed is not None and search not in SAMPLERS:
        raise ValueError(
            f"a seed is for a search by samples ({', '.join(SAMPLERS)}): {search} draws nothing"
        )
    if max_depth is not None and search == "dpor" and not real:
        raise ValueError("dpor has no bound on the depth: it follows each execution to its end")
    if jobs is not None and jobs > 1:
        if real:
            raise ValueError("real takes no jobs: one process searches, a run at a time")
        if search not in ("exhaustive", "dpor"):
            raise ValueError(f"{search} takes no jobs: one process does it all")
        if claims:
            raise ValueError("properties take no jobs: one process judges them")
    return Request(
        str(program.path),
        program.arguments,
        program.start_method,
        search=search,
        by_call=(grain or ("call" if real else "atom")) == "call",
        real=real,
        first=first,
        seed=seed or 0,
        states=max_states,
        depth=USUAL.depth if max_depth is None else max_depth,
        seconds=timeout,
        jobs=jobs if jobs is not None else _cores(),
        properties=pack(claims),
    )


def _cores() -> int:
    """Return the number of processors that may be used."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
