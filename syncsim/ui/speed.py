"""How fast to play: a ladder from one step in two seconds up to flat out."""

from __future__ import annotations

#: Steps per second; None is flat out.
LADDER: tuple[float | None, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60, 125, 250, 500, 1000, None)

#: Where one begins: slow enough to follow with the eye.
FIRST = LADDER.index(4)


def spoken(speed: float | None) -> str:
    """The speed in a few characters."""
    if speed is None:
        return "flat out"
    return "½/s" if speed == 0.5 else f"{speed:g}/s"
