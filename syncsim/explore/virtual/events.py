"""The events of the virtual world: the footprint of what a move did, by verb."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from syncsim.core.kinds import MANAGED, Role
from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.explore.dependence.relation import (
    ASK,
    CALLED,
    CLOSE_READER,
    CLOSE_WRITER,
    EMPTY,
    EXIT,
    FEED,
    FLUSH,
    JOIN,
    KILL,
    KIND_OF,
    KIND_OF_PENDING,
    KNOCK,
    LATE,
    MEDDLE,
    MISS,
    NEEDS,
    POLL,
    PUT,
    READ,
    SEEN,
    SEND,
    SET,
    STEADY,
    STEP,
    VANISH,
    WRITE,
    Event,
    Follower,
    Outcome,
    Touch,
    life,
    may_turn_out_otherwise,
    net,
)
from syncsim.virtual.model.automaton import AWAITED, Look, Request
from syncsim.virtual.model.data_atoms import GONE, Items
from syncsim.virtual.model.states import Did
from syncsim.virtual.model.transition import AWAITS, INVISIBLE

#: Kinds that follow of themselves and are order alone.
_ORDER = frozenset((PUT, FLUSH, JOIN, EXIT))
_LOOKS = {Look.ENDED: ASK, Look.HEEDED: READ, Look.TOLD: WRITE}


def event_of(move: Move, did: tuple[Did, ...], killable: Iterable[int] = ()) -> Event:
    """Return the event of that step; whoever is ``killable`` may be killed between any two."""
    actor = move.actor
    touches: list[Touch] = []
    follow: list[Follower] = []
    if actor in killable:
        touches.append(Touch(life(actor), STEP, 0))
    first = True
    awaits = _await_of(actor, did)
    for place, operation in enumerate(did):
        touched = _footprint(operation, first=first and not operation.helper)
        touched += _with_others(operation)
        if operation.stopped is not None:
            touched.append(_stopped(*operation.stopped))
        if operation.helper:
            touches += touched
        elif place < awaits and (
            operation.actor == actor or (operation.request is None and operation.verb is Verb.SEND)
        ):
            touches += touched
            first = first and not touched
        else:
            # What is no mere order counts as a part of this step.
            touches += [touch for touch in touched if touch.kind not in _ORDER]
            order = tuple([touch for touch in touched if touch.kind in _ORDER])
            follow.append(Follower(operation.actor, operation.verb is Verb.BORN, order))
    touches = net(touches)
    fickle = _is_fickle(touches) or any(map(_reads_unseen, did))
    return Event(move, did, tuple(dict.fromkeys(touches)), tuple(follow), fickle)


def _is_fickle(touches: list[Touch]) -> bool:
    """Return whether a step with those touches may turn out otherwise in another order."""
    kinds = [touch.kind for touch in touches if touch.kind not in STEADY]
    if may_turn_out_otherwise(kinds):
        return True
    if not kinds or not NEEDS[kinds[0]]:
        return False
    # What it needs may come after what it conflicts with otherwise.
    others = {touch.kind for touch in touches} - {*kinds, EXIT}
    return bool(others - {STEP} or (others and kinds[0] == JOIN))


def pending_event(actor: int, request: Request | None, atoms: Mapping[str, int]) -> Event:
    """Return what the actor (a feeder asks for nothing) would do if it could.

    The event needs what has not happened yet.
    """
    touches: tuple[Touch, ...] = ()
    if request is not None:
        operation = request.operation
        kind = KIND_OF_PENDING.get(operation.verb)
        if kind is not None:
            touches = (Touch(_thing(atoms[operation.atom]), kind, -1),)
    return Event(Move(actor), (), touches, (), True)


def puts(every: Iterable[Did]) -> Counter[int]:
    """Return how often something was put into each buffer."""
    return Counter(_buffer(did.atom, did.actor) for did in every if did.verb is Verb.PUT)


def _reads_unseen(did: Did) -> bool:
    """Return whether it reads under a lock: that decides what else is done, as in a Barrier."""
    return did.verb is Verb.READ and did.request is not None and did.request.silent


def _await_of(actor: int, did: tuple[Did, ...]) -> int:
    """Return from where on the actor did what it would have waited to do, had it not been so late.

    In another order that follows what somebody else does: it is no part of this step.
    """
    begins = len(did)
    for place in reversed(range(1, len(did))):
        operation = did[place]
        if operation.actor == actor and not operation.helper:
            if _is_within(operation):
                break
            if operation.verb in AWAITS or _is_awaited(operation):
                begins = place
            elif operation.verb not in INVISIBLE:
                break
    return begins


def _is_within(did: Did) -> bool:
    """Return whether it was done as the call is a step as a whole: it could have stopped before."""
    request = did.request
    return (
        request is not None
        and request.operation.compound
        and not request.silent
        and not did.token
        and not did.helper
    )


def _is_awaited(did: Did) -> bool:
    """Return whether it is a look at who is to be waited for if it has not ended."""
    request = did.request
    return did.verb is Verb.ALIVE and request is not None and request.operation.call == AWAITED


def _stopped(waits_for: int, verb: Verb) -> Touch:
    """Return the touch of what a call could not go on with: in another order it would have."""
    if verb is Verb.JOIN:
        return Touch(life(waits_for), ASK, 0)
    kind = MISS if verb is Verb.ACQUIRE else ASK if verb is Verb.AWAIT else EMPTY
    return Touch(_thing(waits_for), kind, 0)


def _with_others(did: Did) -> list[Touch]:
    """Return what that operation touches besides, where a Pool is about: what its threads look at.

    (What they do is done along with the step that lets them: it counts as a part of that.)
    """
    touches = [Touch(_thing(outcome), EXIT, 0) for outcome in did.settled]
    for outcome, look in did.looked:
        told = look is not Look.ENDED
        touches.append(Touch(_thing(outcome, 0 if told else -1), _LOOKS[look], 0))
    if did.meddles:
        touches.append(Touch(life(did.actor), MEDDLE, 0))
    if did.verb is Verb.START:
        touches.append(Touch(_births(did.actor), WRITE, 0))
    if did.work >= 0 and not did.helper:
        assert did.request is not None
        role = did.request.operation.role
        if did.verb is Verb.SHUT_DOWN or (
            did.verb is Verb.ACQUIRE
            and role == Role.GET_LOCK
            and did.request.operation.call == "Pool.terminate"
        ):
            touches.append(Touch(_thing(did.work), WRITE, 0))
        elif did.verb is Verb.EXIT or (did.verb is Verb.SEND and role == Role.RESULTS):
            touches.append(Touch(_thing(did.work), READ, 0))
    return touches


def _births(process: int) -> int:
    return 1 << 62 | process


def _thing(atom: int, place: int = -1) -> int:
    return atom << 32 | place + 1


def _buffer(atom: int, process: int) -> int:
    return atom << 32 | 1 << 31 | process


# -- footprints by verb -----------------------------------------------------------------


def _footprint(did: Did, *, first: bool) -> list[Touch]:
    """Return what the operation touches.  Only the ``first`` of a step is waited for."""
    if did.request is None:
        return _of_feeder(did)
    footprint = _FOOTPRINTS.get(did.verb)
    if footprint is not None:
        return footprint(did, did.request)
    if did.request.ready is not None:
        return _of_task_outcome(did, did.request)
    return _of_atom(did, did.request, first=first)


def _of_feeder(did: Did) -> list[Touch]:
    if did.verb is not Verb.SEND:
        return []
    assert isinstance(did.result, int)  # whose feeder it is
    sent = Touch(_thing(did.atom), SEND, did.part)
    return [sent, Touch(_buffer(did.atom, did.result), FEED, 0)]


def _of_put(did: Did, request: Request) -> list[Touch]:
    return [Touch(_buffer(did.atom, did.actor), PUT, 0)]


def _of_flush(did: Did, request: Request) -> list[Touch]:
    return [Touch(_buffer(did.atom, did.actor), FLUSH, 1)]


def _of_exit(did: Did, request: Request) -> list[Touch]:
    return [Touch(life(did.actor), EXIT, 0), *_lost(did), *_closed(did)]


def _of_join(did: Did, request: Request) -> list[Touch]:
    if request.operation.can_time_out or _is_within(did):
        return [Touch(life(did.atom), ASK, 0)]
    return [Touch(life(did.atom), JOIN, 1)]


def _of_alive(did: Did, request: Request) -> list[Touch]:
    if not _is_awaited(did):
        return [Touch(life(did.atom), ASK, 0)]
    return [Touch(life(did.atom), JOIN, 1)] if did.result is not None else []


def _of_terminate(did: Did, request: Request) -> list[Touch]:
    return [Touch(life(did.atom), KILL, 0), *_lost(did), *_closed(did), *_vanished(did)]


def _of_close(did: Did, request: Request) -> list[Touch]:
    return _closed(did)


def _of_call(did: Did, request: Request) -> list[Touch]:
    """Return what a call touches on something of a manager, or one that shuts its server down."""
    if not request.operation.atom:
        return [Touch(life(did.atom), EXIT, 0), *_vanished(did)]
    if did.served is not None:
        kind = CALLED if did.served.counts else SEEN
    else:
        kind = LATE if did.result == GONE else KNOCK
    return [Touch(_thing(did.atom), kind, 0)]


def _of_task_outcome(did: Did, request: Request) -> list[Touch]:
    operation = request.operation
    once = request.payload is None and operation.blocking
    waits = once and not operation.can_time_out and not _is_within(did)
    return [Touch(_thing(did.atom), JOIN if waits else ASK, 1)]


def _of_atom(did: Did, request: Request, *, first: bool) -> list[Touch]:
    """Return what an operation touches on a semaphore, a pipe or a cell."""
    verb, operation = did.verb, request.operation
    kind_of = KIND_OF.get(verb)
    if kind_of is None or did.own:
        return []
    if request.silent and verb is not Verb.WRITE and not operation.call.startswith(MANAGED):
        return []
    thing = _thing(did.atom)
    if did.result == GONE:
        return [Touch(thing, LATE, 0)]
    tried = not first or not operation.blocking or operation.can_time_out
    kind = kind_of(Outcome(tried, _is_done(did), did.bounded, did.part))
    if kind == WRITE and request.silent:
        kind = SET
    if isinstance(request.payload, Items):
        return [Touch(_thing(did.atom, place), kind, 0) for place in request.payload.places]
    touch = Touch(thing, kind, did.part)
    if verb is Verb.RECEIVE and operation.blocking and _is_within(did):
        return [touch._replace(kind=POLL), touch]
    return [touch]


def _is_done(did: Did) -> bool:
    if did.verb is Verb.RELEASE:
        return not did.bounded or did.result is None
    return did.result is not None and did.result is not False


def _lost(did: Did) -> list[Touch]:
    return [Touch(life(feeder), KILL, 0) for feeder in did.lost]


def _vanished(did: Did) -> list[Touch]:
    return [Touch(_thing(atom), VANISH, 0) for atom in did.kept]


def _closed(did: Did) -> list[Touch]:
    touches = []
    for atom, reader, writer in did.closed:
        if reader:
            touches.append(Touch(_thing(atom), CLOSE_READER, 0))
        if writer:
            touches.append(Touch(_thing(atom), CLOSE_WRITER, 0))
    return touches


_FOOTPRINTS: Mapping[Verb, Callable[[Did, Request], list[Touch]]] = {
    Verb.PUT: _of_put,
    Verb.FLUSH: _of_flush,
    Verb.EXIT: _of_exit,
    Verb.JOIN: _of_join,
    Verb.ALIVE: _of_alive,
    Verb.TERMINATE: _of_terminate,
    Verb.CLOSE: _of_close,
    Verb.CALL: _of_call,
    Verb.WAKE: _of_call,
}
