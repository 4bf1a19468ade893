"""The discoveries of a search: facts about a program that only grow, and restart the search.

A search takes a step at once where nobody else can tell its time.  Such a step turns out to be one
to be ordered when a fact is met that says so: somebody looks whether a process has ended, reads a
cell without its lock, holds one end of a pipe alone.  What was explored before relied on less, so
all is explored anew once ``number`` has grown.

Facts are told by numbers, which are those of one ``System``; searches in several processes tell
them to each other by name (``NamedDiscoveries``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from syncsim.virtual.model.states import Name, PlaceOfData


class NamedDiscoveries(NamedTuple):
    """The same facts by name: see the attributes of ``Discoveries`` that are called so."""

    exit_observed: frozenset[Name] = frozenset()
    killable: frozenset[Name] = frozenset()
    half_open: frozenset[str] = frozenset()
    counting: frozenset[str] = frozenset()
    read_unlocked: frozenset[str] = frozenset()
    truncatable: frozenset[str] = frozenset()

    def union(self, other: NamedDiscoveries) -> NamedDiscoveries:
        """Return the facts of both."""
        both = (mine | theirs for mine, theirs in zip(self, other, strict=True))
        return NamedDiscoveries(*both)  # type: ignore[arg-type]


class Discoveries:
    """The facts that were met in one system, and those that are expected from elsewhere."""

    __slots__ = (
        "_by_kind", "_expected", "_unmet", "counting", "exit_observed", "half_open", "killable",
        "places", "read_unlocked", "truncatable",
    )  # fmt: skip

    def __init__(self) -> None:
        #: Processes whose end somebody looks at, so that it is a step to be ordered.
        self.exit_observed: set[int] = set()
        #: Processes that somebody may kill, or run code in; feeders whose process may end before
        #: they have sent everything.
        self.killable: set[int] = set()
        #: Pipes of which somebody has one end alone, and so can meet the end of the other.
        self.half_open: set[int] = set()
        #: Queues of a manager of which somebody wants to know how many tasks are unfinished.
        self.counting: set[int] = set()
        #: Cells that are written under a lock, and that somebody reads without it.
        self.read_unlocked: set[int] = set()
        #: Pipes of queues in which the end of a process may leave half a message.
        self.truncatable: set[int] = set()
        #: Data that states hold besides because a property looks at it; no process could tell.
        self.places: set[PlaceOfData] = set()
        #: The sets in the order of the fields of ``NamedDiscoveries``.
        self._by_kind: tuple[set[int], ...] = tuple(
            [getattr(self, kind) for kind in NamedDiscoveries._fields]
        )
        self._expected = NamedDiscoveries()
        #: How many of the expected facts are about actors and atoms that were not met yet.
        self._unmet = 0

    @property
    def number(self) -> int:
        """Return how many facts are known; a search begins again when the number has grown."""
        return self._unmet + self._met + len(self.places)

    @property
    def _met(self) -> int:
        return sum(map(len, self._by_kind))

    def named(
        self, name_of_actor: Callable[[int], Name], name_of_atom: Callable[[int], str]
    ) -> NamedDiscoveries:
        """Return all that is known, by name."""
        met = (
            frozenset(map(name_of_actor if kind in _OF_ACTORS else name_of_atom, numbers))
            for kind, numbers in zip(NamedDiscoveries._fields, self._by_kind, strict=True)
        )
        return self._expected.union(NamedDiscoveries(*met))  # type: ignore[arg-type]

    def expect(self, expected: NamedDiscoveries) -> None:
        """Know those facts, whose actors and atoms are told by ``meet_actor``, ``meet_atom``."""
        self._expected = expected
        self._unmet = sum(map(len, expected)) - self._met

    def meet_actor(self, actor: int, name: Callable[[int], Name]) -> None:
        """Note what is expected of a new actor."""
        if self._expected.exit_observed or self._expected.killable:
            self._meet(actor, name(actor), _OF_ACTORS)

    def meet_atom(self, atom: int, name: str) -> None:
        """Note what is expected of a new atom."""
        self._meet(atom, name, _OF_ATOMS)

    def _meet(self, number: int, name: Hashable, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            numbers: set[int] = getattr(self, kind)
            if name in getattr(self._expected, kind) and number not in numbers:
                numbers.add(number)
                self._unmet -= 1


_OF_ACTORS = ("exit_observed", "killable")
_OF_ATOMS = tuple(kind for kind in NamedDiscoveries._fields if kind not in _OF_ACTORS)
