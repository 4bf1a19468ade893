"""Who waits for whom, whether anybody can still go on, and what that is called.

The wait-for graph is an AND-OR graph: a lock is given by its holder, a join is answered by
one process; everything else (an item, a notification, a permit) might come from any
process that still can go on.  Those who wait for ever are the greatest set of blocked
actors of whom each can only be helped by others in the set (Knapp, "Deadlock detection in
distributed databases", 1987, section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Block, Channel, Semaphore
from syncsim.core.deadlock.undelivered import left_over, undelivered
from syncsim.core.operation import Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.lineage import signal_name
from syncsim.core.words.waiting import (
    job_of,
    listing,
    names,
    standing,
    waiting_for,
)
from syncsim.core.work import Work

STARTED_NONE = "It started no process."
#: What ``multiprocessing.spawn`` says to a process that starts another one too early.
_BOOTSTRAPPING = "has finished its bootstrapping phase"


class Verdict(StrEnum):
    """What happens, in one word."""

    FINISHED = "finished"
    DEADLOCK = "deadlock"
    LIVELOCK = "livelock"
    ASSERTION = "assertion"
    CRASH = "crash"
    STARVATION = "starvation"
    UNDECIDED = "undecided"


class Link(Struct, frozen=True):
    """One edge of a cycle: a process waits for a primitive (or a process), held by the next."""

    process: str
    waits_for: str
    held_by: str
    actor: ActorId
    holder: ActorId


class Finding(Struct, frozen=True, omit_defaults=True):
    """Why it happens, or what else was seen: a kind of the design, and a sentence.

    ``schedule`` shows it, where that is another one than that of the run.
    """

    kind: str
    explanation: str
    schedule: str = ""


class Diagnosis(Struct, frozen=True):
    """The verdict of a state (None: it may still go on), with why."""

    verdict: Verdict | None
    explanation: str = ""
    stuck: tuple[ActorId, ...] = ()
    cycle: tuple[Link, ...] = ()
    findings: tuple[Finding, ...] = ()


def diagnose(state: State) -> Diagnosis:
    """What the state amounts to.

    A failure that has happened comes first; then those who wait for ever.  ``finished`` once
    the main process and all others have ended.
    """
    stuck = stuck_actors(state)
    cycle = find_cycle(state, stuck)
    findings = tuple(_findings(state, stuck, cycle))
    failed = next((actor for actor in state.actors if actor.failed), None)
    if failed is not None:
        verdict = Verdict.ASSERTION if failed.is_assertion else Verdict.CRASH
        return Diagnosis(verdict, _failure(failed), stuck, cycle, findings)
    if stuck and not _somebody_may_end_it(state, stuck):
        return Diagnosis(
            Verdict.DEADLOCK, explain_stuck(state, stuck, cycle), stuck, cycle, findings
        )
    if state.actors and all(actor.ended for actor in state.actors):
        return Diagnosis(Verdict.FINISHED, _finished(state), stuck, cycle, findings)
    return Diagnosis(None, "", stuck, cycle, findings)


def diagnose_standstill(state: State, unseen: str) -> Diagnosis:
    """What is known of a state in which nothing moves, although not everyone is in our view.

    ``unseen`` says who may still help that is no process or thread of the state; empty if nobody.
    """
    known = diagnose(state)
    said = ["Nothing moves."]
    rest = state.actors
    if known.verdict in (Verdict.ASSERTION, Verdict.CRASH):
        said.append(known.explanation)
    elif known.stuck and not unseen:
        said.append(explain_stuck(state, known.stuck, known.cycle))
        rest = tuple(actor for actor in rest if actor.id not in known.stuck)
    said.append(standing(state, rest))
    if unseen:
        said.append(f"Help may still come from where we do not see: {unseen}.")
    undecided = known.verdict in (None, Verdict.DEADLOCK)
    return replace(
        known,
        verdict=Verdict.UNDECIDED if undecided else known.verdict,
        stuck=() if unseen else known.stuck,
        explanation=" ".join(filter(None, said)),
    )


def helpers(state: State, actor: Actor) -> tuple[ActorId, ...] | None:
    """Who alone could make the actor's pending operation go through; None: anybody alive."""
    operation = actor.pending
    assert operation is not None
    if operation.verb is Verb.JOIN:
        target = state.by_pid(operation.atom)
        return (target.id,) if target else ()
    primitive = state.primitives.get(operation.primitive)
    work = state.work(primitive) if primitive is not None else None
    if primitive is not None and work is not None:
        return _helpers_at_a_pool(state, actor, primitive, work)
    if operation.verb is Verb.ACQUIRE and operation.role == "woken":
        return tuple(_wakers(state, actor, operation.primitive))
    atom = state.atoms.get(operation.atom)
    if isinstance(atom, Semaphore) and atom.resource and atom.is_lock:
        return tuple(holder for holder in atom.holders if not state.actors[holder].ended)
    if isinstance(atom, Channel) and atom.is_torn and operation.verb is Verb.RECEIVE:
        return ()  # whoever sends something now: it comes after half an item
    return None


def _wakers(state: State, actor: Actor, primitive: str) -> Iterable[ActorId]:
    """Those asleep on the primitive, or just waking: nobody else answers a notification."""
    for other in state.actors:
        operation = other.pending
        if other.ended or other.id == actor.id:
            continue
        if operation is None:
            if other.call:  # running, in the middle of a call: perhaps of this one
                yield other.id
        elif operation.primitive == primitive and operation.role in ("wait", "woken"):
            yield other.id


def _helpers_at_a_pool(
    state: State, actor: Actor, primitive: Primitive, work: Work
) -> tuple[ActorId, ...] | None:
    """Tasks come from the process that made the Pool, results from its workers.

    A task whose worker died is not done again; and without its threads, which are in the process
    that made it, a Pool does nothing.
    """
    operation = actor.pending
    assert operation is not None
    if operation.role == "tasks":
        return () if work.closed and not work.waiting else (primitive.creator,)
    if operation.verb is not Verb.AWAIT:
        return tuple(
            holder
            for holder in state.holders(primitive, operation.role or "get lock")
            if not state.actors[holder].ended
        )
    if actor.id != primitive.creator and not state.actors[actor.id].thread:
        return ()
    if operation.role:
        return () if work.lost and not work.running and not work.waiting else work.workers
    if operation.atom.split(" ")[-3:-2] == ["job"]:
        job = job_of(operation.atom)
        left = [*work.waiting, *(task for _, task in work.running)]
        if any(t.job == job for _, t in work.lost) and not any(t.job == job for t in left):
            return ()
    return work.workers


def stuck_actors(state: State) -> tuple[ActorId, ...]:
    """Those who wait for ever, by actor (who is stopped may be continued)."""
    return _waiting_for_ever(state, [actor for actor in state.actors if not actor.ended])


def halted(state: State) -> tuple[ActorId, ...]:
    """The stopped processes, if nobody goes on before they are continued; else nobody."""
    stopped = tuple(a.id for a in state.actors if a.stopped and not a.thread)
    others = [a.id for a in state.actors if not (a.ended or a.stopped or a.rests or a.serves)]
    return stopped if stopped and _held_up(state) == tuple(others) else ()


def _held_up(state: State) -> tuple[ActorId, ...]:
    """Those who wait for ever, unless somebody who is stopped is continued."""
    awake = [actor for actor in state.actors if not (actor.ended or actor.stopped)]
    return _waiting_for_ever(state, awake)


def _waiting_for_ever(state: State, living: Sequence[Actor]) -> tuple[ActorId, ...]:
    """Who waits for ever, if only those who are ``living`` can ever move."""
    alive = [actor for actor in living if not actor.rests]  # who rests helps nobody
    stuck = {
        actor.id
        for actor in alive
        if actor.pending is not None and state.blocked(actor) and not actor.pending.can_time_out
    }
    # (A server never does anything by itself.)
    moving = {actor.id for actor in alive if not actor.serves} - stuck
    while stuck:
        freed = set()
        for actor in alive:
            if actor.id not in stuck:
                continue
            who = helpers(state, actor)
            if moving if who is None else moving.intersection(who):
                freed.add(actor.id)
        if not freed:
            break
        stuck -= freed
        moving |= freed
    return tuple(sorted(stuck))


def _somebody_may_end_it(state: State, stuck: tuple[ActorId, ...]) -> bool:
    """Whether a process above one that is stuck still goes on: it could terminate it."""
    for actor in stuck:
        above = state.actors[actor].parent
        while above is not None:
            if above not in stuck and not state.actors[above].ended:
                return True
            above = state.actors[above].parent
    return False


def find_cycle(state: State, stuck: Iterable[ActorId]) -> tuple[Link, ...]:
    """A shortest cycle among the stuck: each waits for what the next one holds."""
    members = set(stuck)
    edges: dict[ActorId, tuple[str, tuple[ActorId, ...]]] = {}
    for actor in sorted(members):
        wait = waiting_for(state, state.actors[actor])
        if wait is not None:
            edges[actor] = (wait.what, tuple(on for on in wait.on if on in members))
    best: list[ActorId] = []
    for start in sorted(edges):
        path = _shortest_way_back(edges, start)
        if path and (not best or len(path) < len(best)):
            best = path
    return tuple(
        Link(
            process=state.actors[actor].name,
            waits_for=edges[actor][0],
            held_by=state.actors[holder].name,
            actor=actor,
            holder=holder,
        )
        for actor, holder in zip(best, best[1:] + best[:1], strict=True)
    )


def _shortest_way_back(
    edges: dict[ActorId, tuple[str, tuple[ActorId, ...]]], start: ActorId
) -> list[ActorId]:
    paths = [[start]]
    seen: set[ActorId] = set()
    while paths:
        longer = []
        for path in paths:
            for following in edges.get(path[-1], ("", ()))[1]:
                if following == start:
                    return path
                if following not in seen:
                    seen.add(following)
                    longer.append([*path, following])
        paths = longer
    return []


def explain_stuck(state: State, stuck: tuple[ActorId, ...], cycle: tuple[Link, ...]) -> str:
    """Why nobody of the stuck can go on, in one to three sentences."""
    said: set[ActorId] = set()
    parts = []
    if cycle:
        for link, before in zip(cycle, cycle[-1:] + cycle[:-1], strict=True):
            said.add(link.actor)
            holder = state.actors[link.actor]
            if _is_join(state, before.actor):
                parts.append(f"{holder.name} waits for {link.waits_for}")
            else:
                parts.append(
                    f"{holder.name} holds {before.waits_for} and waits for {link.waits_for}"
                )
        nobody = {1: "It waits for itself", 2: "Neither can go on"}.get(
            len(cycle), "None of them can go on"
        )
        text = f"{'; '.join(parts)}. {nobody}."
    else:
        text = ""
    rest: list[str] = []
    joins: list[str] = []
    idle: dict[str, list[ActorId]] = {}
    for actor in stuck:
        if actor in said:
            continue
        pool = _waits_for_a_task(state, actor)
        if pool:
            idle.setdefault(pool, []).append(actor)
            continue
        wait = waiting_for(state, state.actors[actor])
        if wait is None:
            continue
        (joins if _is_join(state, actor) else rest).append(
            f"{state.actors[actor].name} {wait.clause}"
        )
    if rest:
        last = "" if cycle else ", and nobody is left who could help"
        text = f"{text} {'; '.join(rest)}{last}.".strip()
    for pool, workers in idle.items():
        waits = "waits" if len(workers) == 1 else "wait"
        text = f"{text} {names(state, workers)} {waits} for a task of {pool}.".strip()
    if joins and not cycle:
        text = f"{text} {'; '.join(joins)}.".strip()
    return text


def _waits_for_a_task(state: State, actor: ActorId) -> str:
    """The name of the Pool whose idle worker the actor is; empty for everybody else."""
    operation = state.actors[actor].pending
    primitive = state.primitives.get(operation.primitive) if operation is not None else None
    if operation is None or primitive is None or state.work(primitive) is None:
        return ""
    idle = operation.role == "tasks" or (
        operation.role == "get lock"
        and actor != primitive.creator
        and not any(state.actors[one].ended for one in state.holders(primitive, "get lock"))
    )
    return primitive.name if idle else ""


def _is_join(state: State, actor: ActorId) -> bool:
    operation = state.actors[actor].pending
    return operation is not None and operation.verb is Verb.JOIN


def _failure(actor: Actor) -> str:
    where = f" ({actor.error_site})" if actor.error_site else ""
    if actor.is_assertion:
        return f"An assertion of {actor.name} does not hold: {actor.error}{where}."
    if actor.error:
        return f"{actor.name} ends with an exception that nobody catches: {actor.error}{where}."
    code = actor.exitcode or 0
    return f"{actor.name} is killed by signal {-code} ({signal_name(-code)})."


def _finished(state: State) -> str:
    children = [actor for actor in state.actors if not actor.is_main and not actor.thread]
    if not children:
        calls = list(dict.fromkeys(call for actor in state.actors for call in actor.called))
        if calls:
            return f"It started no process by multiprocessing, and called {listing(calls)}."
        return STARTED_NONE
    count = "The only child" if len(children) == 1 else f"All {len(children)} children"
    text = f"{count} and the main process have ended."
    killed = [a.id for a in state.actors if _was_killed(a) and not a.thread]
    ends = [
        (a.name, f"by {signal_name(-code)}" if code < 0 else f"with exit code {code}")
        for a in state.actors
        if (code := a.exitcode) and a.id not in killed
    ]
    if ends:
        (first, how), *others = ends
        clauses = [f"{first} ended {how}", *(" ".join(other) for other in others)]
        text += f" {listing(clauses)}."
    if killed:
        were = "was" if len(killed) == 1 else "were"
        text += f" {names(state, killed)} {were} killed by the person."
    return text


def _was_killed(actor: Actor) -> bool:
    return bool(actor.killed) and actor.signalled


def _end(actor: Actor) -> str:
    """How it ended, as a clause."""
    return "was killed by the person" if _was_killed(actor) else "ended"


def _is_left_a_zombie(state: State, actor: Actor) -> bool:
    """Whether it has ended and the one who could join it has ended, too."""
    if not actor.ended or actor.reaped or actor.thread or actor.parent is None:
        return False
    return state.actors[actor.parent].ended


def _findings(
    state: State, stuck: tuple[ActorId, ...], cycle: tuple[Link, ...]
) -> Iterable[Finding]:
    if cycle:
        ring = " → ".join([link.process for link in cycle] + [cycle[0].process])
        yield Finding("cycle", f"each waits for the next: {ring}")
    main_ended = bool(state.actors) and state.actors[0].ended
    if stuck:
        others = [
            actor
            for actor in state.actors
            if actor.id not in stuck
            and not (actor.is_main or actor.library)
            and (actor.ended or not actor.serves)
        ]
        if others:
            clauses = [
                f"{names(state, [a.id for a in some])} {one if len(some) == 1 else many}"
                for some, one, many in (
                    ([a for a in others if a.ended], "has ended", "have ended"),
                    ([a for a in others if a.stopped], "is stopped", "are stopped"),
                    ([a for a in others if not (a.ended or a.stopped)], "goes on", "go on"),
                )
                if some
            ]
            waits = "waits" if len(stuck) == 1 else "wait"
            yield Finding(
                "partial deadlock",
                f"{names(state, stuck)} {waits} for ever; {listing(clauses)}",
            )
    for primitive in state.primitives.values() if stuck else ():
        work = state.work(primitive)
        for worker, task in work.lost if work is not None and primitive.kind == "Pool" else ():
            yield Finding(
                "lost task",
                f"{state.actors[worker].name} ended while it ran {task.label}: "
                f"{primitive.name} has another worker, but does not do the task again",
            )
    for actor in state.actors:
        if actor.ended:
            for primitive in state.holdings(actor):
                waiting = [
                    other
                    for other in state.waiting(primitive)
                    if other.pending is None or other.pending.verb is not Verb.AWAIT
                ]
                if waiting:
                    yield Finding(
                        "dead holder",
                        f"{actor.name} {_end(actor)} while it held {primitive.name}; "
                        f"{names(state, [w.id for w in waiting])} cannot have it any more",
                    )
                elif any(
                    actor.id in state.holders(primitive, role)
                    for role in ("lock", "permits")
                    if role in primitive.parts
                ):
                    yield Finding(
                        "leaked lock",
                        f"{actor.name} {_end(actor)} and never gave {primitive.name} back",
                    )
            if actor.asleep_on:
                primitive = state.primitives[actor.asleep_on]
                notifying = [
                    f"{other.name}, in {other.pending.call},"
                    for other in state.waiting(primitive, "woken")
                    if other.pending is not None
                ]
                if notifying:
                    waits = "waits" if len(notifying) == 1 else "wait"
                    yield Finding(
                        "dead sleeper",
                        f"{actor.name} {_end(actor)} while it slept on {primitive.name}, "
                        f"and is still counted there; {listing(notifying)} {waits} "
                        "for it to wake",
                    )
        elif main_ended and not (actor.is_main or actor.library):
            yield Finding("leaked process", f"{actor.name} lives on after the main process")
        if _is_left_a_zombie(state, actor):
            yield Finding("zombie", f"nobody has joined {actor.name} after it ended")
    yield from _stopped(state, stuck)
    if all(actor.ended for actor in state.actors):
        for primitive in state.primitives.values():
            block = state.atoms.get(primitive.parts.get("block", ""))
            if isinstance(block, Block) and not block.unlinked:
                yield Finding(
                    "leaked block", f"nobody has unlinked {primitive.name}: it outlives the program"
                )
    for sentence in undelivered(state, stuck):
        yield Finding("unflushed queue", sentence)
    for sentence in left_over(state):
        yield Finding("items left", sentence)
    yield from _missing_guards(state)
    for primitive_id, at in state.lost_notifications.items():
        primitive = state.primitives[primitive_id]
        sleeping = [a for a in state.waiting(primitive, "wait") if a.id in stuck and a.since >= at]
        if sleeping:
            yield Finding(
                "lost wakeup",
                f"{primitive.name} was notified at step {at}, before "
                f"{names(state, [a.id for a in sleeping])} waited: nobody heard it",
            )


def _stopped(state: State, stuck: tuple[ActorId, ...]) -> Iterable[Finding]:
    """Who is stopped, and who waits for that reason: no deadlock, for it may be continued."""
    stopped = [actor for actor in state.actors if actor.stopped and not actor.thread]
    if not stopped:
        return
    clauses = []
    for actor in stopped:
        held = [primitive.name for primitive in state.holdings(actor)]
        clauses.append(f"{actor.name} is stopped" + (f" and holds {listing(held)}" if held else ""))
    waiting = [actor for actor in _held_up(state) if actor not in stuck]
    if waiting:
        wait = "waits" if len(waiting) == 1 else "wait"
        goes = "it goes" if len(stopped) == 1 else "they go"
        clauses.append(f"{names(state, waiting)} {wait} until {goes} on again")
    yield Finding("stopped process", "; ".join(clauses))


def _missing_guards(state: State) -> Iterable[Finding]:
    """New interpreters that imported the main file, which starts processes again."""
    for actor in state.actors:
        if _BOOTSTRAPPING in actor.error:
            yield Finding(
                "missing guard",
                f"{actor.name} is a new interpreter and imports the main file again, which starts "
                "a process while it is imported: only if __name__ == '__main__' should it",
            )
