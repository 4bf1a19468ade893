"""The schedulers, which pick the next process: round robin, random, or a replay."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from syncsim.core.faults import possible, why_not
from syncsim.core.schedule import Choice, Grain, Move, format_schedule, parse_schedule
from syncsim.core.state import State


class Scheduler(Protocol):
    """A policy; ``name`` is how one asks for it on the command line."""

    @property
    def name(self) -> str:
        """The name by which a person asks for the scheduler."""
        ...

    @property
    def grain(self) -> Grain | None:
        """At what grain it must be offered the next choices; None: at any."""
        ...

    def choose(self, state: State, choices: Sequence[Choice]) -> Choice | None:
        """Return one of ``choices``, or None: it does not want to go on, or there are none.

        A schedule may also ask for a fault.
        """
        ...

    def made(self, choice: Choice) -> None:
        """Take note of a choice made without asking: by hand, or because a feeder had to go on."""
        ...


class ReplayError(Exception):
    """The schedule asks for what this run does not offer."""


class RoundRobin:
    """Everyone in turn, in order of birth; time runs out only when nobody can move."""

    name = "round-robin"
    grain = None

    def __init__(self) -> None:
        self._last = -1

    def choose(self, state: State, choices: Sequence[Choice]) -> Choice | None:
        """Return the next choice after the last that went."""
        if not choices:
            return None
        going = [choice for choice in choices if choice.move is Move.GO] or list(choices)
        later = [choice for choice in going if choice.actor > self._last]
        chosen = (later or going)[0]
        self._last = chosen.actor
        return chosen

    def made(self, choice: Choice) -> None:
        """Ignore the choice: it goes on after the one that it picked itself."""


class Random:
    """Anyone who may go, each with the same chance, from ``seed``; time runs out one time in ten.

    The same seed on the same program gives the same schedule.
    """

    grain = None

    def __init__(self, seed: int = 0) -> None:
        self.name = f"random:{seed}"
        self._random = random.Random(seed)

    def choose(self, state: State, choices: Sequence[Choice]) -> Choice | None:
        """Return a choice at random."""
        if not choices:
            return None
        going = [choice for choice in choices if choice.move is Move.GO]
        if len(going) == len(choices) or (going and self._random.random() >= 0.1):
            return self._random.choice(going)
        return self._random.choice([choice for choice in choices if choice.move is not Move.GO])

    def made(self, choice: Choice) -> None:
        """Ignore the choice: its next pick is as much by chance as before."""


class Replay:
    """A given schedule, choice by choice; at its end, or once it was left, it wants no more."""

    def __init__(self, schedule: str | Sequence[Choice]) -> None:
        """Raise ``ScheduleError`` for a string that is no schedule."""
        self.schedule = parse_schedule(schedule) if isinstance(schedule, str) else tuple(schedule)
        self._at = 0

    @property
    def name(self) -> str:
        """The schedule itself."""
        return f"replay:{format_schedule(self.schedule)}"

    @property
    def grain(self) -> Grain | None:
        """That of the next choice of the schedule."""
        return self.schedule[self._at].grain if self._at < len(self.schedule) else None

    def choose(self, state: State, choices: Sequence[Choice]) -> Choice | None:
        """Return the next choice of the schedule; raises ``ReplayError`` if it is not offered.

        None also where nobody can go, and the next choice is no fault: somebody may come back
        from outside.
        """
        if self._at >= len(self.schedule):
            return None
        wanted = self.schedule[self._at]
        if wanted.move.is_fault:
            offered: Sequence[Choice] = possible(state)
        elif choices:
            offered = choices
        else:
            return None
        if wanted not in offered:
            raise ReplayError(self._why_not(state, wanted))
        self._at += 1
        return wanted

    def made(self, choice: Choice) -> None:
        """Follow the schedule if the choice is its next one; else leave the schedule."""
        keeps = self.schedule[self._at : self._at + 1] == (choice,)
        self._at = self._at + 1 if keeps else len(self.schedule)

    def _why_not(self, state: State, wanted: Choice) -> str:
        exists = wanted.actor < len(state.actors)
        name = state.actors[wanted.actor].name if exists else f"process {wanted.actor}"
        why = "which cannot go there"
        if exists and wanted.move.is_fault:
            why = f"but {why_not(state, state.actors[wanted.actor], wanted.move).rstrip('.')}"
        return (
            f"the schedule cannot be followed: its choice {self._at + 1} is "
            f"{format_schedule([wanted])} ({name}), {why}; it may belong to another program"
        )


def scheduler_named(text: str) -> Scheduler:
    """Return the scheduler asked for by ``round-robin``, ``random`` or ``random:SEED``.

    Raises ValueError with a sentence for anything else.
    """
    kind, colon, rest = text.partition(":")
    if kind == "round-robin" and not colon:
        return RoundRobin()
    if kind == "random":
        if not colon:
            return Random()
        if rest.isascii() and rest.removeprefix("-").isdigit():
            return Random(int(rest))
        raise ValueError(f"the seed in {text!r} must be a whole number, such as random:7")
    raise ValueError(
        f"there is no scheduler {text!r}: choose os, round-robin, random, random:SEED or replay"
    )
