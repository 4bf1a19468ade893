"""Who waits for what, in words a student understands.

Short, present tense, the process is the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncsim.core.atoms import ActorId, Channel, Semaphore
from syncsim.core.operation import Verb
from syncsim.core.served import intention
from syncsim.core.state import Actor, Primitive, State


def names(state: State, actors: Sequence[ActorId]) -> str:
    """The actors' names as an English list."""
    return listing([state.actors[actor].name for actor in dict.fromkeys(actors)])


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


class Wait:
    """What a blocked actor waits for: the thing, on whom, and the whole as a clause."""

    __slots__ = ("clause", "on", "what")

    def __init__(self, what: str, clause: str, on: tuple[ActorId, ...] = ()) -> None:
        self.what = what
        self.clause = clause
        self.on = on


def waiting_for(state: State, actor: Actor) -> Wait | None:
    """What the actor waits for and on whom; None where its pending operation may go."""
    operation = actor.pending
    if operation is None or not state.blocked(actor):
        return None
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
    on, clause = _waiting_at(state, actor, primitive)
    return Wait(primitive.name, clause, on)


def _waiting_at(
    state: State, actor: Actor, primitive: Primitive
) -> tuple[tuple[ActorId, ...], str]:
    operation = actor.pending
    assert operation is not None
    role = operation.role
    it = primitive.name
    atom = state.atoms.get(operation.atom)
    held: tuple[ActorId, ...] = ()
    if role in primitive.parts:
        held = state.holders(primitive, role)
    by = ""
    if held:
        by = f", held by {names(state, held)}"
        if all(state.actors[holder].ended for holder in held):
            by += " (who has ended)"
        elif all(state.actors[holder].stopped for holder in held):
            by += " (who is stopped)"
    match primitive.sort, role:
        case (_, "items") if operation.verb is Verb.FLUSH:
            return (), f"waits to flush {it}: its items do not fit into the pipe"
        case ("Queue" | "JoinableQueue", "slots"):
            return (), f"waits for {it}: the queue is full"
        case (_, "items" | "items back") if isinstance(atom, Channel) and atom.is_torn:
            sender = names(state, [atom.items[0].sender])
            return (), f"waits for the rest of an item of {it}: {sender} ended while sending it"
        case ("Queue" | "JoinableQueue" | "SimpleQueue" | "Pipe", "items" | "items back"):
            return (), f"waits for {it}: it is empty"
        case ("Queue" | "JoinableQueue" | "SimpleQueue", "get lock"):
            before = f"{names(state, held)} is before it in line" if held else "not its turn"
            return held, f"waits for {it}: " + before
        case ("Queue" | "JoinableQueue", "wait") if operation.method == "put":
            return (), f"waits for {it}: the queue is full"
        case ("Queue", "wait") if operation.method == "get":
            return (), f"waits for {it}: it is empty"
        case ("Queue" | "JoinableQueue", "wait"):
            return (), f"waits until all tasks of {it} are done"
        case ("Condition", "wait"):
            return (), f"waits on {it} until it is notified"
        case ("Event", "wait"):
            return (), f"waits for {it} to be set"
        case ("Barrier", "wait"):
            return (), f"waits at {it} for the others"
        case (_, "woken"):
            sleepers = tuple(
                other.id
                for other in state.actors
                if other.id != actor.id
                and other.pending is not None
                and other.pending.primitive == primitive.id
                and other.pending.role == "wait"
            )
            dead = tuple(other.id for other in state.actors if other.asleep_on == primitive.id)
            if dead and not sleepers:
                return dead, f"waits for {names(state, dead)} (who has ended) to wake from {it}"
            return sleepers, f"waits until the sleeper on {it} is awake"
        case ("Lock" | "RLock", _):
            return held, f"waits for {it}" + by
        case ("Semaphore" | "BoundedSemaphore", _):
            if isinstance(atom, Semaphore) and not atom.resource:
                return (), f"waits for a permit of {it}: there is none"
            return held, f"waits for a permit of {it}" + by
        case _:
            return held, f"waits for the lock of {it}" + by


def standing(state: State, actors: Iterable[Actor]) -> str:
    """How these stand who have not ended, as a sentence; empty where there are none."""
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
        elif not (actor.ended or actor.serves) and actor.pending is None:
            reached = "is between two operations" if actor.steps else "has reached no operation"
            clauses.append(f"{actor.name} is running and {reached}")
    return f"{'; '.join(clauses)}." if clauses else ""


def what_it_does(state: State, actor: Actor) -> str:
    """The pending operation in words: "acquire forks[2]", "put 7 into slots"."""
    operation = actor.pending
    if operation is None:
        return ""
    primitive = state.primitives.get(operation.primitive)
    verb = operation.method
    if primitive is None:
        return f"{verb} {operation.detail}".strip()
    if operation.role == "wait" and state.enabled(actor):
        return f"wake from {primitive.name}"
    if primitive.kind in ("RawArray", "ShareableList") and verb == "get":
        return f"read {primitive.name}[{operation.detail}]"
    return intention(verb, primitive.name, operation.detail)
