"""The reduced searches against all interleavings, one by one, without any reduction."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import Act, Planned, program, served

from syncsim.core.operation import Verb
from syncsim.explore.bounds import Bounds
from syncsim.explore.dependence.relation import Event, dependent
from syncsim.explore.search.dpor import DPOR
from syncsim.explore.search.graph import GraphSearch
from syncsim.explore.virtual.events import event_of
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import State
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

#: So many programs each; with --hypothesis-profile thorough ten times as many.
_settings = settings(max_examples=5 * settings.default.max_examples // 2, deadline=None)


@dataclass(frozen=True)
class Plan:
    """What the processes do, and what the main one does beside them."""

    processes: tuple[tuple[Act, ...], ...]
    main: tuple[Act, ...] = ()

    #: Whether there is a server that keeps things.
    is_served: bool = False

    def seed(self) -> Planned:
        """The main process."""
        make = served if self.is_served else program
        return make(*self.processes, main=self.main)


_SEMAPHORES = [
    Act(Verb.ACQUIRE, "lock"),
    Act(Verb.RELEASE, "lock"),
    Act(Verb.ACQUIRE, "other"),
    Act(Verb.RELEASE, "other"),
    Act(Verb.ACQUIRE, "two"),
    Act(Verb.RELEASE, "two"),
    Act(Verb.ACQUIRE, "signal"),
    Act(Verb.RELEASE, "signal"),
    Act(Verb.ACQUIRE, "rlock"),
    Act(Verb.RELEASE, "rlock"),
    Act(Verb.ACQUIRE, "bounded"),
    Act(Verb.RELEASE, "bounded"),
]
_TRIES = [
    Act(Verb.ACQUIRE, "lock", blocking=False),
    Act(Verb.ACQUIRE, "rlock", blocking=False),
    Act(Verb.ACQUIRE, "lock", timeout=1.0),
    Act(Verb.ACQUIRE, "other", timeout=1.0),
    Act(Verb.ACQUIRE, "signal", timeout=1.0),
    Act(Verb.ACQUIRE, "two", timeout=1.0),
    Act(Verb.VALUE, "signal"),
    Act(Verb.VALUE, "two"),
]
_CELLS = [Act(Verb.READ, "cell"), Act(Verb.WRITE, "cell")]
_PIPES = [
    Act(Verb.SEND, "pipe"),
    Act(Verb.RECEIVE, "pipe"),
    Act(Verb.POLL, "pipe", blocking=False),
    Act(Verb.POLL, "pipe", timeout=1.0),
    Act(Verb.PUT, "queue"),
    Act(Verb.RECEIVE, "queue"),
    Act(Verb.POLL, "queue", blocking=False),
    Act(Verb.FLUSH, "queue"),
]
_CLOSES = [Act(Verb.CLOSE, "pipe", blocking=False), Act(Verb.CLOSE, "pipe")]
_LIVES = [
    Act(verb, child, timeout=timeout)
    for child in "012"
    for verb, timeout in [
        (Verb.JOIN, None),
        (Verb.JOIN, 1.0),
        (Verb.ALIVE, None),
        (Verb.TERMINATE, None),
    ]
]

_CALLS = [
    Act(Verb.CALL, "dict", method="__getitem__", arguments=("n",)),
    Act(Verb.CALL, "dict", method="__setitem__", arguments=("n", 1)),
    Act(Verb.CALL, "dict", method="__setitem__", arguments=("n", 2)),
    Act(Verb.CALL, "dict", method="setdefault", arguments=("m", 3)),
    Act(Verb.CALL, "Queue", method="get"),
    Act(Verb.CALL, "Queue", method="get", arguments=(True, 1.0)),
    Act(Verb.CALL, "Queue", method="get", arguments=(False,)),
    Act(Verb.CALL, "Queue", method="put", arguments=(1,)),
    Act(Verb.CALL, "Queue", method="put", arguments=(2,)),
    Act(Verb.CALL, "Queue", method="task_done"),
    Act(Verb.CALL, "Queue", method="join"),
    Act(Verb.CALL, "Event", method="set"),
    Act(Verb.CALL, "Event", method="clear"),
    Act(Verb.CALL, "Event", method="wait"),
    Act(Verb.CALL, "Event", method="wait", arguments=(1.0,)),
    Act(Verb.CALL, "Barrier", method="wait"),
    Act(Verb.CALL, "Barrier", method="reset"),
    Act(Verb.CALL, "Barrier", method="abort"),
]
_SHUT_DOWN = [Act(Verb.CALL, "")]


def _programs(most: int, *acts: list[Act], lives: bool = False) -> st.SearchStrategy[Plan]:
    """Programs of two or three processes, with at most so many acts all in all."""
    every = [act for group in acts for act in group]
    processes = st.lists(st.lists(st.sampled_from(every), max_size=4), min_size=2, max_size=3)
    main = st.lists(st.sampled_from([*every, *_LIVES]), max_size=2 if lives else 0)
    return st.builds(Plan, processes.map(lambda found: _shortened(found, most)), main.map(tuple))


def _shortened(processes: list[list[Act]], most: int) -> tuple[tuple[Act, ...], ...]:
    while sum(map(len, processes)) > most:
        max(processes, key=len).pop()
    return tuple(map(tuple, processes))


def brute_force(system: System) -> Iterator[tuple[tuple[Event, ...], State]]:
    """Every interleaving."""

    def below(state: State, events: tuple[Event, ...]) -> Iterator[tuple[tuple[Event, ...], State]]:
        moves = system.moves(state)
        if not moves:
            yield events, state
        for move in moves:
            after, did = system.take(state, move)
            yield from below(after, (*events, event_of(move, did, system.discoveries.killable)))

    yield from below(system.start().state, ())


def exhausted(
    system: System, most: int | None = None
) -> list[tuple[tuple[Event, ...], State]] | None:
    """Every interleaving, once it is known whose end is a step of its own; None if too many."""
    while True:
        known = system.discovered
        every = list(islice(brute_force(system), most))
        if len(every) == most:
            return None
        if known == system.discovered:
            return every


def traces(executions: Iterable[tuple[Event, ...]]) -> set[Hashable]:
    """The classes of those: who did what, and the order of each two events that conflict."""
    found: set[Hashable] = set()
    for events in executions:
        counts: dict[int, int] = {}
        named = []
        for event in events:
            actor = event.move.actor
            counts[actor] = counts.get(actor, 0) + 1
            named.append(((actor, counts[actor]), event))
        found.add(
            frozenset(
                (one, other)
                for at, (other, event) in enumerate(named)
                for one, before in named[:at]
                if one[0] != other[0] and dependent(before, event)
            )
            | frozenset((name, event.move.times_out) for name, event in named)
        )
    return found


def compare(plan: Plan, *, by_call: bool = False, optimal: bool = True) -> None:
    """Hold both searches to what brute force finds."""
    compare_all(System(plan.seed(), by_call=by_call), optimal=optimal)


def compare_all(
    system: System,
    *,
    optimal: bool = True,
    shown: Callable[[State], Hashable] = lambda state: state.key,
    most: int | None = None,
) -> bool:
    """The same of any small system, where of an end only matters what is ``shown`` of it.

    False if it is too large: it has so many interleavings or more.
    """
    every = exhausted(system, most)
    if every is None:
        return False
    ends = {state.key for _, state in every}
    executions = list(DPOR(VirtualSystem(system)).executions())
    visited = {shown(one.state) for one in executions if not one.blocked}
    assert visited == {shown(state) for _, state in every}
    graph = GraphSearch(system)
    assert not graph.advance(10**6, Bounds())
    assert graph.outcome.complete
    assert graph.outcome.ends == len(ends)
    if optimal:
        assert not any(one.blocked for one in executions)
        assert len(executions) == len(traces(events for events, _ in every))
    return True


@pytest.mark.parametrize("by_call", [False, True])
@given(plan=_programs(7, _SEMAPHORES, _CELLS))
@_settings
def test_semaphores_and_cells(plan: Plan, by_call: bool) -> None:
    compare(plan, by_call=by_call)


@pytest.mark.parametrize("by_call", [False, True])
@given(plan=_programs(7, _SEMAPHORES, _CELLS, _TRIES))
@_settings
def test_tries_and_timeouts(plan: Plan, by_call: bool) -> None:
    compare(plan, by_call=by_call)


@pytest.mark.parametrize("by_call", [False, True])
@given(plan=_programs(5, _PIPES, _CELLS))
@_settings
def test_pipes_and_queues(plan: Plan, by_call: bool) -> None:
    compare(plan, by_call=by_call)


@given(_programs(3, _SEMAPHORES, _CELLS, _TRIES, _PIPES, lives=True))
@_settings
def test_lives(plan: Plan) -> None:
    compare(plan, optimal=False)


def _served_programs(most: int, *main: Act) -> st.SearchStrategy[Plan]:
    """Programs with a server."""
    plans = _programs(most, _CALLS, _SEMAPHORES[:2])
    return plans.map(lambda plan: Plan(plan.processes, main, is_served=True))


@given(_served_programs(6))
@_settings
def test_calls_on_what_a_server_keeps(plan: Plan) -> None:
    compare(plan)


@given(_served_programs(4, *_SHUT_DOWN))
@_settings
def test_a_server_that_is_shut_down(plan: Plan) -> None:
    compare(plan, optimal=False)


@given(_programs(5, _CLOSES, _PIPES[:4], _CELLS))
@_settings
def test_ends_of_pipes(plan: Plan) -> None:
    compare(plan, optimal=False)


@pytest.mark.parametrize("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize("sleepers", [2, 3])
def test_a_call_goes_on_or_not_by_what_others_hold(sleepers: int, by_call: bool) -> None:
    """By the call, a sleeper that gives up takes the lock in the same step, if it is free."""
    path = Path(__file__).parent / "programs" / "times_out.py"
    system = System(VirtualProgram(load(path, (str(sleepers),))).main(), by_call=by_call)
    executions = list(DPOR(VirtualSystem(system)).executions())
    assert not any(one.blocked for one in executions)
    graph = GraphSearch(system)
    graph.advance(10**6, Bounds())
    assert graph.outcome.complete
    assert graph.outcome.ends == len({one.state.key for one in executions})
