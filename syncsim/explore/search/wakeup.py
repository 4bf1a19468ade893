"""Wakeup trees: what is to be explored from a place, and the words that grow them.

Abdulla, Aronis, Jonsson, Sagonas, JACM 64(4), 2017, section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from syncsim.core.transition_system import Move
from syncsim.explore.dependence.relation import CONFLICTS, Event, dependent


class Branch:
    """A node of a wakeup tree: an event, and what is to be explored after it, in order.

    The event is not known before it has been explored, where any would do.
    """

    __slots__ = ("children", "event", "move")

    def __init__(self, move: Move, event: Event | None, children: list[Branch]) -> None:
        self.move = move
        self.event = event
        self.children = children


class Awake(Protocol):
    """A place from which something is explored."""

    sleep: dict[Move, Event]
    children: list[Branch]


class Word(Struct, frozen=True):
    """An event among others: its own bit, and a bit for each of those that come before it."""

    event: Event
    bit: int
    past: int


class Words:
    """Events that could follow one another from some place, with the order among them."""

    __slots__ = ("_bits", "_of", "_touched", "_words")

    def __init__(self, words: Iterable[Word] = ()) -> None:
        self._words: list[Word] = []
        self._of: dict[int, list[Word]] = {}  # those of each actor that are left
        self._bits = 0  # of all that are left
        self._touched: dict[int, int] | None = None
        for word in words:
            self.add(word)

    @property
    def left(self) -> tuple[Word, ...]:
        """Those that were not left out, in their order."""
        bits = self._bits
        return tuple([word for word in self._words if bits & word.bit])

    def add(self, word: Word) -> None:
        """The next one."""
        actor = word.event.move.actor
        self._words.append(word)
        self._bits |= word.bit
        if actor in self._of:
            self._of[actor].append(word)
        else:
            self._of[actor] = [word]

    def may_begin_with(self, first: Event) -> bool:
        """Return whether an execution that goes on like this can as well begin with that event."""
        own = self._of.get(first.move.actor)
        if own:
            return own[0].past & self._bits == own[0].bit
        touched = self._touched
        if touched is None:
            touched = self._touched = {}
            for word in self.left:
                for thing, kind, _ in word.event.touches:
                    touched[thing] = touched.get(thing, 0) | 1 << kind
        return not any(touched.get(thing, 0) & CONFLICTS[kind] for thing, kind, _ in first.touches)

    def covered_by(self, sleep: Mapping[Move, Event]) -> bool:
        """Return whether such an execution can begin with an event that has been explored."""
        return any(self.may_begin_with(one) for one in sleep.values())

    def leave_out(self, actor: int) -> bool:
        """Without the first event of that actor, if there is one; whether any is left."""
        own = self._of.get(actor)
        if own:
            self._bits &= ~own.pop(0).bit
            self._touched = None
        return bool(self._bits)


def still_asleep(sleep: Mapping[Move, Event], event: Event) -> dict[Move, Event]:
    """Return the events that need not be explored after that event either."""
    actor = event.move.actor
    return {
        move: one
        for move, one in sleep.items()
        if move.actor != actor and not dependent(one, event)
    }


def insert(place: Awake, words: Words) -> None:
    """Make sure that an execution which goes on from ``place`` by ``words`` is explored."""
    if words.covered_by(place.sleep):
        return
    children = place.children
    while True:
        for child in children:
            assert child.event is not None
            if words.may_begin_with(child.event):
                if not words.leave_out(child.event.move.actor) or not child.children:
                    return
                children = child.children
                break
        else:
            for word in words.left:
                branch = Branch(word.event.move, word.event, [])
                children.append(branch)
                children = branch.children
            return
