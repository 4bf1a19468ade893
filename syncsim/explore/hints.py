"""Hints for a search that came to no verdict: one line each, in words of the command line."""

from __future__ import annotations

from syncsim.core.pythons import THIS
from syncsim.explore.bounds import SAMPLERS
from syncsim.explore.request import Request

ON_REAL_PROCESSES = "With --real it is searched on real processes, which takes longer."
LESS_TO_COMPUTE = "What it computes between two operations has to take less: try a smaller input."
MORE_TIME = "--timeout gives it more time: what it computes is run before it can be searched."
LESS_MEMORY = "Try a smaller input, or --search portfolio: samples need no memory of the states."
WITH_A_SEED = "With a seed (random.seed) it draws the same numbers each time."
THE_SAME_EACH_TIME = (
    "It has to do the same each time: give random numbers a seed, put files back as they were."
)
#: Where nothing was seen that could be proven: of a search on real processes, and of another.
OTHER_ARGUMENTS = "If it needs arguments to start its processes, give them after --."
OR_REAL_PROCESSES = f"{OTHER_ARGUMENTS} {ON_REAL_PROCESSES}"
SLOWER = f"The frames of this {THIS} cannot be read: a check takes longer, and visits more states."
_BY_STATES = "Take --search graph: states can be exhausted where executions cannot."


def about(limit: str, request: Request) -> str:
    """Return a hint how to go beyond the limit that a search has met."""
    if request.search in SAMPLERS:
        return "Samples prove nothing: only --search exhaustive, the default, visits everything."
    if limit.endswith((" second", " seconds")):
        option = "--timeout"
    elif limit.startswith("the search by executions"):
        return _BY_STATES
    elif limit.startswith(("a depth of", "executions of")):
        if request.search == "dpor" and not request.real:
            return _BY_STATES
        option = "--max-depth"
    elif limit.endswith((" state", " states", " step", " steps")):
        option = "--max-states"
    else:
        return ""
    ways = [f"{option} raises the bound"]
    if not request.by_call:
        ways.append("--grain call makes fewer states")
    if not request.real:
        ways.append("--search portfolio samples what is too large")
    return f"{', '.join(ways)}."
