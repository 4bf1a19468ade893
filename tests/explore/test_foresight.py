"""Foresight against every schedule, one by one; and a run followed as the real world makes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from either import either
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import Act, program

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.operation import Verb
from syncsim.core.outlook import Foreseen, Outlook
from syncsim.core.schedule import Choice, Grain, format_schedule, parse_schedule
from syncsim.explore.foresight import Foresight, whole_graph
from syncsim.explore.results import failure_in, verdict_at_the_end
from syncsim.explore.worker import schedule_of
from syncsim.program.source import load
from syncsim.real.run import RealRun
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

CHECKED = Path(__file__).parent / "checked"
PUZZLES = Path(__file__).parents[2] / "puzzles"
_settings = settings(max_examples=settings.default.max_examples // 2, deadline=None)


def foresight_of(system: System) -> Foresight:
    graph = whole_graph(system, 200_000)
    assert graph is not None
    return Foresight(graph)


def foresight(path: Path) -> Foresight:
    return foresight_of(System(VirtualProgram(load(path)).main()))


# -- the oracle: all schedules, one after the other, nothing kept and nothing left out ---------


def schedules(system: System) -> Iterator[tuple[tuple[str, ...], Verdict]]:
    """Every schedule, as the schedules of all its beginnings; and what it comes to."""

    def below(
        state: State, done: tuple[Did, ...], beginnings: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], Verdict]]:
        beginnings = (*beginnings, schedule_of(system, done, by_call=False))
        failure = failure_in(state)
        moves = system.moves(state) if failure is None else ()
        if not moves:
            yield beginnings, failure or verdict_at_the_end(system, state)
        for move in moves:
            after, did = system.take(state, move)
            yield from below(after, done + did, beginnings)

    yield from below(*system.start(), ())


def outcomes(system: System) -> dict[str, set[Verdict]]:
    """What each beginning of a schedule can come to."""
    found: dict[str, set[Verdict]] = {}
    while True:
        known = system.discovered
        found.clear()
        for beginnings, verdict in schedules(system):
            for beginning in beginnings:
                found.setdefault(beginning, set()).add(verdict)
        if system.discovered == known:
            return found


def outlook(verdicts: set[Verdict]) -> Outlook:
    if verdicts == {Verdict.FINISHED}:
        return Outlook.SAFE
    return Outlook.OPEN if Verdict.FINISHED in verdicts else Outlook.DOOMED


def hold(ours: Foresight, every: dict[str, set[Verdict]]) -> None:
    """Hold what is foreseen to what all schedules come to."""
    for beginning, verdicts in every.items():
        choices = parse_schedule(beginning)
        seen = ours.foresee(0, choices, Grain.ATOM)
        assert seen is not None, beginning
        assert (seen.outlook, set(seen.fails)) == (
            outlook(verdicts),
            verdicts - {Verdict.FINISHED},
        ), beginning
        for choice, expected in seen.choices:
            after = every.get(format_schedule([*choices, choice]))
            if after is not None:  # (a feeder makes several choices of one step)
                assert expected is outlook(after), (beginning, choice)


_ACTS = [
    *(Act(verb, atom) for verb in (Verb.ACQUIRE, Verb.RELEASE) for atom in ("lock", "other")),
    Act(Verb.ACQUIRE, "signal"),
    Act(Verb.RELEASE, "signal"),
    Act(Verb.ACQUIRE, "lock", blocking=False),
    Act(Verb.ACQUIRE, "signal", timeout=1.0),
    Act(Verb.READ, "cell"),
    Act(Verb.WRITE, "cell"),
]
_PIPES = [
    Act(Verb.SEND, "pipe"),
    Act(Verb.RECEIVE, "pipe"),
    Act(Verb.POLL, "pipe", blocking=False),
    Act(Verb.PUT, "queue"),
    Act(Verb.RECEIVE, "queue"),
    Act(Verb.POLL, "queue", blocking=False),
]


def _two(acts: list[Act], most: int) -> st.SearchStrategy[list[list[Act]]]:
    return st.lists(st.lists(st.sampled_from(acts), max_size=most), min_size=2, max_size=2)


def _hold_to_all_schedules(plan: list[list[Act]]) -> None:
    seed = program(*map(tuple, plan))
    hold(foresight_of(System(seed)), outcomes(System(seed, eager=False)))


@given(_two(_ACTS, 3))
@_settings
def test_what_is_foreseen_is_what_all_schedules_come_to(plan: list[list[Act]]) -> None:
    _hold_to_all_schedules(plan)


@given(_two(_PIPES, 2))
@_settings
def test_so_with_pipes_and_queues(plan: list[list[Act]]) -> None:
    _hold_to_all_schedules(plan)


@given(_two(_ACTS, 1), st.lists(st.sampled_from(_ACTS), min_size=1, max_size=1))
@settings(_settings, max_examples=_settings.max_examples // 4)
def test_so_with_three(plan: list[list[Act]], third: list[Act]) -> None:
    _hold_to_all_schedules([*plan, third])


_TWO_WAYS = """\
from multiprocessing import Lock, Process, Value

def work(mine, other, count):
    with mine:
        with other:
            seen = count.value
            assert seen < 1, "twice"
            count.value = seen + 1

if __name__ == "__main__":
    a, b, count = Lock(), Lock(), Value("i", 0, lock=False)
    one, two = Process(target=work, args=(a, b, count)), Process(target=work, args=(b, a, count))
    one.start()
    two.start()
"""


def test_a_program_that_fails_in_two_ways(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(_TWO_WAYS)
    ours = foresight(path)
    hold(ours, outcomes(System(VirtualProgram(load(path)).main(), eager=False)))
    start = ours.foresee(0, (), Grain.CALL)
    assert start is not None
    assert start.outlook is Outlook.DOOMED
    assert set(start.fails) == {Verdict.ASSERTION, Verdict.DEADLOCK}
    assert start.doomed_after == 0


# -- runs that never end ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("eat_for_ever", Verdict.DEADLOCK), ("spins_for_ever", Verdict.LIVELOCK)],
)
def test_a_program_that_never_ends_can_still_fail(name: str, verdict: Verdict) -> None:
    seen = foresight(CHECKED / f"{name}.py").foresee(0, (), Grain.CALL)
    assert seen is not None
    assert verdict in seen.fails


def test_who_eats_for_ever_is_neither_safe_nor_doomed_until_each_has_one_fork() -> None:
    ours = foresight(CHECKED / "eat_for_ever.py")
    seen = ours.foresee(0, parse_schedule("a3b4cb"), Grain.CALL)
    assert seen is not None
    assert seen.outlook is Outlook.OPEN  # a run without end is as good an end as any
    seen = ours.foresee(0, parse_schedule("a3bc"), Grain.CALL)
    assert seen is not None
    assert dict(seen.choices)[Choice(3)] is Outlook.DOOMED
    seen = ours.foresee(5, parse_schedule("d"), Grain.CALL)
    assert seen is not None
    assert (seen.outlook, seen.doomed_after, seen.choices) == (Outlook.DOOMED, 6, ())


# -- following the real world -------------------------------------------------------------------


def _walk(path: Path, grain: Grain, seed: int, switch: bool = False) -> list[Foreseen | None]:
    """A random run of real processes; what was foreseen on its way."""
    ours, source = foresight(path), random.Random(seed)
    world = RealRun(load(path), patience=30.0)
    made: list[Choice] = []
    seen: list[Foreseen | None] = []
    try:
        world.settle()
        while True:
            world.adapt(grain)
            offered = world.choices()
            now = ours.foresee(0, made, grain)
            seen.append(now)
            if now is not None:
                where = f"after {format_schedule(made)!r}"
                assert {choice for choice, _ in now.choices} == set(offered), where
            if not offered:
                return seen
            made.append(source.choice(offered))
            world.take(made[-1])
            world.settle()
            if switch:
                grain = Grain.CALL if grain is Grain.ATOM else Grain.ATOM
    finally:
        world.close()


@either("grain", list(Grain))
@pytest.mark.parametrize(
    "name",
    ["dining-philosophers", "if-instead-of-while", "lost-update", "producer-consumer",
     "readers-writers"],
)  # fmt: skip
def test_the_same_choices_are_offered_as_by_the_real_world(name: str, grain: Grain) -> None:
    assert None not in _walk(PUZZLES / name / "program.py", grain, 3)


@pytest.mark.parametrize("name", ["empty_lies", "join_before_get", "item_lost_by_exit"])
@either("grain", list(Grain))
def test_so_where_a_queue_plays_its_tricks(name: str, grain: Grain) -> None:
    seen = _walk(CHECKED / f"{name}.py", grain, 5)
    assert None not in seen


def test_the_grain_may_change_on_the_way() -> None:
    assert None not in _walk(PUZZLES / "readers-writers" / "program.py", Grain.CALL, 1, switch=True)


def test_with_a_queue_that_was_used_by_the_call_the_xray_ends_foresight_without_an_error() -> None:
    seen = _walk(PUZZLES / "producer-consumer" / "program.py", Grain.CALL, 1, switch=True)
    assert seen[0] is not None
    assert seen[-1] is None


@pytest.mark.parametrize("schedule", ["a4b@k", "zz", "a4bb@tb", "b"])
def test_what_cannot_be_followed_is_not_foreseen(schedule: str) -> None:
    ours = foresight(PUZZLES / "dining-philosophers" / "program.py")
    assert ours.foresee(0, parse_schedule(schedule), Grain.CALL) is None
    assert ours.foresee(0, (), Grain.CALL) is not None


def test_the_point_of_no_return_is_when_the_last_fork_is_taken() -> None:
    ours = foresight(PUZZLES / "dining-philosophers" / "program.py")
    seen = ours.foresee(0, parse_schedule("a4bcd"), Grain.CALL)
    assert seen is not None
    assert (seen.outlook, seen.doomed_after) == (Outlook.OPEN, None)
    assert dict(seen.choices) == {Choice(3): Outlook.OPEN, Choice(4): Outlook.DOOMED}
    seen = ours.foresee(7, parse_schedule("e"), Grain.CALL)
    assert seen is not None
    assert (seen.outlook, seen.doomed_after) == (Outlook.DOOMED, 8)
    assert seen.fails == (Verdict.DEADLOCK,)
    assert seen.choices == ()


def test_a_graph_that_is_too_large_is_not_kept() -> None:
    system = System(VirtualProgram(load(PUZZLES / "dining-philosophers" / "program.py")).main())
    assert whole_graph(system, 100) is None
