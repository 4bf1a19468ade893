"""Foresight: what may still come of a run, and of each choice that is offered."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Choice


class Outlook(StrEnum):
    """The outlook: what every continuation has in common."""

    SAFE = "safe"  # none fails
    OPEN = "open"  # some fail, some do not: it can still go either way
    DOOMED = "doomed"  # every one fails


class Foreseen(Struct, frozen=True):
    """The foresight after some choices of a run.

    ``fails`` are the kinds of failure that can still come.  ``doomed_after`` is after how many
    choices the point of no return was passed; None: it was not.
    """

    outlook: Outlook
    fails: tuple[Verdict, ...] = ()
    doomed_after: int | None = None
    choices: tuple[tuple[Choice, Outlook], ...] = ()
    """Every choice that is offered, and what may come of it."""
