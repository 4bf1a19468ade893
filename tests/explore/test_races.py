"""Data races against vector clocks over every interleaving, and against the real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import Act, program

import syncsim
from syncsim.core.operation import Site, Verb
from syncsim.core.schedule import Choice, parse_schedule
from syncsim.explore.bounds import Bounds
from syncsim.explore.dependence.races import Races
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.graph import GraphSearch
from syncsim.explore.search.sampling import SampleSearch
from syncsim.program.source import load
from syncsim.real.run import RealRun
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

CHECKED = Path(__file__).parent / "checked"

_ACCESS = st.sampled_from([Act(Verb.READ, "cell"), Act(Verb.WRITE, "cell")]).map(lambda act: [act])
_ORDERED = st.sampled_from([Act(Verb.SEND, "pipe"), Act(Verb.RECEIVE, "pipe")]).map(
    lambda act: [act]
)
_LOCKED = st.tuples(st.sampled_from(["lock", "other"]), _ACCESS).map(
    lambda both: [Act(Verb.ACQUIRE, both[0]), *both[1], Act(Verb.RELEASE, both[0])]
)
_PROCESS = st.lists(st.one_of(_ACCESS, _LOCKED, _ORDERED), max_size=3).map(
    lambda parts: tuple(act for part in parts for act in part)
)
_PROGRAM = st.lists(_PROCESS, min_size=2, max_size=3).filter(lambda all_: sum(map(len, all_)) <= 7)

Clock = dict[int, int]


def by_vector_clocks(system: System) -> set[frozenset[Site | None]]:
    """The pairs of places that race in any execution, by the book: an oracle of its own.

    A process has seen what it did, what the one who released the lock had seen, and what the
    sender of its message had.
    """
    found: set[frozenset[Site | None]] = set()

    def below(
        state: State,
        clocks: dict[int, Clock],
        locks: dict[int, Clock],
        messages: dict[int, list[Clock]],
        accesses: list[tuple[int, Clock, Did]],
    ) -> None:
        for move in system.moves(state):
            after, did = system.take(state, move)
            actor = move.actor
            clock = dict(clocks.get(actor, {}))
            clock[actor] = clock.get(actor, 0) + 1
            held, sent, seen = dict(locks), {at: [*m] for at, m in messages.items()}, [*accesses]
            for one in did:
                match one.verb:
                    case Verb.ACQUIRE:
                        _join(clock, held.get(one.atom, {}))
                    case Verb.RELEASE:
                        held[one.atom] = dict(clock)
                    case Verb.SEND:
                        sent.setdefault(one.atom, []).append(dict(clock))
                    case Verb.RECEIVE:
                        _join(clock, sent[one.atom].pop(0))
                    case Verb.READ | Verb.WRITE:
                        for who, when, other in seen:
                            writes = Verb.WRITE in (one.verb, other.verb)
                            if who != actor and writes and clock.get(who, 0) < when[who]:
                                found.add(frozenset((_site(one), _site(other))))
                        seen.append((actor, dict(clock), one))
                    case _:
                        pass
            below(after, clocks | {actor: clock}, held, sent, seen)

    below(system.start().state, {}, {}, {}, [])
    return found


def _join(clock: Clock, other: Clock) -> None:
    for actor, time in other.items():
        clock[actor] = max(clock.get(actor, 0), time)


def _site(did: Did) -> Site | None:
    assert did.request is not None
    return did.request.operation.site


def searched(*processes: tuple[Act, ...]) -> Iterator[tuple[System, Races]]:
    for kind in (GraphSearch, DPORSearch):
        system = System(program(*processes))
        search = kind(system)
        while search.advance(10**6, Bounds()):
            pass
        assert search.outcome.complete
        yield system, search.outcome.races


@given(_PROGRAM)
def test_both_searches_find_the_data_races_that_vector_clocks_find(
    processes: list[tuple[Act, ...]],
) -> None:
    wanted = by_vector_clocks(System(program(*processes)))
    for system, races in searched(*processes):
        assert set(races.data) == wanted
        for race in races.data.values():
            _both_may_be_next(system, race.moves)


def _both_may_be_next(system: System, moves: tuple[object, ...]) -> None:
    state = system.start().state
    for move in moves[:-2]:
        state = system.take(state, move).state
    assert set(moves[-2:]) <= set(system.moves(state))


@given(_PROGRAM)
def test_a_sampler_finds_no_data_race_that_there_is_not(processes: list[tuple[Act, ...]]) -> None:
    system = System(program(*processes))
    search = SampleSearch(system, "portfolio", 1)
    search.advance(300, Bounds(states=40))
    assert set(search.outcome.races.data) <= by_vector_clocks(System(program(*processes)))
    for race in search.outcome.races.data.values():
        _both_may_be_next(system, race.moves)


@pytest.mark.parametrize("search", ["graph", "dpor", "portfolio"])
@pytest.mark.parametrize("grain", ["atom", "call"])
def test_unlocked_memory_is_found_with_both_sites(search: str, grain: str) -> None:
    checked = syncsim.check(CHECKED / "unlocked.py", search=search, grain=grain, max_states=2_000)
    assert checked.verdict == ("finished" if search != "portfolio" else "undecided")
    told = sorted(one.explanation for one in checked.findings if one.kind == "data race")
    assert [_lines(one) for one in told] == [{"8", "12"}, {"13", "24"}]
    assert "Ada writes total" in told[0]
    assert "Bob reads it" in told[0]


def _lines(sentence: str) -> set[str]:
    return {part.split(")")[0] for part in sentence.split("unlocked.py:")[1:]}


def test_a_lock_that_both_take_leaves_no_data_race() -> None:
    checked = syncsim.check(CHECKED / "lost_update.py")
    assert checked.verdict == "assertion"
    assert "data race" not in {one.kind for one in checked.findings}


@pytest.mark.parametrize("grain", ["atom", "call"])
def test_the_schedule_of_a_data_race_leads_the_real_processes_to_it(grain: str) -> None:
    checked = syncsim.check(CHECKED / "unlocked.py", grain=grain)
    races = [one for one in checked.findings if one.kind == "data race"]
    assert len(races) == 2
    for race in races:
        *way, one, other = parse_schedule(race.schedule)
        assert one.actor != other.actor
        world = RealRun(load(CHECKED / "unlocked.py"), patience=30.0)
        try:
            world.settle()
            for choice in way:
                world.adapt(choice.grain)
                _take(world, choice)
            assert {one, other} <= set(world.choices())
            pending = [world.state.actors[who.actor].pending for who in (one, other)]
            verbs = {operation.verb for operation in pending if operation is not None}
            assert Verb.WRITE in verbs or grain == "call"
            lines = {str(p.site.line) for p in pending if p is not None and p.site is not None}
            assert lines == _lines(race.explanation)
        finally:
            world.close()


def _take(world: RealRun, choice: Choice) -> None:
    assert choice in world.choices()
    world.take(choice)
    world.settle()
