"""What an event touches, which touches conflict, and which one needs the other.

Two touches of one thing *conflict* if their order matters: then both orders are visited.  One
*needs* another if it could not have been made before it: that is order, not a race, and there
is nothing to exchange.  What can also fail (a try, a timeout) needs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from msgspec import Struct

from syncsim.core.kinds import MANAGED
from syncsim.core.operation import Verb
from syncsim.virtual.model.automaton import AWAITED, Look, Request
from syncsim.virtual.model.data_atoms import GONE, Items
from syncsim.virtual.model.states import LIVES, Did, Move
from syncsim.virtual.model.system import System
from syncsim.virtual.model.transition import AWAITS, INVISIBLE

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
#: So many events are remembered by what was done.
_MOST_EVENTS = 100_000


def _table(*pairs: tuple[int, tuple[int, ...]]) -> list[int]:
    """For each kind of touch, a bit for each that it conflicts with."""
    table = [0] * _KINDS
    for one, others in pairs:
        for other in others:
            table[one] |= 1 << other
            table[other] |= 1 << one
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
#: What follows of itself and is order alone.
_ORDER = frozenset((PUT, FLUSH, JOIN, EXIT))
_LOOKS = {Look.ENDED: ASK, Look.HEEDED: READ, Look.TOLD: WRITE}
_GIVEN = frozenset((GIVE, GIVE_BOUNDED))
_TAKEN = frozenset((TAKE, TRY))
#: What goes through in any order.
STEADY = frozenset((READ, WRITE, STEP, EXIT, MEDDLE))


class Touch(NamedTuple):
    """A thing, what is done with it, and which of them it needs (see ``needed``)."""

    thing: int
    kind: int
    part: int


class Event(Struct, frozen=True):
    """One step of an execution: who was chosen, and all that was done at once.

    ``touches`` is what the actor touched, ``follow`` what others did of themselves thereby.  A
    ``fickle`` one may turn out otherwise in another order.
    """

    move: Move
    did: tuple[Did, ...]
    touches: tuple[Touch, ...]
    follow: tuple[tuple[Did, tuple[Touch, ...]], ...]
    fickle: bool


def event_of(move: Move, did: tuple[Did, ...], killable: Iterable[int] = ()) -> Event:
    """The event of that step; whoever is ``killable`` may be killed between any two."""
    actor = move.actor
    touches: list[Touch] = []
    follow: list[tuple[Did, tuple[Touch, ...]]] = []
    if actor in killable:
        touches.append(Touch(_life(actor), STEP, 0))
    first = True
    awaits = _await_of(actor, did)
    for at, one in enumerate(did):
        touched = _touches(one, first=first and not one.helper)
        touched += _with_others(one)
        if one.stopped is not None:
            touched.append(_stopped(*one.stopped))
        if one.helper:
            touches += touched
        elif at < awaits and (
            one.actor == actor or (one.request is None and one.verb is Verb.SEND)
        ):
            touches += touched
            first = first and not touched
        else:
            # What is no mere order counts as a part of this step.
            touches += [touch for touch in touched if touch.kind not in _ORDER]
            follow.append((one, tuple(touch for touch in touched if touch.kind in _ORDER)))
    touches = net(touches)
    kinds = [touch.kind for touch in touches if touch.kind not in STEADY]
    fickle = len(kinds) > 1 or not FICKLE.isdisjoint(kinds) or any(map(_reads_unseen, did))
    if kinds and not fickle and NEEDS[kinds[0]]:
        # What it needs may come after what it conflicts with otherwise.
        beside = {touch.kind for touch in touches} - {*kinds, EXIT}
        fickle = bool(beside - {STEP} or (beside and kinds[0] == JOIN))
    return Event(move, did, tuple(dict.fromkeys(touches)), tuple(follow), fickle)


def _reads_unseen(did: Did) -> bool:
    """Whether it reads under a lock: that decides what else is done, as in a Barrier."""
    return did.verb is Verb.READ and did.request is not None and did.request.silent


def net(touches: list[Touch]) -> list[Touch]:
    """What others can tell of a step that does those: it may give back what it takes, or take it
    again.
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


def _await_of(actor: int, did: tuple[Did, ...]) -> int:
    """From where on the actor did what it would have waited to do, had it not been so late.

    In another order that follows what somebody else does: it is no part of this step.
    """
    found = len(did)
    for at in reversed(range(1, len(did))):
        one = did[at]
        if one.actor == actor and not one.helper:
            if _is_within(one):
                break
            if one.verb in AWAITS or _is_awaited(one):
                found = at
            elif one.verb not in INVISIBLE:
                break
    return found


def _is_within(did: Did) -> bool:
    """Whether it was done because the call is a step as a whole: it could have stopped before."""
    request = did.request
    return (
        request is not None
        and request.operation.compound
        and not request.silent
        and not did.token
        and not did.helper
    )


def _is_awaited(did: Did) -> bool:
    """Whether that is a look at who is to be waited for if it has not ended."""
    request = did.request
    return did.verb is Verb.ALIVE and request is not None and request.operation.call == AWAITED


class Events:
    """The events of steps, each made once: the system often says the very same of one."""

    def __init__(self, system: System) -> None:
        self._mortal = system.killable
        self.discovered = system.discovered
        self._known: dict[int, Event] = {}

    def of(self, move: Move, did: tuple[Did, ...]) -> Event:
        """The event of that step."""
        event = self._known.get(id(did))
        if event is None or event.did is not did:
            event = event_of(move, did, self._mortal)
            if len(self._known) > _MOST_EVENTS:
                self._known.clear()
            self._known[id(did)] = event
        return event


_events: WeakKeyDictionary[System, Events] = WeakKeyDictionary()


def events_of(system: System) -> Events:
    """The events of that system's steps, as long as nothing new is discovered in it."""
    found = _events.get(system)
    if found is None or found.discovered != system.discovered:
        found = _events[system] = Events(system)
    return found


def _stopped(at: int, verb: Verb) -> Touch:
    """What a call could not go on with: in another order it would have."""
    if verb is Verb.JOIN:
        return Touch(_life(at), ASK, 0)
    kind = MISS if verb is Verb.ACQUIRE else ASK if verb is Verb.AWAIT else EMPTY
    return Touch(_thing(at), kind, 0)


def _with_others(did: Did) -> list[Touch]:
    """What that operation touches besides, where a Pool is about: what its threads look at.

    (What they do is done along with the step that lets them: it counts as a part of that.)
    """
    found = [Touch(_thing(outcome), EXIT, 0) for outcome in did.settled]
    for outcome, look in did.looked:
        told = look is not Look.ENDED
        found.append(Touch(_thing(outcome, 0 if told else -1), _LOOKS[look], 0))
    if did.meddles:
        found.append(Touch(_life(did.actor), MEDDLE, 0))
    if did.verb is Verb.START:
        found.append(Touch(_births(did.actor), WRITE, 0))
    if did.work >= 0 and not did.helper:
        assert did.request is not None
        role = did.request.operation.role
        if did.verb is Verb.SHUT_DOWN or (
            did.verb is Verb.ACQUIRE
            and role == "get lock"
            and did.request.operation.call == "Pool.terminate"
        ):
            found.append(Touch(_thing(did.work), WRITE, 0))
        elif did.verb is Verb.EXIT or (did.verb is Verb.SEND and role == "results"):
            found.append(Touch(_thing(did.work), READ, 0))
    return found


def _births(process: int) -> int:
    return 1 << 62 | process


def _life(actor: int) -> int:
    return -1 - actor


def _thing(atom: int, place: int = -1) -> int:
    return atom << 32 | place + 1


def _buffer(atom: int, process: int) -> int:
    return atom << 32 | 1 << 31 | process


def _touches(did: Did, *, first: bool) -> list[Touch]:
    """What that operation touches.  Only the ``first`` of a step is waited for."""
    verb, request, atom = did.verb, did.request, did.atom
    if request is None:
        if verb is Verb.SEND:
            return [
                Touch(_thing(atom), SEND, did.part),
                Touch(_buffer(atom, _process(did)), FEED, 0),
            ]
        return []
    if verb is Verb.PUT:
        return [Touch(_buffer(atom, did.actor), PUT, 0)]
    if verb is Verb.FLUSH:
        return [Touch(_buffer(atom, did.actor), FLUSH, 1)]
    if verb is Verb.EXIT:
        return [Touch(_life(did.actor), EXIT, 0), *_lost(did), *_closed(did)]
    if verb in LIVES and verb is not Verb.START:  # (a start is order alone)
        if verb is Verb.JOIN and not request.operation.can_time_out and not _is_within(did):
            return [Touch(_life(atom), JOIN, 1)]
        if verb is Verb.TERMINATE:
            return [Touch(_life(atom), KILL, 0), *_lost(did), *_closed(did), *_kept(did)]
        if _is_awaited(did):
            return [Touch(_life(atom), JOIN, 1)] if did.result is not None else []
        return [Touch(_life(atom), ASK, 0)]
    if verb is Verb.CLOSE:
        return _closed(did)
    if request.ready is not None:
        once = request.payload is None and request.operation.blocking
        waits = once and not request.operation.can_time_out and not _is_within(did)
        return [Touch(_thing(atom), JOIN if waits else ASK, 1)]
    if verb is Verb.CALL or verb is Verb.WAKE:
        return _served(did, request)
    served = request.operation.call.startswith(MANAGED)
    if did.own or (request.silent and verb is not Verb.WRITE and not served):
        return []
    if did.result == GONE:
        return [Touch(_thing(atom), LATE, 0)]
    tried = not first or not request.operation.blocking or request.operation.can_time_out
    match verb:
        case Verb.READ | Verb.WRITE:
            kind = READ if verb is Verb.READ else SET if request.silent else WRITE
            if isinstance(request.payload, Items):
                return [Touch(_thing(atom, place), kind, 0) for place in request.payload.places]
            return [Touch(_thing(atom), kind, 0)]
        case Verb.ACQUIRE:
            kind = MISS if did.result is False else TRY if tried else TAKE
        case Verb.RELEASE:
            kind = GIVE if not did.bounded else GIVE_BOUNDED if did.result is None else REFUSED
        case Verb.VALUE:
            kind = LOOK if did.part else MISS
        case Verb.SEND:
            kind = SEND
        case Verb.RECEIVE:
            kind = RECEIVE if did.result is not None else EOF
            if _is_within(did) and request.operation.blocking:
                return [Touch(_thing(atom), POLL, did.part), Touch(_thing(atom), kind, did.part)]
        case Verb.POLL:
            kind = AWAIT if not tried else POLL if did.result else EMPTY
        case _:
            return []
    return [Touch(_thing(atom), kind, did.part)]


def puts(every: Iterable[Did]) -> Counter[int]:
    """How often something was put into each buffer."""
    return Counter(_buffer(did.atom, did.actor) for did in every if did.verb is Verb.PUT)


def _process(did: Did) -> int:
    """Whose feeder did it."""
    assert isinstance(did.result, int)
    return did.result


def _lost(did: Did) -> list[Touch]:
    return [Touch(_life(feeder), KILL, 0) for feeder in did.lost]


def _served(did: Did, request: Request) -> list[Touch]:
    """A call on something that a server keeps, or one that shuts the server down."""
    if not request.operation.atom:
        return [Touch(_life(did.atom), EXIT, 0), *_kept(did)]
    if did.served is not None:
        kind = CALLED if did.served.counts else SEEN
    else:
        kind = LATE if did.result == GONE else KNOCK
    return [Touch(_thing(did.atom), kind, 0)]


def _kept(did: Did) -> list[Touch]:
    return [Touch(_thing(atom), VANISH, 0) for atom in did.kept]


def _closed(did: Did) -> list[Touch]:
    found = []
    for atom, reader, writer in did.closed:
        if reader:
            found.append(Touch(_thing(atom), CLOSE_READER, 0))
        if writer:
            found.append(Touch(_thing(atom), CLOSE_WRITER, 0))
    return found


def pending_event(system: System, actor: int, request: Request | None) -> Event:
    """What the actor (a feeder asks for nothing) would do if it could.

    It needs what has not happened yet.
    """
    if request is None:
        return Event(Move(actor), (), (), (), True)
    operation = request.operation
    kind = _PENDING.get(operation.verb)
    touches = (Touch(_thing(system.atoms[operation.atom]), kind, -1),) if kind is not None else ()
    return Event(Move(actor), (), touches, (), True)


_PENDING = {
    Verb.ACQUIRE: TAKE,
    Verb.RECEIVE: RECEIVE,
    Verb.POLL: AWAIT,
    Verb.WAKE: CALLED,
}


def dependent(one: Event, other: Event) -> bool:
    """Whether the order of the two matters, where both may be next (of different actors)."""
    for thing, kind, _ in one.touches:
        conflicts = CONFLICTS[kind]
        for another, touch, _ in other.touches:
            if thing == another and conflicts >> touch & 1:
                return True
    return False
