"""Goals of puzzles: what counts as reaching one, for every front end.

A goal to *watch* is reached when everybody has finished.  A goal to *break* is reached by the
verdict that the puzzle names, and only by a person: a scheduler that comes to it by chance has
won nothing.  The par is the fewest steps known, by call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.live import Diagnosed
from syncsim.core.state import State
from syncsim.puzzles.catalogue import Goal


class Result(NamedTuple):
    """A verdict of a run, and what it means for the goal."""

    verdict: Diagnosed
    reached: bool | None = None
    """Whether the person has reached the goal by it; None where there is no goal."""
    by: str = ""
    """The one who came to the goal instead of the person; empty where nobody did."""


def is_reached(goal: Goal, verdict: Verdict | None, state: State) -> bool:
    """Return whether a run that ends with that verdict in that state is at the goal."""
    if any(actor.killed for actor in state.actors):  # that is not the program's own doing
        return False
    return verdict == (Verdict.FINISHED if goal.kind == "watch" else goal.verdict)


def result_of(
    goal: Goal | None,
    verdicts: Sequence[Diagnosed],
    state_after: Callable[[int], State],
    picked_by: str,
) -> Result | None:
    """Return the verdict that is the goal, once it is reached, or the newest one.

    ``state_after`` gives the state after so many steps; ``picked_by`` is who has picked the
    steps, empty where the person picked some of them.
    """
    if not verdicts:
        return None
    if goal is None:
        return Result(verdicts[-1])
    for verdict in verdicts:
        if is_reached(goal, verdict.diagnosis.verdict, state_after(verdict.n)):
            by = picked_by if goal.kind == "break" else ""
            return Result(verdict, not by, by)
    return Result(verdicts[-1], reached=False)
