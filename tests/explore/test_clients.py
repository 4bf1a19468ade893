"""The search by executions against brute force, on the programs that are held to CPython, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients import Client, clients
from either import either
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_against_cpython import FAMILIES
from test_brute_force import compare_all
from test_written import shown

from syncsim.program.source import Program
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

#: A program with so many interleavings is left out.
MOST = 2_000

_settings = settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.filter_too_much],
)


def compare(client: Client, *, by_call: bool) -> bool:
    """Hold the search to what brute force finds; False if the program is too large."""
    text = client.source()
    program = Program(Path("client.py").absolute(), text, "client.py", ("client.py",))
    system = System(VirtualProgram(program).main(), by_call=by_call)
    try:
        return compare_all(system, shown=shown, most=MOST)
    finally:
        system.close()


@either("by_call", [False, True], ids=["atom", "call"])
@pytest.mark.parametrize("kinds", [*FAMILIES, ("value", "lock")], ids="-".join)
@given(data=st.data())
@_settings
def test_each_class_is_visited_once(
    kinds: tuple[str, ...], by_call: bool, data: st.DataObject
) -> None:
    assume(compare(data.draw(clients(*kinds, most=5, each=4)), by_call=by_call))


def _client(things: str, *scripts: str) -> Client:
    """From ``kind made; ...`` and the calls of each process, with ``; `` between them."""
    pairs = [one.split(" ", 1) for one in things.split("; ")]
    calls = [tuple(script.split("; ")) for script in scripts]
    return Client(tuple((kind, made) for kind, made in pairs), tuple(calls))


_WAIT, _NOTIFY = "held, condition, condition.wait", "held, condition, condition.notify"


@pytest.mark.parametrize(
    "client",
    [
        # A release that is refused, and one that is needed, in one step.
        _client(
            "condition Condition(context.Lock())", _WAIT, f"{_WAIT}; {_WAIT}", "condition.release"
        ),
        # A wait that gives the lock and takes it again in one step.
        _client(
            "condition Condition(context.Lock())",
            _NOTIFY,
            f"condition.release; {_WAIT}, 0.002",
            f"{_WAIT}, 0.002",
        ),
        # A get that stops at an empty queue, and keeps the reader's lock meanwhile.
        _client("queue Queue()", 'queue.put, "a0"; queue.put, "a1"; queue.get, False', "queue.get"),
        # A step that takes a lock and gives it back, and one that keeps it.
        _client(
            "value Value('i', 0, lock=context.Lock())",
            "value.get_lock().acquire",
            'getattr, value, "value"',
        ),
    ],
    ids=["refused", "again", "stops", "keeps"],
)
def test_a_call_as_one_step(client: Client) -> None:
    assert compare(client, by_call=True)


def test_an_end_that_waits_for_a_feeder_is_no_part_of_the_step_before() -> None:
    client = _client(
        "short Queue(2)",
        'short.put, "a0", True, 0.002',
        'short.put, "b0"; short.put, "b1"; short.get',
    )
    assert compare(client, by_call=False)


def test_what_a_wait_does_under_its_lock_hangs_on_what_it_reads_there() -> None:
    client = _client(
        "barrier Barrier(3)",
        'barrier.abort; getattr, barrier, "n_waiting"',
        'barrier.wait; getattr, barrier, "n_waiting"',
        'getattr, barrier, "n_waiting"',
    )
    assert compare(client, by_call=False)
