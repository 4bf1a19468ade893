"""Who waits for what, in words a student understands.

Short, present tense, the process is the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncsim.core.atoms import ActorId, Channel, Semaphore
from syncsim.core.operation import Operation, Verb
from syncsim.core.schedule import Grain
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.lineage import signal_name
from syncsim.core.words.managed import intention
from syncsim.core.work import Task, Work


def names(state: State, actors: Sequence[ActorId]) -> str:
    """The actors' names as an English list."""
    return listing([state.actors[actor].name for actor in dict.fromkeys(actors)])


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int, one: str, more: str = "") -> str:
    """``1 state``, ``2,000 states``; ``more`` is the word for several, where it takes no s."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def headline(what: str, codes: Iterable[int | None], *, perhaps: bool = False) -> str:
    """``finished; main exits with code 3``: ``what``, and main's exit codes unless all are 0.

    None is the code of a main that has not ended.  ``perhaps`` there are other codes, too.
    """
    known = {code for code in codes if code is not None}
    if not any(known):
        return what
    exits = [str(code) for code in sorted(known) if code >= 0]
    ways = [f"with code {' or '.join(exits)}"] if exits else []
    ways += [f"by {signal_name(-code)}" for code in sorted(known) if code < 0]
    return f"{what}; main {'may exit' if perhaps else 'exits'} {' or '.join(ways)}"


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
    work = state.work(primitive)
    if work is None:
        on, clause = _waiting_at(state, actor, primitive)
    else:
        on, clause = at_a_pool(state, actor, primitive, work)
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
            feeders = tuple(
                other.id
                for other in state.actors
                if other.library
                and other.parent == actor.id
                and other.pending is not None
                and other.pending.primitive == primitive.id
            )
            if feeders:  # the X-ray holds it up
                return feeders, f"waits to flush {it}: its feeder has not sent all"
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
        case ("Queue" | "JoinableQueue" | "SimpleQueue", "put lock"):
            return held, f"waits for the put lock of {it}" + by
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
        elif not (actor.ended or actor.serves or actor.rests) and actor.pending is None:
            reached = "is between two operations" if actor.steps else "has reached no operation"
            clauses.append(f"{actor.name} is running and {reached}")
    return f"{'; '.join(clauses)}." if clauses else ""


def at_a_pool(
    state: State, actor: Actor, primitive: Primitive, work: Work
) -> tuple[tuple[ActorId, ...], str]:
    """On whom the actor waits at a Pool or an executor, and the clause."""
    operation = actor.pending
    assert operation is not None
    it = primitive.name
    if operation.role in ("get lock", "tasks"):
        held = state.holders(primitive, "get lock")
        if actor.id == primitive.creator:
            return held, f"waits until no worker of {it} takes a task any more"
        dead = tuple(one for one in held if state.actors[one].ended)
        if operation.role == "tasks" or not dead:
            return (), f"waits for a task of {it}"
        return dead, f"waits for a task of {it}: {names(state, dead)} ended while it was in line"
    if operation.role == "put lock":
        held = state.holders(primitive, "put lock")
        return held, f"waits to give its result to {it}" + (
            f", after {names(state, held)}" if held else ""
        )
    if operation.role:  # one of its threads
        return _until_it_ends(state, primitive, work)
    job = job_of(operation.atom)
    what = f"waits for the result of {operation.detail} from {it}"
    if not operation.detail:
        what = f"waits for a result from {it}"
    if actor.id != primitive.creator and not actor.thread:
        owner = state.actors[primitive.creator].name
        return (), f"{what}: its threads are in {owner} alone"
    runners = [(who, task) for who, task in work.running if task.job == job]
    if runners:
        who, task = runners[0]
        on = tuple(one for one, _ in runners)
        return on, f"{what}: {state.actors[who].name} runs {_it(task, operation)}"
    for who, task in work.lost:
        if task.job == job:
            by = state.actors[who].name
            return (), f"{what}: {_it(task, operation)} was lost when {by} ended"
    busy = tuple(who for who, _ in work.running)
    if busy and len(busy) == len(work.workers) and any(t.job == job for t in work.waiting):
        return busy, f"{what}: no worker is free to begin it"
    return (), what


def _it(task: Task, operation: Operation) -> str:
    return "it" if task.label == operation.detail else task.label


def _until_it_ends(
    state: State, primitive: Primitive, work: Work
) -> tuple[tuple[ActorId, ...], str]:
    clause = f"waits for {primitive.name} to end"
    if work.running:
        busy = tuple(who for who, _ in work.running)
        has = "has" if len(busy) == 1 else "have"
        return busy, f"{clause}: {names(state, busy)} {has} a task to do"
    if work.lost:
        lost = [f"{t.label}, lost when {state.actors[w].name} ended" for w, t in work.lost[:3]]
        return (), f"{clause}, which still expects {listing(lost)}"
    return (), clause


def job_of(outcome: str) -> str:
    """The job whose outcome has that name."""
    return outcome.rpartition(" ")[2]


#: What a part of a primitive is called, where that is not its role.
_PARTS = {"items": "pipe", "items back": "pipe back", "value": "memory"}


def part_name(role: str) -> str:
    """What a part of a primitive is called: "pipe", "put lock"."""
    return _PARTS.get(role, role)


def what_it_does(state: State, actor: Actor, grain: Grain = Grain.CALL) -> str:
    """The pending operation in words: "acquire forks[2]", "put 7 into slots".

    By the grain of the atoms it is the operation on a part: "release sleeping of bell (wait)".
    """
    operation = actor.pending
    if operation is None:
        return ""
    primitive = state.primitives.get(operation.primitive)
    inside = actor.library or (operation.compound and grain is Grain.ATOM)
    if primitive is not None and operation.role and inside:
        what, part = str(operation.verb), part_name(operation.role)
        if operation.verb in (Verb.PUT, Verb.SEND, Verb.WRITE):
            what += f" {operation.detail} →"
        if operation.verb is Verb.PUT:
            part = "buffer"
        call = "" if actor.library else f" ({operation.method})"
        return f"{what} {part} of {primitive.name}{call}"
    verb = operation.method
    if primitive is None:
        return f"{verb} {operation.detail}".strip()
    if state.work(primitive) is not None:
        return _at_work(operation, primitive)
    if operation.role == "wait" and state.enabled(actor):
        return f"wake from {primitive.name}"
    if primitive.kind in ("RawArray", "ShareableList") and verb == "get":
        return f"read {primitive.name}[{operation.detail}]"
    return intention(verb, primitive.name, operation.detail)


def _at_work(operation: Operation, primitive: Primitive) -> str:
    """The next thing that somebody does at a Pool or an executor."""
    it, label = primitive.name, operation.detail
    match operation.method:
        case "get" if operation.call not in ("AsyncResult.get",):
            return f"begin a task of {it}"
        case "put" | "fail" | "leave":
            return f"give its result to {it}"
        case "close" | "terminate" | "join" | "shutdown" as method:
            return f"{method} {it}"
        case method if operation.verb is Verb.AWAIT:
            return f"{method}: the result of {label}, from {it}" if label else f"{method} at {it}"
        case method:
            return f"{method} {label} → {it}" if label else f"{method} {it}"
