"""Findings of a search beside the verdict: those of every interleaving, and the races.

The findings of an end are those of the core's diagnosis, as on real processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from syncsim.core.deadlock.findings import Finding, FindingKind
from syncsim.core.deadlock.verdict import diagnose
from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.explore.dependence.races import DataRace, Races
from syncsim.explore.endings import Endings
from syncsim.virtual.model.states import Did
from syncsim.virtual.model.system import System
from syncsim.virtual.run import VirtualRun

#: So many data races are told one by one.
MOST_RACES = 10

#: Makes a schedule of what was done.
Schedule = Callable[[Iterable[Did]], str]


def findings(
    system: System, endings: Endings, races: Races, schedule: Schedule
) -> Iterator[Finding]:
    """The data races; and of each kind of other finding, those of the first end that has it."""
    told = sorted(races.data.values(), key=lambda race: len(race.moves))
    for race in told[:MOST_RACES]:
        yield Finding(
            FindingKind.DATA_RACE, _clash(system, race), schedule(_up_to_both(system, race))
        )
    left = len(told) - MOST_RACES
    if left > 0:
        yield Finding(
            FindingKind.DATA_RACE, f"and {left:,} more pairs of accesses that nothing orders"
        )
    kinds: set[str] = set()
    for moves in sorted(endings.ways.values(), key=len):
        found = [one for one in _at_the_end(system, moves) if one.kind not in kinds]
        kinds.update(map(attrgetter("kind"), found))
        for one in found:
            yield Finding(one.kind, one.explanation, schedule(done(system, moves)))


def raced_for(system: System, races: Races) -> dict[str, list[str]]:
    """The names of the primitives for which processes raced, and theirs."""
    found: dict[str, set[int]] = {}
    for atom, actors in sorted(races.contested.items()):
        found.setdefault(system.primitives[atom].name, set()).update(actors)
    return {
        name: list(dict.fromkeys(_name(system, actor) for actor in sorted(actors)))
        for name, actors in found.items()
    }


def done(system: System, moves: Iterable[Move]) -> list[Did]:
    """All that is done when those moves are made from the start on."""
    state, did = system.start()
    every = [*did]
    for move in moves:
        state, did = system.take(state, move)
        every += did
    return every


def asked_of_main(system: System) -> set[Verb]:
    """Return what the main process has asked for, up to where it starts another one."""
    automaton = system.members[0].automaton
    assert automaton is not None
    verbs: set[Verb] = set()
    seen = {automaton.root.node}
    todo = [*seen]
    while todo and Verb.START not in verbs:
        node = todo.pop()
        if node.request is not None:
            verbs.add(node.request.operation.verb)
        after = {edge.node for edge in node.edges.values()} - seen
        seen |= after
        todo += after
    return verbs


def _up_to_both(system: System, race: DataRace) -> list[Did]:
    """Return the way to the race, and the two choices, without what follows them of itself."""
    *way, one, other = race.moves
    every = done(system, way)
    upto = len(every)
    (first, *_), (then, *_) = (done(system, [*way, move])[upto:] for move in (one, other))
    return [*every, first, then]


def _at_the_end(system: System, moves: Iterable[Move]) -> tuple[Finding, ...]:
    world = VirtualRun(system)
    for move in moves:
        world.make(move)
    return diagnose(world.state).findings


def _clash(system: System, race: DataRace) -> str:
    one, other = race.one, race.other
    if other.verb is Verb.WRITE and one.verb is Verb.READ:
        one, other = other, one
    name = system.primitives[one.atom].name
    return (
        f"{_name(system, one.actor)} {_does(one)} {name}{_place(one)} while "
        f"{_name(system, other.actor)} {_does(other)} it{_place(other)}: nothing orders the two"
    )


def _does(did: Did) -> str:
    return "writes" if did.verb is Verb.WRITE else "reads"


def _place(did: Did) -> str:
    site = did.request.operation.site if did.request is not None else None
    return f" ({site.file.rpartition('/')[2]}:{site.line})" if site is not None else ""


def _name(system: System, actor: int) -> str:
    """The name of that process; a feeder goes by that of its own."""
    member = system.members[actor]
    if member.automaton is None:
        assert member.feeds is not None
        return _name(system, member.feeds[0])
    return member.automaton.seed.name
