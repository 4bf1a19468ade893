"""Names and numbers in English: lists, counts, and how main exits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncsim.core.atoms import ActorId
from syncsim.core.state import State
from syncsim.core.words.lineage import signal_name


def names(state: State, actors: Sequence[ActorId]) -> str:
    """Return the actors' names as an English list."""
    return listing([state.actors[actor].name for actor in dict.fromkeys(actors)])


def listing(words: Sequence[str]) -> str:
    """Return an English list: ``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int, one: str, more: str = "") -> str:
    """Return ``1 state``, ``2,000 states``; ``more`` is a plural that takes no s."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def headline(what: str, codes: Iterable[int | None], *, perhaps: bool = False) -> str:
    """``finished; main exits with code 3``: ``what``, and main's exit codes unless all are 0.

    None is the code of a main that has not ended.  ``perhaps`` there are other codes, too.
    """
    exit_codes = {code for code in codes if code is not None}
    if not any(exit_codes):
        return what
    exits = [str(code) for code in sorted(exit_codes) if code >= 0]
    ways = [f"with code {' or '.join(exits)}"] if exits else []
    ways += [f"by {signal_name(-code)}" for code in sorted(exit_codes) if code < 0]
    return f"{what}; main {'may exit' if perhaps else 'exits'} {' or '.join(ways)}"
