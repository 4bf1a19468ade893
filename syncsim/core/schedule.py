"""Schedules: the choices that produced a run, as a short string that can be pasted.

A letter is a process in order of birth (``a`` is the main process, ``_27_`` the one with
number 27), a number after it repeats it: ``a5b2cab3``.  A capital letter (``B``, ``_x27_``) is
a choice by atom: one operation inside a call, as under the X-ray.  A mark says that it makes
another move than to go on (see ``Move``): ``b@t`` lets the pending call of ``b`` time out,
``b@k`` kills ``b``.  The string needs no quotes in a shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import groupby

from msgspec import Struct

#: The most choices that a schedule may have.
LONGEST = 10_000_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class ScheduleError(ValueError):
    """A schedule string that cannot be read; the message says where and why."""


class Move(StrEnum):
    """A move: what happens to the chosen actor; the value is its mark in a schedule.

    The last four are *faults*: the person's doing, which no scheduler ever picks by itself.
    """

    GO = ""
    TIME_OUT = "t"
    KILL = "k"
    TERMINATE = "e"  # as in end: t is taken
    STOP = "s"
    CONTINUE = "c"

    @property
    def is_fault(self) -> bool:
        """The move is done to the process, and not by it."""
        return self in FAULTS


#: The moves that are faults, in the order in which they are offered.
FAULTS = (Move.KILL, Move.TERMINATE, Move.STOP, Move.CONTINUE)


class Grain(StrEnum):
    """At what size one steps."""

    CALL = "call"  # until the call is over, or must wait
    ATOM = "atom"  # one operation: the X-ray


class Choice(Struct, frozen=True, order=True, gc=False):
    """Which actor is next, and what happens: its pending operation, unless ``move`` says else.

    ``grain`` is how far it goes; a fault has the grain of what is around it.
    """

    actor: int
    move: Move = Move.GO
    grain: Grain = Grain.CALL


def format_schedule(choices: Iterable[Choice]) -> str:
    """Return the choices as a schedule string."""
    return "".join(
        _token(choice) + (str(count) if (count := sum(1 for _ in same)) > 1 else "")
        for choice, same in groupby(choices)
    )


def parse_schedule(text: str) -> tuple[Choice, ...]:
    """Return the choices that a schedule string stands for; raises ``ScheduleError``."""
    choices: list[Choice] = []
    for choice, count in _parse("".join(text.split())):
        if len(choices) + count > LONGEST:
            raise ScheduleError(f"the schedule is longer than {LONGEST:,} choices")
        choices += [choice] * count
    return tuple(choices)


def _token(choice: Choice) -> str:
    return _process(choice) + (f"@{choice.move}" if choice.move else "")


def _process(choice: Choice) -> str:
    by_atom = choice.grain is Grain.ATOM
    if choice.actor < len(LETTERS):
        letter = LETTERS[choice.actor]
        return letter.upper() if by_atom else letter
    return f"_{'x' if by_atom else ''}{choice.actor}_"


_TOKEN = re.compile(r"(?:([a-zA-Z])|_(x?)([0-9]{1,6})_)(?:@([tkesc]))?([0-9]{1,7})?")


def _parse(text: str) -> Iterator[tuple[Choice, int]]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            raise ScheduleError(
                f"the schedule cannot be read at character {position + 1} ({text[position]!r}): "
                "expected a letter for a process, such as in a5b2cab3"
            )
        letter, xrayed, number, mark, count = token.groups()
        actor = LETTERS.index(letter.lower()) if letter else int(number)
        grain = Grain.ATOM if xrayed or (letter and letter.isupper()) else Grain.CALL
        yield Choice(actor, Move(mark or ""), grain), int(count or 1)
        position = token.end()
