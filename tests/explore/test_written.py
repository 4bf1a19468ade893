"""The search by executions against brute force on programs as somebody writes them.

Unlike those that are made up of operations, they end as CPython lets a process end: the main one
looks who of its children is alive, terminates its daemons and waits for the others.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pytest
from either import either
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_brute_force import compare_all

from syncsim.program.source import Program
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import State
from syncsim.virtual.model.system import System

pytestmark = pytest.mark.once

_settings = settings(max_examples=settings.default.max_examples, deadline=None)

_STATEMENTS = [
    "a.acquire()",
    "a.release()",
    "a.acquire(timeout=1) and a.release()",
    "a.acquire(timeout=1)",
    "a.acquire(block=False)",
    "b.acquire()",
    "b.release()",
    "b.acquire(timeout=1)",
    "two.acquire()",
    "two.acquire(timeout=1)",
    "two.release()",
]
_JOINS = ["p0.join()", "p1.join()"]
_ASKS = [
    "active_children() and a.acquire()",
    "p0.exitcode is None and b.acquire()",
    "p1.exitcode is None and a.release()",
    "p1.is_alive() and two.acquire()",
    "p0.join(timeout=1)",
]


@dataclass(frozen=True)
class Written:
    """What the processes do, one statement after the other, and the main one; who is a daemon."""

    processes: tuple[tuple[str, ...], ...]
    main: tuple[str, ...] = ()
    daemons: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """The program."""
        lines = [
            "from multiprocessing import Lock, Process, Semaphore, active_children",
            "a, b, two = Lock(), Lock(), Semaphore(2)",
        ]
        for number, statements in enumerate(self.processes):
            lines += [f"def f{number}():", *(f"    {one}" for one in statements), "    return"]
        lines.append("if __name__ == '__main__':")
        for number in range(len(self.processes)):
            lines.append(f"    p{number} = Process(target=f{number})")
            lines += [f"    p{number}.daemon = {number in self.daemons}", f"    p{number}.start()"]
        return "\n".join([*lines, *(f"    {one}" for one in self.main), ""])


def _programs(most: int, main: list[str], daemons: int = 0) -> st.SearchStrategy[Written]:
    """Two or three processes, with at most so many statements all in all."""
    processes = st.lists(
        st.lists(st.sampled_from(_STATEMENTS), min_size=1, max_size=4), min_size=2, max_size=3
    ).filter(lambda found: sum(map(len, found)) <= most)
    return st.builds(
        Written,
        processes.map(lambda found: tuple(map(tuple, found))),
        st.lists(st.sampled_from(main), max_size=2).map(tuple),
        st.frozensets(st.integers(0, 1), max_size=daemons),
    )


def compare(written: Written, *, by_call: bool, optimal: bool = True) -> None:
    """Hold the searches to what brute force finds."""
    program = Program(Path("written.py").absolute(), written.text, "written.py", ("written.py",))
    system = System(VirtualProgram(program).main(), by_call=by_call)
    compare_all(system, optimal=optimal, shown=shown)


def shown(state: State) -> Hashable:
    """All but whether a child was found ended, or joined, by the main process when that ended."""
    return state.atoms, tuple(
        (node.ended, node.request and node.request.operation) for node in state.nodes if node
    )


@either("by_call", [False, True])
@given(written=_programs(6, _JOINS))
@example(
    # The end of f1 is no matter to the main process, which joins f1 if it has not ended.
    written=Written(
        (
            ("a.acquire()", "a.release()", "a.acquire()", "a.release()"),
            ("a.acquire(timeout=1) and a.release()", "a.acquire()"),
        ),
        ("p0.join()",),
    )
)
@example(written=Written((("a.acquire()", "a.release()"), ("a.acquire()",)), ("p0.join()",)))
@_settings
def test_children_are_waited_for(written: Written, by_call: bool) -> None:
    compare(written, by_call=by_call)


@either("by_call", [False, True])
@given(written=_programs(4, [*_JOINS, *_ASKS], daemons=1))
@example(
    # Whether a daemon is killed while it holds a depends on when another one ends.
    written=Written(
        (("a.acquire()", "a.release()"), ("b.acquire()",), ("a.acquire()",)),
        ("p1.join()",),
        frozenset({0}),
    )
)
@example(
    written=Written(
        (("a.acquire()",), ("b.acquire()",)),
        ("p1.join()", "active_children() and a.acquire()"),
    )
)
@_settings
def test_children_are_asked_about(written: Written, by_call: bool) -> None:
    compare(written, by_call=by_call, optimal=False)
