"""The table of kinds agrees with the library, and holds words for whatever may be waited for."""

from __future__ import annotations

from multiprocessing import synchronize

import pytest

from syncsim.core.calls import CALLS
from syncsim.core.enabled import permits
from syncsim.core.kinds import (
    KINDS,
    MADE_OF_SEMAPHORES,
    SINGLE_SEMAPHORES,
    Family,
    Kind,
    Role,
    kind_named,
)
from syncsim.core.outcomes import Outcome, outcome_of

pytestmark = pytest.mark.once


@pytest.mark.parametrize("kind", MADE_OF_SEMAPHORES, ids=lambda kind: kind.name)
def test_the_library_has_the_class_and_the_marked_methods(kind: Kind) -> None:
    cls = getattr(synchronize, kind.name)
    assert all(callable(getattr(cls, method)) for method in kind.marked)


@pytest.mark.parametrize("kind", SINGLE_SEMAPHORES, ids=lambda kind: kind.name)
def test_one_semaphore_is_one_part(kind: Kind) -> None:
    assert len(kind.roles) == 1


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_whoever_waits_for_a_part_is_told_in_words(kind: Kind) -> None:
    for role in kind.roles:
        told = kind.clause(role, "get").format(it="bell", by=", held by Ada", before="Ada is first")
        assert told.startswith("waits ")
        assert "bell" in told


def test_a_manager_keeps_a_primitive_of_the_same_kind() -> None:
    assert kind_named("Manager Condition") is KINDS["Condition"]
    assert kind_named("Manager dict").family is Family.OTHER


def test_a_part_has_the_word_of_the_wire() -> None:
    assert Role("put lock") is Role.PUT_LOCK


@pytest.mark.parametrize(
    ("value", "recursive", "holders", "can"),
    [
        (1, False, (), True),
        (0, False, (), False),
        (0, False, (7,), False),
        (0, True, (7,), True),
        (0, True, (8,), False),
    ],
)
def test_a_semaphore_can_be_taken_or_not(
    value: int, recursive: bool, holders: tuple[int, ...], can: bool
) -> None:
    class Given:
        pass

    given = Given()
    given.value, given.recursive, given.holders = value, recursive, holders
    assert permits(given, 7) is can


@pytest.mark.parametrize(
    ("call", "result", "outcome"),
    [
        ("Lock.acquire", "True", Outcome.DONE),
        ("Lock.acquire", "False", Outcome.IN_VAIN),
        ("Manager Lock.acquire", "False", Outcome.IN_VAIN),
        ("Queue.get", "False", Outcome.DONE),  # an item
        ("Queue.get", "Empty", Outcome.RAISED),
        ("Queue.get", "'Empty'", Outcome.DONE),
        ("Process.is_alive", "False", Outcome.DONE),
        ("Pool.get", "None", Outcome.DISMISSED),
        ("Queue.get", "None", Outcome.DONE),
        ("Pool.next", "StopIteration", Outcome.RAISED),
        ("Event.wait", "Stop", Outcome.RAISED),
    ],
)
def test_the_outcome_is_read_off_the_result(call: str, result: str, outcome: Outcome) -> None:
    assert outcome_of(call, result) is outcome


def test_a_call_that_stops_in_the_middle_waits_or_is_awake() -> None:
    assert outcome_of("Condition.wait", "waits", complete=False) is Outcome.WAITS
    assert outcome_of("Condition.wait", "is awake", complete=False) is Outcome.AWAKE


def test_an_operation_inside_a_call_can_be_in_vain() -> None:
    tried = outcome_of("Event.set", "False", complete=False, operation="try sleeping")
    assert tried is Outcome.IN_VAIN
    taken = outcome_of("Queue.get", "False", complete=False, operation="receive items")
    assert taken is Outcome.DONE


def test_every_call_of_a_kind_is_known_by_the_name_of_its_class() -> None:
    assert CALLS["Connection.recv"] is KINDS["Pipe"].calls["recv"]
