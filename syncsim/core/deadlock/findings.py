"""The findings: why it happens, or what else was seen; one function for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from syncsim.core.atoms import Block
from syncsim.core.deadlock.graph import WaitForGraph, held_up
from syncsim.core.deadlock.undelivered import left_over, undelivered
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.listing import listing, names

#: What ``multiprocessing.spawn`` says to a process that starts another one too early.
_BOOTSTRAPPING = "has finished its bootstrapping phase"


class FindingKind(StrEnum):
    """The kinds of findings, as they are told."""

    CYCLE = "cycle"
    PARTIAL_DEADLOCK = "partial deadlock"
    LOST_TASK = "lost task"
    DEAD_HOLDER = "dead holder"
    LEAKED_LOCK = "leaked lock"
    DEAD_SLEEPER = "dead sleeper"
    LEAKED_PROCESS = "leaked process"
    ZOMBIE = "zombie"
    STOPPED_PROCESS = "stopped process"
    LEAKED_BLOCK = "leaked block"
    UNFLUSHED_QUEUE = "unflushed queue"
    ITEMS_LEFT = "items left"
    MISSING_GUARD = "missing guard"
    LOST_WAKEUP = "lost wakeup"
    DATA_RACE = "data race"
    CHILD_PROGRAM = "child program"
    NOT_SEEN = "not seen"


class Finding(Struct, frozen=True, omit_defaults=True):
    """Why it happens, or what else was seen: its kind, and a sentence.

    ``schedule`` shows it, where that is another one than that of the run.
    """

    kind: FindingKind
    explanation: str
    schedule: str = ""


def findings_of(graph: WaitForGraph) -> Iterator[Finding]:
    """Yield everything that is found in a state; a run that goes on is looked at every step."""
    state = graph.state
    if graph.stuck:
        for of_the_stuck in (_cycle, _partial_deadlock, _lost_tasks):
            yield from of_the_stuck(graph)
    main_has_ended = bool(state.actors) and state.actors[0].ended
    for actor in state.actors:
        if actor.ended:
            for of_an_end in (_dead_holder, _dead_sleeper, _zombie):
                yield from of_an_end(state, actor)
        elif main_has_ended:
            yield from _leaked_process(actor)
    for of_all in (_stopped_processes, _leaked_blocks, _undelivered, _missing_guards):
        yield from of_all(graph)
    if graph.stuck:
        yield from _lost_wakeups(graph)


def _cycle(graph: WaitForGraph) -> Iterator[Finding]:
    if graph.cycle:
        first = graph.cycle[0].process
        ring = " → ".join([*(link.process for link in graph.cycle), first])
        yield Finding(FindingKind.CYCLE, f"each waits for the next: {ring}")


def _partial_deadlock(graph: WaitForGraph) -> Iterator[Finding]:
    state, stuck = graph.state, graph.stuck
    others = [
        actor
        for actor in state.actors
        if actor.id not in stuck
        and not (actor.is_main or actor.library)
        and (actor.ended or not actor.serves)
    ]
    if not others:
        return
    groups = (
        ([a for a in others if a.ended], "has ended", "have ended"),
        ([a for a in others if a.stopped], "is stopped", "are stopped"),
        ([a for a in others if not (a.ended or a.stopped)], "goes on", "go on"),
    )
    clauses = [
        f"{_names(state, group)} {singular if len(group) == 1 else plural}"
        for group, singular, plural in groups
        if group
    ]
    yield Finding(
        FindingKind.PARTIAL_DEADLOCK,
        f"{names(state, stuck)} {_wait(stuck)} for ever; {listing(clauses)}",
    )


def _lost_tasks(graph: WaitForGraph) -> Iterator[Finding]:
    state = graph.state
    for primitive in state.primitives.values():
        work = state.work(primitive)
        if work is None or not primitive.traits.replaces_workers:
            continue
        for worker, task in work.lost:
            yield Finding(
                FindingKind.LOST_TASK,
                f"{state.actors[worker].name} ended while it ran {task.label}: "
                f"{primitive.name} has another worker, but does not do the task again",
            )


def _dead_holder(state: State, actor: Actor) -> Iterator[Finding]:
    """Find what one who has ended still holds: somebody waits for it, or it is leaked."""
    for primitive in state.holdings(actor):
        in_line = [
            other
            for other in state.waiting(primitive)
            if other.pending is None or other.pending.verb is not Verb.AWAIT
        ]
        if in_line:
            yield Finding(
                FindingKind.DEAD_HOLDER,
                f"{actor.name} {_end(actor)} while it held {primitive.name}; "
                f"{_names(state, in_line)} cannot have it any more",
            )
        elif _holds_its_unit(state, actor, primitive):
            yield Finding(
                FindingKind.LEAKED_LOCK,
                f"{actor.name} {_end(actor)} and never gave {primitive.name} back",
            )


def _holds_its_unit(state: State, actor: Actor, primitive: Primitive) -> bool:
    """Return whether the actor holds the lock or a permit, and not only an inner part."""
    return any(
        actor.id in state.holders(primitive, role)
        for role in (Role.LOCK, Role.PERMITS)
        if role in primitive.parts
    )


def _dead_sleeper(state: State, actor: Actor) -> Iterator[Finding]:
    if not actor.asleep_on:
        return
    primitive = state.primitives[actor.asleep_on]
    notifying = [
        f"{other.name}, in {other.pending.call},"
        for other in state.waiting(primitive, Role.WOKEN)
        if other.pending is not None
    ]
    if notifying:
        yield Finding(
            FindingKind.DEAD_SLEEPER,
            f"{actor.name} {_end(actor)} while it slept on {primitive.name}, and is still "
            f"counted there; {listing(notifying)} {_wait(notifying)} for it to wake",
        )


def _leaked_process(actor: Actor) -> Iterator[Finding]:
    if not actor.library:
        yield Finding(FindingKind.LEAKED_PROCESS, f"{actor.name} lives on after the main process")


def _zombie(state: State, actor: Actor) -> Iterator[Finding]:
    """Find one who has ended and was not joined, and who could do so has ended, too."""
    if actor.reaped or actor.thread or actor.parent is None:
        return
    if state.actors[actor.parent].ended:
        yield Finding(FindingKind.ZOMBIE, f"nobody has joined {actor.name} after it ended")


def _stopped_processes(graph: WaitForGraph) -> Iterator[Finding]:
    """Find who is stopped, and who waits for that: no deadlock, for it may be continued."""
    state = graph.state
    stopped = [actor for actor in state.actors if actor.stopped and not actor.thread]
    if not stopped:
        return
    clauses = []
    for actor in stopped:
        held = [primitive.name for primitive in state.holdings(actor)]
        clauses.append(f"{actor.name} is stopped" + (f" and holds {listing(held)}" if held else ""))
    waiting = [actor for actor in held_up(state) if actor not in graph.stuck]
    if waiting:
        goes = "it goes" if len(stopped) == 1 else "they go"
        clauses.append(f"{names(state, waiting)} {_wait(waiting)} until {goes} on again")
    yield Finding(FindingKind.STOPPED_PROCESS, "; ".join(clauses))


def _leaked_blocks(graph: WaitForGraph) -> Iterator[Finding]:
    state = graph.state
    if not all(actor.ended for actor in state.actors):
        return
    for primitive in state.primitives.values():
        block = state.atoms.get(primitive.parts.get(Role.BLOCK, ""))
        if isinstance(block, Block) and not block.unlinked:
            yield Finding(
                FindingKind.LEAKED_BLOCK,
                f"nobody has unlinked {primitive.name}: it outlives the program",
            )


def _undelivered(graph: WaitForGraph) -> Iterator[Finding]:
    for sentence in undelivered(graph.state, graph.stuck):
        yield Finding(FindingKind.UNFLUSHED_QUEUE, sentence)
    for sentence in left_over(graph.state):
        yield Finding(FindingKind.ITEMS_LEFT, sentence)


def _missing_guards(graph: WaitForGraph) -> Iterator[Finding]:
    """Find new interpreters that imported the main file, which starts processes again."""
    for actor in graph.state.actors:
        if _BOOTSTRAPPING in actor.error:
            yield Finding(
                FindingKind.MISSING_GUARD,
                f"{actor.name} is a new interpreter and imports the main file again, which starts "
                "a process while it is imported: only if __name__ == '__main__' should it",
            )


def _lost_wakeups(graph: WaitForGraph) -> Iterator[Finding]:
    state = graph.state
    for primitive_id, n in state.lost_notifications.items():
        primitive = state.primitives[primitive_id]
        sleeping = [
            actor
            for actor in state.waiting(primitive, Role.WAIT)
            if actor.id in graph.stuck and actor.since >= n
        ]
        if sleeping:
            yield Finding(
                FindingKind.LOST_WAKEUP,
                f"{primitive.name} was notified at step {n}, before "
                f"{_names(state, sleeping)} waited: nobody heard it",
            )


def _names(state: State, actors: Sequence[Actor]) -> str:
    return names(state, [actor.id for actor in actors])


def _wait(subjects: Sequence[object]) -> str:
    return "waits" if len(subjects) == 1 else "wait"


def _end(actor: Actor) -> str:
    """Return how the actor ended, as a clause."""
    return "was killed by the person" if actor.was_killed else "ended"
