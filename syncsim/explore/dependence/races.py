"""Races of processes for atoms, and the *data races* among them.

Two steps race for an atom if in some state either may be next and both are about it.  A data
race is one for shared memory, where one of the two writes and no lock is taken by both: nothing
orders them.  That is what vector clocks look for: were one ordered before the other by a lock, a
message, a start or a join, they would never both be next; and if nothing does, then what must
come before each leads to a state where both are (Boehm, Adve: "Foundations of the C++ concurrency
memory model", PLDI 2008, on data races of type 1 and 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from syncsim.core.operation import Site, Verb
from syncsim.core.transition_system import Move
from syncsim.virtual.model.data_atoms import Items
from syncsim.virtual.model.states import Did

_DATA = frozenset((Verb.READ, Verb.WRITE))
_CONTESTED = _DATA | {Verb.ACQUIRE, Verb.SEND, Verb.RECEIVE, Verb.POLL}
#: What nobody can tell the order of, where both are about one atom.
_ALIKE = (
    {Verb.READ},
    {Verb.POLL},
    {Verb.SEND, Verb.RECEIVE},
)
#: The two places in the source.
Sites: TypeAlias = frozenset[Site | None]


class DataRace(NamedTuple):
    """Two accesses that nothing orders: those of the last two ``moves``."""

    moves: tuple[Move, ...]
    one: Did
    other: Did


class Races:
    """The actors that raced for each atom, and the first data race of each two places."""

    def __init__(self) -> None:
        self.contested: dict[int, set[int]] = {}
        self.data: dict[Sites, DataRace] = {}

    def among(
        self, out: Iterable[tuple[int, Move, tuple[Did, ...]]], way: Callable[[], tuple[Move, ...]]
    ) -> None:
        """Those edges lead from one state, and that is the way to it."""
        seen: dict[int, list[tuple[Move, list[Did]]]] = {}
        for _, move, did in out:
            uses = _uses(move, did)
            for atom in {use.atom for use in uses}:
                before = seen.setdefault(atom, [])
                for other, theirs in before:
                    self._meet(atom, other, theirs, move, uses, way)
                before.append((move, uses))

    def between(
        self,
        one: Move,
        did: tuple[Did, ...],
        other: Move,
        done: tuple[Did, ...],
        way: Callable[[], tuple[Move, ...]],
    ) -> None:
        """Either of the two might have been next after that way."""
        self.among(((0, one, did), (0, other, done)), way)

    def _meet(
        self,
        atom: int,
        one: Move,
        mine: list[Did],
        other: Move,
        theirs: list[Did],
        way: Callable[[], tuple[Move, ...]],
    ) -> None:
        pairs = [
            (first, then)
            for first in mine
            for then in theirs
            if first.atom == then.atom == atom and _conflict(first, then)
        ]
        if not pairs:
            return
        self.contested.setdefault(atom, set()).update((one.actor, other.actor))
        if pairs[0][0].verb not in _DATA or _locks(mine) & _locks(theirs):
            return
        for first, then in pairs:
            sites = frozenset((_site(first), _site(then)))
            if sites not in self.data:
                self.data[sites] = DataRace((*way(), one, other), first, then)


def _uses(move: Move, did: tuple[Did, ...]) -> list[Did]:
    """Return the operations of a step on something that somebody else may want to use."""
    return [
        one
        for one in did
        if one.verb in _CONTESTED
        and not one.helper
        and one.actor == move.actor
        and not (one.own or (one.request is not None and one.request.silent))
    ] + [one for one in did if one.served is not None and one.actor == move.actor]


def _conflict(one: Did, other: Did) -> bool:
    if {one.verb, other.verb} in _ALIKE:
        return False
    if one.served is not None and other.served is not None:
        return one.served.counts or other.served.counts
    if one.verb not in _DATA:
        return True
    assert one.request is not None
    assert other.request is not None
    mine, theirs = one.request.payload, other.request.payload
    if isinstance(mine, Items) and isinstance(theirs, Items):
        return not set(mine.places).isdisjoint(theirs.places)
    return True


def _locks(uses: list[Did]) -> set[int]:
    """Return the locks taken within the step: by the call, the one that guards a Value is."""
    return {one.atom for one in uses if one.verb is Verb.ACQUIRE and one.result is True}


def _site(did: Did) -> Site | None:
    return did.request.operation.site if did.request is not None else None
