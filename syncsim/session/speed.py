"""Speeds of playing: a ladder from one step in two seconds up to flat out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

#: Says how late it is, in seconds.
Clock: TypeAlias = Callable[[], float]

#: Whether each frame has to go over a network.
SLOW_LINE = "SSH_CONNECTION" in os.environ

#: Steps per second; None is flat out.
LADDER: tuple[float | None, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60, 125, 250, 500, 1000, None)

#: Where one begins: slow enough to follow with the eye.
FIRST = LADDER.index(4)

#: Up to so many steps per second one can look closely at a process, and see things move.
CALM = 8

#: Seconds that a thing moves at the most, and of the time between two steps what part.
_LONGEST = 0.3
_SHARE = 0.75


def travel(speed: float | None) -> float:
    """Seconds that a thing moves at so many steps per second (None: flat out); 0: not at all."""
    return min(_LONGEST, _SHARE / speed) if speed is not None and speed <= CALM else 0.0


def spoken(speed: float | None) -> str:
    """The speed in a few characters."""
    if speed is None:
        return "flat out"
    return "½/s" if speed == 0.5 else f"{speed:g}/s"
