"""The waits at a Pool or an executor, in words."""

from __future__ import annotations

from typing import TypeAlias

from syncsim.core.atoms import ActorId
from syncsim.core.kinds import Role
from syncsim.core.operation import Operation, Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.listing import listing, names
from syncsim.core.work import Task, Work

#: Those on whom somebody waits, and the clause.
_Waits: TypeAlias = tuple[tuple[ActorId, ...], str]


def at_a_pool(state: State, actor: Actor, primitive: Primitive, work: Work) -> _Waits:
    """Return on whom the actor waits at a Pool or an executor, and the clause."""
    operation = actor.pending
    assert operation is not None
    match operation.role:
        case Role.GET_LOCK | Role.TASKS as role:
            return _for_a_task(state, actor, primitive, in_line=role == Role.GET_LOCK)
        case Role.PUT_LOCK:
            holders = state.holders(primitive, Role.PUT_LOCK)
            after = f", after {names(state, holders)}" if holders else ""
            return holders, f"waits to give its result to {primitive.name}{after}"
        case "":
            return _for_a_result(state, actor, primitive, work)
        case _:  # one of its threads
            return _until_it_ends(state, primitive, work)


def _for_a_task(state: State, actor: Actor, primitive: Primitive, *, in_line: bool) -> _Waits:
    it = primitive.name
    holders = state.holders(primitive, Role.GET_LOCK)
    if actor.id == primitive.creator:
        return holders, f"waits until no worker of {it} takes a task any more"
    dead = tuple(holder for holder in holders if state.actors[holder].ended)
    if in_line and dead:
        return dead, f"waits for a task of {it}: {names(state, dead)} ended while it was in line"
    return (), f"waits for a task of {it}"


def _for_a_result(state: State, actor: Actor, primitive: Primitive, work: Work) -> _Waits:
    operation = actor.pending
    assert operation is not None
    job = job_of(operation.atom)
    result = f"the result of {operation.detail}" if operation.detail else "a result"
    clause = f"waits for {result} from {primitive.name}"
    if actor.id != primitive.creator and not actor.thread:
        owner = state.actors[primitive.creator].name
        return (), f"{clause}: its threads are in {owner} alone"
    running = [(worker, task) for worker, task in work.running if task.job == job]
    if running:
        worker, task = running[0]
        runs = f"{state.actors[worker].name} runs {_it(task, operation)}"
        return tuple(worker for worker, _ in running), f"{clause}: {runs}"
    for worker, task in work.lost:
        if task.job == job:
            by = state.actors[worker].name
            return (), f"{clause}: {_it(task, operation)} was lost when {by} ended"
    busy = tuple(worker for worker, _ in work.running)
    all_busy = bool(busy) and len(busy) == len(work.workers)
    if all_busy and any(task.job == job for task in work.waiting):
        return busy, f"{clause}: no worker is free to begin it"
    return (), clause


def _it(task: Task, operation: Operation) -> str:
    return "it" if task.label == operation.detail else task.label


def _until_it_ends(state: State, primitive: Primitive, work: Work) -> _Waits:
    clause = f"waits for {primitive.name} to end"
    if work.running:
        busy = tuple(worker for worker, _ in work.running)
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
