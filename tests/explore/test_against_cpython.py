"""The explorer beside CPython: random programs, run freely on real processes and searched.

Nothing may happen on real processes that the search has not found; and what it has found must
happen there under its schedule.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from clients import Client, clients
from free_running import FreeRunner, Outcome, outcome_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from wrong_atoms import MUTANTS

from syncsim.checking import Failure
from syncsim.checking.replay import confirm
from syncsim.core.operation import Verb
from syncsim.explore.request import Found
from syncsim.explore.results import verdict_at_the_end
from syncsim.explore.search.dpor import DPOR, Execution
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.explore.worker import schedule_of
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import Did
from syncsim.virtual.model.system import System

#: A program with more executions than that is left out.
MOST_EXECUTIONS = 3_000
#: So often is each program run freely, and so many of its outcomes are replayed.
RUNS = 10
REPLAYS = 2

#: What the programs have, a family for each test.
FAMILIES = [
    ("lock", "rlock"),
    ("semaphore", "bounded", "lock"),
    ("condition",),
    ("event", "lock"),
    ("barrier", "semaphore"),
    ("queue", "short", "event"),
    ("joinable", "simple"),
    ("pipe", "lock"),
]


@pytest.fixture(scope="module")
def runner() -> Iterator[FreeRunner]:
    runner = FreeRunner()
    yield runner
    runner.close()


def explored(path: Path, *, by_call: bool = False) -> dict[Outcome, Found] | None:
    """What may come of the program, each with a way to it; None if that is too much."""
    system = System(VirtualProgram(load(path)).main(), by_call=by_call)
    while True:
        known, found = system.discovered, {}
        search = DPOR(VirtualSystem(system))
        for number, execution in enumerate(search.executions()):
            if number == MOST_EXECUTIONS:
                return None
            assert not execution.blocked
            assert not execution.cut
            did = [*search.begun.did, *(did for event in execution.events for did in event.did)]
            found.setdefault(_outcome(execution, did), (execution, did))
        if system.discovered == known:
            break
    return {
        outcome: Found(
            verdict_at_the_end(system, execution.state),
            schedule_of(system, did, by_call=by_call),
            len(execution.events),
        )
        for outcome, (execution, did) in found.items()
    }


def _outcome(execution: Execution, did: list[Did]) -> Outcome:
    printed = [
        ast.literal_eval(one.request.operation.detail)
        for one in did
        if one.verb is Verb.OUTPUT and one.request is not None
    ]
    main = execution.state.nodes[0]
    assert main is not None
    return outcome_of(main.ended.exitcode if main.ended is not None else None, printed)


def replayed(failure: Failure) -> Outcome:
    """What the real processes printed under the schedule."""
    printed = [ast.literal_eval(step.detail) for step in failure.steps if step.call == "print"]
    code = failure.processes[0]["exitcode"] if failure.processes else None
    return outcome_of(code, printed)


def hold_to_cpython(client: Client, folder: Path, runner: FreeRunner, runs: int = RUNS) -> bool:
    """Hold what is found of the program to what real processes do; False if it is too large."""
    path = folder / "program.py"
    path.write_text(client.source())
    found, by_call = explored(path), explored(path, by_call=True)
    if found is None or by_call is None:
        return False
    paths = [path]
    for seed in range(runs - 1):
        paths.append(folder / f"program_{seed}.py")
        paths[-1].write_text(client.source(seed))
    for outcome in runner.run(paths, found):
        assert outcome in found
    assert by_call.keys() <= found.keys()
    for every in (found, by_call):
        # The failures first: they are what is told.
        for outcome in sorted(every, key=lambda one: every[one].verdict == "finished")[:REPLAYS]:
            failure = confirm(load(path), every[outcome])
            assert failure.confirmed, (every[outcome], failure.explanation)
            assert replayed(failure) == outcome, every[outcome]
    return True


#: A few of each family; with --hypothesis-profile thorough ten times as many.
_settings = settings(
    max_examples=settings.default.max_examples // 13,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("kinds", FAMILIES, ids="-".join)
@given(data=st.data())
@_settings
def test_whatever_real_processes_do_is_found_and_the_other_way_round(
    kinds: tuple[str, ...], data: st.DataObject, runner: FreeRunner, tmp_path: Path
) -> None:
    assume(hold_to_cpython(data.draw(clients(*kinds)), tmp_path, runner))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@given(data=st.data())
@settings(_settings, max_examples=settings.default.max_examples // 20)
def test_so_it_is_with_processes_that_begin_anew(
    method: str, data: st.DataObject, runner: FreeRunner, tmp_path: Path
) -> None:
    kinds = "lock", "condition", "event", "queue", "pipe", "barrier"
    # A main process that an exception ends removes its semaphores before it joins, and a child that
    # is only beginning may not find them any more: that is not in the virtual world.
    client = replace(data.draw(clients(*kinds, most=5, method=method)), catches=True)
    assume(hold_to_cpython(client, tmp_path, runner, runs=4))


@pytest.mark.parametrize("name", MUTANTS)
def test_an_atom_that_is_wrong_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch, runner: FreeRunner, tmp_path: Path
) -> None:
    apply, client = MUTANTS[name]
    assert hold_to_cpython(client, tmp_path, runner, runs=2)
    apply(monkeypatch)
    with pytest.raises(AssertionError):
        hold_to_cpython(client, tmp_path, runner)
