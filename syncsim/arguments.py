"""Parsers of the command line, and the kinds of their arguments."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

#: The blanks that a line begins with, or, where it has two columns, the first of them.
_BEFORE_THE_TEXT = re.compile(r" *(?:usage: |(?:\S+ )*\S+ {2,})?")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Wraps all help to the width of the terminal, below the column in which a line's text is."""

    def format_help(self) -> str:
        lines = super().format_help().split("\n")
        return "\n".join(wrapped for line in lines for wrapped in self._wrapped(line))

    def _wrapped(self, line: str) -> list[str]:
        if len(line) <= self._width:
            return [line]
        indent = len(_BEFORE_THE_TEXT.match(line)[0])  # type: ignore[index]
        if indent > self._width // 2:
            indent = 2
        return textwrap.wrap(line, self._width, subsequent_indent=" " * indent)


class Parser(argparse.ArgumentParser):
    """A parser that refuses by one sentence; ``fill`` adds the options when they are wanted."""

    def __init__(self, *, fill: Callable[[Parser], None] | None = None, **keywords: Any) -> None:
        super().__init__(formatter_class=_Help, **keywords)
        self.color = False  # (from 3.14 on there is one, and a line's length would count it)
        self._fill = fill

    def parse_known_args(self, *arguments: Any, **keywords: Any) -> Any:
        """Read the words, once all options are there."""
        if self._fill is not None:
            fill, self._fill = self._fill, None
            fill(self)
        known, rest = super().parse_known_args(*arguments, **keywords)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return known, rest

    def error(self, message: str) -> NoReturn:
        """Say it in one sentence, and where to find more."""
        from syncsim.terminal import complain

        complain(f"{message}. Try {self.prog} --help.")
        sys.exit(2)


def positive(text: str) -> int:
    """Read a whole number above zero."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above zero")
    return number


def nearest(word: str, candidates: Sequence[str]) -> str | None:
    """Return the candidate that was probably meant: it begins so, or is spelled nearly so."""
    from difflib import get_close_matches  # only somebody who mistyped waits for it

    spelled = {
        candidate.lower(): candidate for candidate in reversed(candidates) if candidate != word
    }
    begin_so = [lower for lower in spelled if lower.startswith(word.lower()) and len(word) > 2]
    found = get_close_matches(word.lower(), begin_so or spelled, n=1, cutoff=0 if begin_so else 0.6)
    return spelled[found[0]] if found else None
