"""What a property sees: the same in the virtual world and of the real processes, step for step."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from either import either

from syncsim.checking.witness import Witness
from syncsim.core.schedule import parse_schedule
from syncsim.explore.properties.properties import NotYetError, PropertyError, View, always
from syncsim.explore.properties.views import VirtualView
from syncsim.explore.worker import schedule_of
from syncsim.program.source import load
from syncsim.puzzles.catalogue import catalogue
from syncsim.real.run import RealRun
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import Did, PlaceOfData
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

#: (The exchange has a Manager, which the virtual world does not have.)
PUZZLES = [puzzle.program for puzzle in catalogue() if puzzle.slug != "exchange"]
PROGRAMS = sorted((Path(__file__).parent / "claimed").glob("*.py"))


def asked(question: Any, *words: str) -> object:
    """The answer, or why there is none."""
    try:
        return question(*words)
    except (NotYetError, PropertyError) as error:
        return str(error)


def seen(view: View, functions: set[str], names: set[str]) -> dict[str, object]:
    """Everything that can be asked."""
    found: dict[str, object] = {"processes": view.processes, "over": view.over}
    for process in view.processes:
        found[f"exit code of {process}"] = view.exitcode(process)
        for function in functions:
            found[f"{process} in {function}"] = view.inside(function, process)
    for name in names:
        for question in (view.value, view.items, view.holders, view.waiting):
            found[f"{question.__name__} of {name}"] = asked(question, name)
    return found


def run_both(path: Path, arguments: tuple[str, ...], seed: int, *, by_call: bool) -> None:
    source = random.Random(seed)
    program = load(path, arguments)
    virtual = VirtualProgram(program)
    system = System(virtual.main(), by_call=by_call, eager=False)
    system.keep(PlaceOfData.HOLDERS)
    system.keep(PlaceOfData.HISTORY)
    state, did = system.start()
    every: list[Did] = [*did]
    view = VirtualView(system)
    views: list[View] = []
    witness = Witness(always(lambda real: views.append(real) or True))
    real = RealRun(program, patience=30.0)
    made = 0
    try:
        real.settle()
        while True:
            witness.look(real)
            view.state = state
            names = {one.name for one in real.state.primitives.values()}
            wanted: tuple[set[str], set[str]] = set(virtual.functions), names
            schedule = schedule_of(system, every, by_call=by_call)
            assert seen(view, *wanted) == seen(views[-1], *wanted), f"after {schedule!r}"
            moves = system.moves(state)
            if not moves or made > 150:
                break
            state, did = system.take(state, source.choice(moves))
            every += did
            choices = parse_schedule(schedule_of(system, every, by_call=by_call))
            for choice in choices[made:]:
                real.adapt(choice.grain)
                real.take(choice)
                real.settle()
            made = len(choices)
    finally:
        real.close()
        system.close()


def arguments_of(path: Path) -> tuple[str, ...]:
    return ("politely", "4") if path.stem == "table" else ()


@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize(
    "path", [*PUZZLES, *PROGRAMS], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_property_sees_the_same_in_both_worlds(path: Path, by_call: bool) -> None:
    run_both(path, arguments_of(path), 1, by_call=by_call)


@pytest.mark.slow
@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "path", [*PUZZLES, *PROGRAMS], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_many_runs_are_seen_the_same_in_both_worlds(path: Path, seed: int, by_call: bool) -> None:
    run_both(path, arguments_of(path), seed, by_call=by_call)
