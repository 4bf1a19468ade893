"""The waits of a state, in words a student understands.

Short, present tense, the process is the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from syncsim.core.atoms import ActorId, Atom, Channel, Semaphore
from syncsim.core.kinds import Role, part_name
from syncsim.core.operation import Operation, Verb
from syncsim.core.schedule import Grain
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.listing import names
from syncsim.core.words.managed import intention
from syncsim.core.words.pools import at_a_pool, what_it_does_at_a_pool


class Wait(Struct, frozen=True):
    """The wait of a blocked actor: the thing, the whole as a clause, and those it waits on."""

    what: str
    clause: str
    on: tuple[ActorId, ...] = ()


def waiting_for(state: State, actor: Actor) -> Wait | None:
    """Return what the actor waits for, and on whom; None where its pending operation may go."""
    return wait_of(state, actor) if state.blocked(actor) else None


def wait_of(state: State, actor: Actor) -> Wait:
    """Return the wait of an actor whose pending operation would block."""
    operation = actor.pending
    assert operation is not None
    if operation.verb is Verb.JOIN:
        target = state.by_pid(operation.atom)
        name = target.name if target else operation.detail
        ending = (target.id,) if target else ()
        return Wait(name, f"waits for {name} to end", ending)
    if operation.verb is Verb.WAIT_ANY:
        return Wait(operation.detail, f"waits for any of {operation.detail}")
    primitive = state.primitives.get(operation.primitive)
    if primitive is None:
        return Wait(operation.call, f"waits in {operation.call}")
    work = state.work(primitive)
    if work is None:
        on, clause = _waiting_at(state, actor, primitive)
    else:
        on, clause = at_a_pool(state, actor, primitive, work)
    return Wait(primitive.name, clause, on)


def _waiting_at(
    state: State, actor: Actor, primitive: Primitive
) -> tuple[tuple[ActorId, ...], str]:
    """Return on whom the actor waits at the primitive, and the clause."""
    operation = actor.pending
    assert operation is not None
    role, it = operation.role, primitive.name
    if operation.verb is Verb.FLUSH:
        return _flushing(state, actor, primitive)
    if role == Role.WOKEN:
        return _until_awake(state, actor, primitive)
    atom = state.atoms.get(operation.atom)
    if isinstance(atom, Channel) and atom.is_torn:
        sender = names(state, [atom.items[0].sender])
        return (), f"waits for the rest of an item of {it}: {sender} ended while sending it"
    holders = state.holders(primitive, role) if role in primitive.parts else ()
    clause = primitive.traits.clause(role, operation.method)
    return holders, clause.format(
        it=it, by=_held_by(state, holders, atom), before=_ahead(state, holders)
    )


def _held_by(state: State, holders: tuple[ActorId, ...], atom: Atom | None) -> str:
    """Return who holds it, as an end of a clause."""
    if not holders:
        is_signal = isinstance(atom, Semaphore) and not atom.resource
        return ": there is none" if is_signal else ""
    by = f", held by {names(state, holders)}"
    if all(state.actors[holder].ended for holder in holders):
        return f"{by} (who has ended)"
    if all(state.actors[holder].stopped for holder in holders):
        return f"{by} (who is stopped)"
    return by


def _ahead(state: State, holders: tuple[ActorId, ...]) -> str:
    return f"{names(state, holders)} is before it in line" if holders else "not its turn"


def _flushing(state: State, actor: Actor, primitive: Primitive) -> tuple[tuple[ActorId, ...], str]:
    feeders = tuple(
        other.id for other in _at(state, primitive) if other.library and other.parent == actor.id
    )
    if feeders:  # the X-ray holds it up
        return feeders, f"waits to flush {primitive.name}: its feeder has not sent all"
    return (), f"waits to flush {primitive.name}: its items do not fit into the pipe"


def _until_awake(
    state: State, actor: Actor, primitive: Primitive
) -> tuple[tuple[ActorId, ...], str]:
    it = primitive.name
    sleepers = tuple(
        other.id
        for other in _at(state, primitive)
        if other.id != actor.id and other.pending is not None and other.pending.role == Role.WAIT
    )
    dead = tuple(other.id for other in state.actors if other.asleep_on == primitive.id)
    if dead and not sleepers:
        return dead, f"waits for {names(state, dead)} (who has ended) to wake from {it}"
    return sleepers, f"waits until the sleeper on {it} is awake"


def _at(state: State, primitive: Primitive) -> Iterator[Actor]:
    """Yield everybody who is about to do something at the primitive."""
    for actor in state.actors:
        if actor.pending is not None and actor.pending.primitive == primitive.id:
            yield actor


def standing(state: State, actors: Iterable[Actor]) -> str:
    """Return how those stand who have not ended, as a sentence; empty where there are none."""
    clauses = []
    for actor in actors:
        wait = waiting_for(state, actor)
        if wait is not None:
            clauses.append(f"{actor.name} {wait.clause}")
        elif actor.stopped:
            clauses.append(f"{actor.name} is stopped")
        elif actor.left and not actor.ended:
            clauses.append(f"{actor.name} {actor.left}")
        elif actor.outside and actor.whereabouts is not None:
            clauses.append(f"{actor.name} is outside: {actor.whereabouts.words}")
        elif not (actor.ended or actor.serves or actor.rests) and actor.pending is None:
            reached = "is between two operations" if actor.steps else "has reached no operation"
            clauses.append(f"{actor.name} is running and {reached}")
    return f"{'; '.join(clauses)}." if clauses else ""


def what_it_does(state: State, actor: Actor, grain: Grain = Grain.CALL) -> str:
    """Return the pending operation in words: "acquire forks[2]", "put 7 into slots".

    By the grain of the atoms it is the operation on a part: "release sleeping of bell (wait)".
    """
    operation = actor.pending
    if operation is None:
        return ""
    primitive = state.primitives.get(operation.primitive)
    method = operation.method
    if primitive is None:
        return f"{method} {operation.detail}".strip()
    if operation.role and (actor.library or (operation.compound and grain is Grain.ATOM)):
        return _operation_on_a_part(operation, primitive, in_call=not actor.library)
    if state.work(primitive) is not None:
        return what_it_does_at_a_pool(operation, primitive)
    if operation.role == Role.WAIT and state.enabled(actor):
        return f"wake from {primitive.name}"
    if primitive.traits.has_indices and method == "get":
        return f"read {primitive.name}[{operation.detail}]"
    return intention(method, primitive.name, operation.detail)


def _operation_on_a_part(operation: Operation, primitive: Primitive, *, in_call: bool) -> str:
    verb, part = str(operation.verb), part_name(operation.role)
    if operation.verb in (Verb.PUT, Verb.SEND, Verb.WRITE):
        verb += f" {operation.detail} →"
    if operation.verb is Verb.PUT:
        part = "buffer"
    call = f" ({operation.method})" if in_call else ""
    return f"{verb} {part} of {primitive.name}{call}"
