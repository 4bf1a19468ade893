"""The line that tells on a terminal how far a search has come."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

from syncsim.core.words.listing import counted
from syncsim.explore.request import Report

#: Seconds after which a search that says nothing is taken to have stopped.
_STALE = 2.0


class Progress:
    """Draws the line, over and over in the same place; ``bound`` is in seconds."""

    def __init__(self, out: TextIO, bound: float) -> None:
        self._out = out
        self._bound = bound
        self._newest: dict[str, Report] = {}
        self._drawn = False

    def show(self, report: Report) -> None:
        """Show how far the search is now."""
        self._newest[report.search] = report
        if report.over:
            count = len(report.failures)
            self._draw("replaying what was found on real processes" if count else "")
        else:
            self._draw(line(self._telling(report), self._bound, _columns()))

    def _telling(self, report: Report) -> Report:
        """Return the report to show: of two searches that by states knows how much it knows."""
        for other in self._newest.values():
            if not other.executions and report.seconds - other.seconds < _STALE:
                return other
        return report

    def clear(self) -> None:
        """Leave nothing on the screen."""
        if self._drawn:
            self._draw("")

    def _draw(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}")
        self._out.flush()
        self._drawn = bool(text)


def is_wanted(*streams: TextIO) -> bool:
    """Return whether somebody looks: all are terminals, and one can go back in its line."""
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM") != "dumb"


def line(report: Report, bound: float, columns: int) -> str:
    """The line, as much of it as there is room for: what matters least comes last."""
    if report.executions:
        parts = [f"{report.search}: {counted(report.executions, 'execution')}"]
        if report.frontier:
            parts.append(f"{counted(report.frontier, 'branch', 'branches')} open")
    else:
        known = report.states + report.frontier
        parts = [
            f"{report.search}: {counted(report.states, 'state')}",
            f"{100 * report.states // max(1, known)}% of those known",
        ]
    parts += [
        f"{max(0.0, bound - report.seconds):.0f} s left",
        f"{report.transitions / report.seconds if report.seconds else 0:,.0f} steps/s",
        f"depth {report.depth:,}",
    ]
    told = ", ".join(parts)
    while len(told) > columns and len(parts) > 1:
        parts.pop()
        told = ", ".join(parts)
    return told[:columns]


def _columns() -> int:
    """One less than there are: a full line would begin the next one."""
    return shutil.get_terminal_size().columns - 1
