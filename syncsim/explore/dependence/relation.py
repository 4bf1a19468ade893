"""The dependence relation: kinds of touches, which of them conflict, and which need another.

A *footprint* is what a step touches: things, and what is done with each.  Two touches of one thing
*conflict* if their order matters: then both orders are visited.  One *needs* another if it could
not have been made before it: that is order, not a race, and there is nothing to exchange.  What can
also fail (a try, a timeout) needs nothing.

Both worlds say in these words what their steps touch (``explore.virtual.events``, ``footprints``);
which kind of touch an operation on an atom is, stands here (``KIND_OF``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move

(
    READ, WRITE, SET,  # a cell; one SET under a lock may be read without it
    TAKE, TRY, MISS, GIVE, GIVE_BOUNDED, REFUSED, LOOK,  # a semaphore; a TRY might have missed
    SEND, RECEIVE, AWAIT, POLL, EMPTY, EOF, CLOSE_WRITER, CLOSE_READER,  # a pipe
    PUT, FEED, FLUSH,  # the buffer of a process before a pipe
    STEP, EXIT, KILL, ASK, JOIN,  # a life, or an outcome; ASK is what can be answered either way
    CALLED, SEEN, KNOCK, LATE, VANISH,  # what a server keeps; with its server it vanishes
    MEDDLE,  # with the memory of a process, by a thread of the library that runs its code
) = range(32)  # fmt: skip
_KINDS = 32


def _table(*pairs: tuple[int, tuple[int, ...]]) -> list[int]:
    """Return for each kind of touch a bit for each that it conflicts with."""
    table = [0] * _KINDS
    for kind, others in pairs:
        for other in others:
            table[kind] |= 1 << other
            table[other] |= 1 << kind
    return table


CONFLICTS = _table(
    (WRITE, (READ, WRITE)),
    (SET, (READ,)),
    (TAKE, (TAKE, TRY, MISS, GIVE_BOUNDED, LOOK)),
    (TRY, (TRY, MISS, GIVE, GIVE_BOUNDED, LOOK)),
    (GIVE, (GIVE, MISS, LOOK)),
    (GIVE_BOUNDED, (GIVE_BOUNDED, MISS, LOOK)),
    (REFUSED, (TAKE, TRY, GIVE_BOUNDED)),
    (SEND, (SEND, POLL, EMPTY, CLOSE_READER)),
    (RECEIVE, (RECEIVE, AWAIT, POLL, EMPTY, EOF)),
    (CLOSE_WRITER, (POLL, EMPTY)),
    (KILL, (STEP, EXIT, ASK)),
    (EXIT, (ASK,)),
    (CALLED, (CALLED, SEEN)),
    (VANISH, (CALLED, SEEN, KNOCK, LATE)),
    (VANISH, (TAKE, TRY, MISS, GIVE, GIVE_BOUNDED, REFUSED, LOOK)),
    (MEDDLE, (STEP,)),
)
#: The same where the one comes first: after a miss nothing can be taken until something is given.
RACES = list(CONFLICTS)
RACES[TAKE] &= ~(1 << MISS)
RACES[RECEIVE] &= ~(1 << EMPTY)
NEEDS = [0] * _KINDS
NEEDS[TAKE] = 1 << GIVE | 1 << GIVE_BOUNDED
NEEDS[RECEIVE] = NEEDS[AWAIT] = 1 << SEND
NEEDS[EOF] = 1 << CLOSE_WRITER
NEEDS[FEED] = 1 << PUT
NEEDS[FLUSH] = 1 << FEED
NEEDS[JOIN] = 1 << EXIT | 1 << KILL
#: Those that need the one that is so many from the latest (as ``Touch.part`` says).
COUNTED = frozenset((TAKE, FEED, FLUSH, JOIN))
#: For each kind, those that come after everything before them that it conflicts with.
STOPS = [
    sum(
        1 << stop
        for stop in range(_KINDS)
        if RACES[kind] >> stop & 1 and not RACES[kind] & ~CONFLICTS[stop]
    )
    for kind in range(_KINDS)
]
#: What may turn out otherwise in another order.
FICKLE = frozenset(
    (TRY, MISS, GIVE_BOUNDED, REFUSED, LOOK, POLL, EMPTY, ASK, CALLED, SEEN, KNOCK, LATE)
)
_GIVEN = frozenset((GIVE, GIVE_BOUNDED))
_TAKEN = frozenset((TAKE, TRY))
#: What goes through in any order.
STEADY = frozenset((READ, WRITE, STEP, EXIT, MEDDLE))


class Touch(NamedTuple):
    """A thing, what is done with it, and which of the needed ones (``COUNTED``) it needs."""

    thing: int
    kind: int
    part: int


class Follower(NamedTuple):
    """An actor that went on of itself in a step of another one; ``born`` is one that began."""

    actor: int
    born: bool
    touches: tuple[Touch, ...]


class Event(Struct, frozen=True):
    """One step of an execution: who was chosen, and the footprint of all that was done at once.

    ``did`` is what was done, as the system that it was done in tells it.  ``touches`` is what the
    actor touched, ``follow`` what others did of themselves thereby.  A ``fickle`` event may turn
    out otherwise in another order.
    """

    move: Move
    did: tuple[Any, ...]
    touches: tuple[Touch, ...]
    follow: tuple[Follower, ...]
    fickle: bool


class Outcome(Struct, frozen=True, gc=False):
    """The outcome of an operation on an atom, as far as both worlds know it.

    It was ``tried`` if it could also have failed: a try, one with a time limit, one that is not the
    first of its step.  It was ``done`` if it took a unit, gave one, or found a message; a semaphore
    is ``bounded`` if a release may be refused, and had ``units`` before.
    """

    tried: bool = False
    done: bool = True
    bounded: bool = False
    units: int = 0


def _of_acquire(outcome: Outcome) -> int:
    if not outcome.done:
        return MISS
    return TRY if outcome.tried else TAKE


def _of_release(outcome: Outcome) -> int:
    if not outcome.done:
        return REFUSED
    return GIVE_BOUNDED if outcome.bounded else GIVE


def _of_value(outcome: Outcome) -> int:
    return LOOK if outcome.units else MISS


def _of_receive(outcome: Outcome) -> int:
    return RECEIVE if outcome.done else EOF


def _of_poll(outcome: Outcome) -> int:
    if not outcome.tried:
        return AWAIT
    return POLL if outcome.done else EMPTY


#: The kind of touch that an operation is on a semaphore, a pipe or a cell, by its outcome.
KIND_OF: Mapping[Verb, Callable[[Outcome], int]] = {
    Verb.ACQUIRE: _of_acquire,
    Verb.RELEASE: _of_release,
    Verb.VALUE: _of_value,
    Verb.SEND: lambda _: SEND,
    Verb.RECEIVE: _of_receive,
    Verb.POLL: _of_poll,
    Verb.READ: lambda _: READ,
    Verb.WRITE: lambda _: WRITE,
}
#: The kind of touch of an operation that waits, were it to go on.
KIND_OF_PENDING: Mapping[Verb, int] = {
    Verb.ACQUIRE: TAKE,
    Verb.RECEIVE: RECEIVE,
    Verb.POLL: AWAIT,
    Verb.WAKE: CALLED,
}


def life(actor: int) -> int:
    """Return the thing that is the life of an actor."""
    return -1 - actor


def may_turn_out_otherwise(kinds: Sequence[int]) -> bool:
    """Return whether a step with touches of those kinds may touch otherwise in another order."""
    return len(kinds) > 1 or not FICKLE.isdisjoint(kinds)


def net(touches: list[Touch]) -> list[Touch]:
    """Return what others can tell of a step that touches those.

    A step may give back what it takes, or take it again.
    """
    if len(touches) < 2:
        return touches
    found: list[Touch | None] = []
    given: dict[int, list[int]] = {}
    taken: dict[int, int] = {}
    for touch in touches:
        thing, kind, _ = touch
        if kind in _GIVEN:
            if taken.get(thing):
                taken[thing] -= 1
                continue
            given.setdefault(thing, []).append(len(found))
        elif kind in _TAKEN:
            if given.get(thing):
                # It goes from hand to hand; it could only have been refused.
                at = given[thing].pop()
                found[at] = _not_refused(found[at])
                continue
            taken[thing] = taken.get(thing, 0) + 1
        found.append(touch)
    return [touch for touch in found if touch is not None]


def _not_refused(given: Touch | None) -> Touch | None:
    if given is None or given.kind == GIVE:
        return None
    return given._replace(kind=LOOK if given.part else MISS)


def dependent(one: Event, other: Event) -> bool:
    """Return whether the order of two events of different actors matters, if both may be next."""
    for thing, kind, _ in one.touches:
        conflicts = CONFLICTS[kind]
        for another, touch, _ in other.touches:
            if thing == another and conflicts >> touch & 1:
                return True
    return False
