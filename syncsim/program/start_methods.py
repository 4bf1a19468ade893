"""The start method: how a program's processes begin where the program does not say so itself."""

from __future__ import annotations

from syncsim.core.words.listing import listing
from syncsim.program.source import Program

#: How the command line asks for one.
OPTION = "--start-method"


def checked(method: str) -> str:
    """Return ``method``; raises ``ValueError`` with a sentence where this platform has it not."""
    from multiprocessing import get_all_start_methods  # only for who asks: it takes its time

    methods = get_all_start_methods()
    if method not in methods:
        raise ValueError(
            f"{method!r} is no start method of this platform, which has {listing(sorted(methods))}"
        )
    return method


def in_force(program: Program) -> str:
    """Return the method that was asked for, or else the default of this Python."""
    from multiprocessing import get_all_start_methods

    return program.start_method or get_all_start_methods()[0]


def replayed(schedule: str, method: str) -> str:
    """Return the schedule, followed by the option that its replay needs if one was asked for."""
    return f"{schedule} {OPTION} {method}" if method else schedule
