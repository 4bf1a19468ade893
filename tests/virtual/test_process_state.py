"""All that a virtual process is, is in its fingerprint: no field can be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncsim.core.atoms import Semaphore
from syncsim.core.operation import Operation, Verb
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.automaton import AutomatonState, Ended, Raised, Request
from syncsim.virtual.model.states import State
from syncsim.virtual.process.body import ProcessBody
from syncsim.virtual.process.fingerprint import Fingerprint, Image, Written
from syncsim.virtual.process.process_state import Call, ProcessState

pytestmark = pytest.mark.once


def nothing() -> None:
    pass


#: Another value for a field of each type.
OTHER: dict[type, Any] = {
    int: 7,
    float: 0.5,
    bool: True,
    str: "x",
    bytes: b"x",
    dict: {8: nothing},
    set: {"x"},
    list: [nothing],
    tuple: ("x",),
    type(None): Call("Queue.put", "q", None, "1"),
}


def changed(value: Any) -> Any:
    return (not value) if isinstance(value, bool) else OTHER[type(value)]


@pytest.mark.parametrize("name", ProcessState.__struct_fields__)
def test_two_states_that_differ_in_one_field_have_two_keys(name: str) -> None:
    one, other = ProcessState(looked_at_clock=True), ProcessState(looked_at_clock=True)
    assert one.key() == other.key()
    setattr(other, name, changed(getattr(one, name)))
    assert one.key() != other.key()
    hash(other.key())


def test_the_clock_counts_only_for_who_looks_at_it() -> None:
    assert ProcessState(clock=1.0).key() == ProcessState(clock=2.0).key()


#: What runs a body, is told by it, or is written down by ``Fingerprints`` and ``_own``.
MACHINERY = {
    "_at", "_dying", "_fingerprint", "_fingerprints", "_greenlet", "_ready", "_request",
    "_results", "_seeds", "_unwound", "events", "helpers", "identity", "memory", "pickling",
    "state", "who",
}  # fmt: skip


def test_what_a_body_has_besides_is_its_machinery(tmp_path: Path) -> None:
    """A new attribute belongs into ``ProcessState``, or into the list above for a reason."""
    path = tmp_path / "program.py"
    path.write_text("print()")
    program = load(path)
    body, _ = VirtualProgram(program).main().grow(())
    assert isinstance(body, ProcessBody)
    assert set(vars(body)) == MACHINERY
    body.close()


@pytest.mark.parametrize("kind", [Fingerprint, Image, Written])
def test_a_fingerprint_is_compared_by_all_fields(kind: Callable[..., Any]) -> None:
    fields = kind.__struct_fields__  # type: ignore[attr-defined]
    one = kind(*((number,) for number, _ in enumerate(fields)))
    for name in fields:
        other = msgspec.structs.replace(one, **{name: "other"})
        assert one != other
        assert hash(one) != hash(other)


def node(number: int) -> AutomatonState:
    found = AutomatonState(None, None, None)  # type: ignore[arg-type]
    found.number = number
    return found


def test_the_key_of_a_state_holds_all_of_it() -> None:
    """Each slot of a state, but for the one that keeps the key."""
    values: dict[str, tuple[Any, Any]] = {
        "nodes": ((node(1),), (node(2),)),
        "atoms": ((Semaphore(1, 1),), (Semaphore(0, 1),)),
    }
    assert set(State.__slots__) - {"_key"} == set(values)
    for name in values:
        keys: list[Hashable] = []
        for which in (0, 1):
            parts = {other: pair[which if other == name else 0] for other, pair in values.items()}
            keys.append(State(**parts).key)
        assert keys[0] != keys[1]


def test_requests_and_ends_are_compared_by_all_fields() -> None:
    request = Request(Operation(Verb.OUTPUT))
    assert request != msgspec.structs.replace(request, raised=Raised("Error"))
    assert Ended(0) != Ended(0, by_itself=True)
