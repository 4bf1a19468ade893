"""The waits at a Pool or an executor, in words."""

from __future__ import annotations

from syncsim.core.atoms import ActorId
from syncsim.core.kinds import Role
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.listing import listing, names
from syncsim.core.work import Task, Work


def at_a_pool(
    state: State, actor: Actor, primitive: Primitive, work: Work
) -> tuple[tuple[ActorId, ...], str]:
    """Return on whom the actor waits at a Pool or an executor, and the clause."""
    operation = actor.pending
    assert operation is not None
    it = primitive.name
    if operation.role in (Role.GET_LOCK, Role.TASKS):
        held = state.holders(primitive, Role.GET_LOCK)
        if actor.id == primitive.creator:
            return held, f"waits until no worker of {it} takes a task any more"
        dead = tuple(one for one in held if state.actors[one].ended)
        if operation.role == Role.TASKS or not dead:
            return (), f"waits for a task of {it}"
        return dead, f"waits for a task of {it}: {names(state, dead)} ended while it was in line"
    if operation.role == Role.PUT_LOCK:
        held = state.holders(primitive, Role.PUT_LOCK)
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
    """Return the job whose outcome has that name."""
    return outcome.rpartition(" ")[2]


def what_it_does_at_a_pool(operation: Operation, primitive: Primitive) -> str:
    """Return the next thing that somebody does at a Pool or an executor."""
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
