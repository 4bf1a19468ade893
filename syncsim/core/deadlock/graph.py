"""The wait-for graph: who waits for whom, and who of them waits for ever.

It is an AND-OR graph: a lock is given by its holder, a join is answered by one process;
everything else (an item, a notification, a permit) might come from any process that still can
go on.  Those who wait for ever are the greatest set of blocked actors of whom each can only be
helped by others in the set (Knapp, "Deadlock detection in distributed databases", 1987,
section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from syncsim.core.atoms import ActorId, Channel, Semaphore
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.pools import job_of
from syncsim.core.words.waiting import Wait, wait_of
from syncsim.core.work import Work


class Link(Struct, frozen=True):
    """One edge of a cycle: a process waits for a primitive (or a process), held by the next."""

    process: str
    waits_for: str
    held_by: str
    actor: ActorId
    holder: ActorId


class WaitForGraph(Struct, frozen=True):
    """Those who wait for ever in a state, and for whom.

    The ``stuck`` are by actor (who is stopped may be continued), ``waits`` are their edges, and
    ``cycle`` is a shortest one among them.  (The waits of others are told by ``waiting_for``; a
    run that goes on is diagnosed at every step.)
    """

    state: State
    stuck: tuple[ActorId, ...]
    waits: Mapping[ActorId, Wait]
    cycle: tuple[Link, ...]

    def is_join(self, actor: ActorId) -> bool:
        """Return whether the actor waits for a process to end."""
        operation = self.state.actors[actor].pending
        return operation is not None and operation.verb is Verb.JOIN

    def idle_at(self, actor: ActorId) -> str:
        """Return the name of the Pool whose idle worker the actor is; empty for everybody else."""
        state, operation = self.state, self.state.actors[actor].pending
        primitive = state.primitives.get(operation.primitive) if operation is not None else None
        if operation is None or primitive is None or state.work(primitive) is None:
            return ""
        in_line = operation.role == Role.GET_LOCK and actor != primitive.creator
        if in_line:
            holders = state.holders(primitive, Role.GET_LOCK)
            in_line = not any(state.actors[holder].ended for holder in holders)
        return primitive.name if in_line or operation.role == Role.TASKS else ""


def wait_for_graph(state: State) -> WaitForGraph:
    """Build the graph of a state."""
    stuck = stuck_actors(state)
    waits = {actor: wait_of(state, state.actors[actor]) for actor in stuck}
    return WaitForGraph(state, stuck, waits, _shortest_cycle(state, waits))


def helpers(state: State, actor: Actor) -> tuple[ActorId, ...] | None:
    """Return who alone could make the actor's pending operation go through; None: anybody."""
    operation = actor.pending
    assert operation is not None
    if operation.verb is Verb.JOIN:
        target = state.by_pid(operation.atom)
        return (target.id,) if target else ()
    primitive = state.primitives.get(operation.primitive)
    work = state.work(primitive) if primitive is not None else None
    if primitive is not None and work is not None:
        return _helpers_at_a_pool(state, actor, primitive, work)
    if operation.verb is Verb.ACQUIRE and operation.role == Role.WOKEN:
        return tuple(_wakers(state, actor, operation.primitive))
    atom = state.atoms.get(operation.atom)
    if isinstance(atom, Semaphore) and atom.resource and atom.is_lock:
        return tuple(holder for holder in atom.holders if not state.actors[holder].ended)
    if isinstance(atom, Channel) and atom.is_torn and operation.verb is Verb.RECEIVE:
        return ()  # whoever sends something now: it comes after half an item
    return None


def _wakers(state: State, actor: Actor, primitive: str) -> Iterator[ActorId]:
    """Yield those asleep on the primitive, or just waking: nobody else answers a notification."""
    for other in state.actors:
        operation = other.pending
        if other.ended or other.id == actor.id:
            continue
        if operation is None:
            if other.call:  # running, in the middle of a call: perhaps of this one
                yield other.id
        elif operation.primitive == primitive and operation.role in (Role.WAIT, Role.WOKEN):
            yield other.id


def _helpers_at_a_pool(
    state: State, actor: Actor, primitive: Primitive, work: Work
) -> tuple[ActorId, ...] | None:
    """Return who helps at a Pool: its maker, who gives tasks, or its workers, who give results.

    A task whose worker died is not done again; and without its threads, which are in the process
    that made it, a Pool does nothing.
    """
    operation = actor.pending
    assert operation is not None
    if operation.role == Role.TASKS:
        return () if work.closed and not work.waiting else (primitive.creator,)
    if operation.verb is not Verb.AWAIT:
        return tuple(
            holder
            for holder in state.holders(primitive, operation.role or Role.GET_LOCK)
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
    """Return those who wait for ever, by actor; who is stopped may be continued."""
    return _waiting_for_ever(state, [actor for actor in state.actors if not actor.ended])


def halted(state: State) -> tuple[ActorId, ...]:
    """Return the stopped processes, if nobody goes on before they are continued; else nobody."""
    stopped = tuple(actor.id for actor in state.actors if actor.stopped and not actor.thread)
    others = {a.id for a in state.actors if not (a.ended or a.stopped or a.rests or a.serves)}
    return stopped if stopped and others.issubset(held_up(state)) else ()


def held_up(state: State) -> tuple[ActorId, ...]:
    """Return those who wait for ever, unless somebody who is stopped is continued."""
    awake = [actor for actor in state.actors if not (actor.ended or actor.stopped)]
    return _waiting_for_ever(state, awake)


def _waiting_for_ever(state: State, living: Sequence[Actor]) -> tuple[ActorId, ...]:
    """Return who waits for ever, if only those who are ``living`` can ever move."""
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
            able = helpers(state, actor)
            if moving if able is None else moving.intersection(able):
                freed.add(actor.id)
        if not freed:
            break
        stuck -= freed
        moving |= freed
    return tuple(sorted(stuck))


def _shortest_cycle(state: State, waits: Mapping[ActorId, Wait]) -> tuple[Link, ...]:
    """Return a shortest cycle among the stuck: each waits for what the next one holds."""
    edges = {
        actor: tuple(holder for holder in wait.on if holder in waits)
        for actor, wait in waits.items()
    }
    best: list[ActorId] = []
    for start in edges:
        path = _shortest_way_back(edges, start)
        if path and (not best or len(path) < len(best)):
            best = path
    return tuple(
        Link(
            process=state.actors[actor].name,
            waits_for=waits[actor].what,
            held_by=state.actors[holder].name,
            actor=actor,
            holder=holder,
        )
        for actor, holder in zip(best, best[1:] + best[:1], strict=True)
    )


def _shortest_way_back(
    edges: Mapping[ActorId, tuple[ActorId, ...]], start: ActorId
) -> list[ActorId]:
    paths = [[start]]
    seen: set[ActorId] = set()
    while paths:
        longer = []
        for path in paths:
            for following in edges.get(path[-1], ()):
                if following == start:
                    return path
                if following not in seen:
                    seen.add(following)
                    longer.append([*path, following])
        paths = longer
    return []
