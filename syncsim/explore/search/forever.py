"""Runs that never end: who waits for ever while others go on, and who goes round in circles.

Asked of a whole graph of states with a cycle in it.  A *livelock* is an infinite, fair run in
which nothing is achieved, shown as a lasso: the way to it, and the circle.  Fair means that
whoever may go again and again does go (strong fairness: what a scheduler that tosses coins
gives with certainty).  Nothing is achieved where a program that could have ended goes on for
ever, or where somebody does nothing but look at what nobody changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.explore.properties.properties import Fairness
from syncsim.explore.results import Path, verdict_at_the_end
from syncsim.explore.search.graph import Edge, Graph
from syncsim.virtual.model.managed_object import Asleep
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System

#: What a process does that changes the world for others, or for a person.
_ACTS = frozenset(
    (
        Verb.WRITE, Verb.PUT, Verb.SEND, Verb.RECEIVE, Verb.START, Verb.TERMINATE, Verb.OUTPUT,
        Verb.EXIT,
    )
)  # fmt: skip
#: What it does to see how things are.
_LOOKS = frozenset((Verb.READ, Verb.VALUE, Verb.POLL, Verb.ALIVE))
#: Where a Condition looks for itself whether somebody sleeps.
_COUNTS = frozenset(("sleeping", "woken", "wait"))


def waiting_for_ever(graph: Graph) -> Path | None:
    """A shortest way to a state in which somebody waits for ever, though others may go on."""
    # (States are numbered from the nearest on.)
    first = [(min(hopeless), actor) for actor, hopeless in hopeless_waits(graph) if hopeless]
    if not first:
        return None
    number, actor = min(first)
    way = graph.path_to(number, Verdict.DEADLOCK)
    return Path(way.verdict, way.moves, way.did, waits=actor)


def hopeless_waits(graph: Graph) -> Iterable[tuple[int, set[int]]]:
    """For each actor the states in which it waits for ever, though others may go on."""
    system = graph.system
    for actor in {actor for state in graph.states for actor in system.waiting(state)}:
        goes = [
            number
            for number, out in enumerate(graph.edges)
            if any(any(_concerns(did, actor) for did in done) for _, _, done in out)
        ]
        hopeful = graph.leading_to(goes)
        yield (
            actor,
            {
                number
                for number, state in enumerate(graph.states)
                if number not in hopeful and _waits(system, state, actor)
            },
        )


def _concerns(did: Did, actor: int) -> bool:
    """Return whether the actor goes on, or is ended, by the operation."""
    return did.actor == actor or (did.verb is Verb.TERMINATE and did.atom == actor)


def _waits(system: System, state: State, actor: int) -> bool:
    """Return whether the actor waits for something else than the end of a process that goes on."""
    request = system.request(state, actor)
    return request is not None and request.operation.verb is not Verb.JOIN


def livelock(graph: Graph) -> Path | None:
    """The nearest lasso that achieves nothing; its moves end with one round of the circle."""
    vain, _ = circles(graph)
    if not vain:
        return None
    best = min(vain, key=min)
    first = min(best)
    way = graph.path_to(first, Verdict.LIVELOCK)
    moves, did = graph.circle(first, best)
    return Path(Verdict.LIVELOCK, way.moves + moves, way.did + did, circle=len(moves))


def circles(graph: Graph) -> tuple[list[set[int]], list[set[int]]]:
    """The sets of states in which a fair run can stay for ever: in vain, and to some end."""
    ends = any(
        not out and verdict_at_the_end(graph.system, state) is Verdict.FINISHED
        for state, out in zip(graph.states, graph.edges, strict=True)
    )
    vain: list[set[int]] = []
    good: list[set[int]] = []
    for members in fair_circles(graph):
        (vain if ends or _only_looks(graph, members) else good).append(members)
    return vain, good


def _only_looks(graph: Graph, members: set[int]) -> bool:
    """Return whether somebody there does nothing but look, and nobody anything else that counts."""
    looks = False
    for member in members:
        for after, _, done in graph.edges[member]:
            if after not in members:
                continue
            for did in done:
                if did.verb in _ACTS or _changes(did):
                    return False
                if did.request is not None and did.request.operation.role in _COUNTS:
                    continue
                in_vain = did.verb is Verb.ACQUIRE and did.result is False
                looks = looks or in_vain or did.verb in _LOOKS or did.served is not None
    return looks


def _changes(did: Did) -> bool:
    """Return whether the operation changes something of a manager (to sleep is to look)."""
    served = did.served
    slept = did.times_out or isinstance(did.result, Asleep)
    return served is not None and (bool(served.wakes) if slept else served.counts)


def fair_circles(
    graph: Graph, within: Iterable[int] | None = None, fairness: Fairness = Fairness.STRONG
) -> Iterable[set[int]]:
    """Sets of states (of those within, if given) in which a fair run can stay for ever."""
    todo = [set(range(len(graph.states)) if within is None else within)]
    while todo:
        for members in _components(graph, todo.pop()):
            denied = _denied(graph, members)
            if fairness is Fairness.WEAK:
                # Who is now and then not able to go may be passed by for ever.
                if all(len(there) < len(members) for there in denied.values()):
                    yield members
            elif not denied:
                yield members
            else:
                left = members.difference(*denied.values())
                if left:
                    todo.append(left)


def _denied(graph: Graph, members: set[int]) -> dict[int, set[int]]:
    """Return the actors that could go from some of these states, but never do and stay within."""
    enabled: dict[int, set[int]] = {}
    taken = set()
    for member in members:
        for after, move, _ in graph.edges[member]:
            enabled.setdefault(move.actor, set()).add(member)
            if after in members:
                taken.add(move.actor)
    return {actor: there for actor, there in enabled.items() if actor not in taken}


def avoiding(
    graph: Graph, holds: Sequence[bool], begins: Sequence[bool], fairness: Fairness
) -> Path | None:
    """A run that comes by a state that ``begins``, and from there on by none that ``holds``.

    The shortest that ends; or else the nearest that goes round in a fair circle.
    """
    # A state and whether the run has begun to avoid what it should come to.
    came: dict[tuple[int, bool], tuple[tuple[int, bool], Edge | None]] = {}
    start = (0, False)
    seen = {start}
    todo = deque([start])
    ordered: list[int] = []

    def reach(place: tuple[int, bool], by: Edge | None) -> bool:
        new = place not in seen
        if new:
            seen.add(place)
            came[place] = here, by
        return new

    while todo:
        here = number, avoids = todo.popleft()
        if not avoids and begins[number] and not holds[number] and reach((number, True), None):
            todo.appendleft((number, True))
        if avoids:
            ordered.append(number)
            if not graph.edges[number]:
                end = verdict_at_the_end(graph.system, graph.states[number])
                verdict = Verdict.ASSERTION if end is Verdict.FINISHED else end
                return Path(verdict, *_by_way_of(graph, came, here))
        for edge in graph.edges[number]:
            if not (avoids and holds[edge[0]]) and reach((edge[0], avoids), edge):
                todo.append((edge[0], avoids))
    nearest = {number: at for at, number in enumerate(ordered)}
    circles = list(fair_circles(graph, ordered, fairness))
    if not circles:
        return None
    members = min(circles, key=lambda some: min(nearest[number] for number in some))
    first = min(members, key=nearest.__getitem__)
    way, done = _by_way_of(graph, came, (first, True))
    through = [members - there for there in _denied(graph, members).values()]
    moves, did = graph.circle(first, members, through)
    return Path(Verdict.STARVATION, way + moves, done + did, circle=len(moves))


def _by_way_of(
    graph: Graph,
    came: Mapping[tuple[int, bool], tuple[tuple[int, bool], Edge | None]],
    place: tuple[int, bool],
) -> tuple[tuple[Move, ...], tuple[Did, ...]]:
    steps: list[Edge] = []
    while place in came:
        place, edge = came[place]
        if edge is not None:
            steps.append(edge)
    steps.reverse()
    done = [*graph.start.did]
    for _, _, did in steps:
        done += did
    return tuple(move for _, move, _ in steps), tuple(done)


def _components(graph: Graph, members: set[int]) -> Iterable[set[int]]:
    """The strongly connected parts with at least one step inside (Tarjan, 1972, iteratively)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in sorted(members):
        if root in index:
            continue
        work = [(root, iter(graph.edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            at, out = work[-1]
            for after, _, _ in out:
                if after not in members:
                    continue
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    on_stack.add(after)
                    work.append((after, iter(graph.edges[after])))
                    break
                if after in on_stack:
                    low[at] = min(low[at], index[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == index[at]:
                    part = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        part.add(member)
                        if member == at:
                            break
                    if len(part) > 1 or any(after == at for after, _, _ in graph.edges[at]):
                        yield part
