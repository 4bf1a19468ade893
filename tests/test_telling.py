"""A check as lines of text: everything is said, once, and in sentences that count rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

import syncsim
from syncsim import always, never, sometimes
from syncsim.checking import Checked, Failure
from syncsim.checking.telling import told
from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.verdict import Verdict
from syncsim.explore.properties.properties import Property

TURNS = Path(__file__).parent / "explore" / "checked" / "turns.py"


def came_to(verdict: Verdict, *failures: Failure, findings: tuple[Finding, ...] = ()) -> Checked:
    why = failures[0].explanation if failures else "It was looked at."
    return Checked(verdict, why, True, True, "dpor", 1, 1, 1, 1, 0.5, failures, findings)


def text_of(*claims: Property) -> str:
    checked = syncsim.check(TURNS, properties=claims)
    assert checked.verdict == "assertion"
    return "\n".join(told(checked))


def test_what_is_in_no_state_is_said_once() -> None:
    text = text_of(sometimes(lambda s: len(s.processes) == 9))
    assert text.count("does not hold") == text.count("so it is in none of the") == 1
    assert "schedule" not in text


def test_so_it_is_beside_another_failure() -> None:
    text = text_of(
        never(lambda s: len(s.processes) == 1), sometimes(lambda s: len(s.processes) == 9)
    )
    assert text.count("does not hold") == 2
    assert text.count("so it is in none of the") == 1


@pytest.mark.parametrize(
    "claim", [never(lambda s: len(s.processes) == 1), always(lambda s: len(s.processes) > 1)]
)
def test_what_fails_before_any_choice_has_no_schedule_and_says_so(claim: Property) -> None:
    text = text_of(claim)
    assert text.count("does not hold") == 1
    assert "at the beginning" in text
    assert "assertion (confirmed on real processes):\nschedule: empty, for no choice" in text


def test_what_holds_and_what_is_not_known_is_told_with_its_reason() -> None:
    checked = syncsim.check(
        TURNS, properties=[never(lambda s: len(s.processes) == 9), never(lambda s: s.inside("no"))]
    )
    text = "\n".join(told(checked))
    assert "holds: never(len(s.processes) == 9)\n  so in none of the " in text
    assert 'not known: never(s.inside("no"))\n  the program has no function called no' in text


def test_a_finding_of_a_failure_is_not_told_again_with_its_schedule() -> None:
    cycle = Finding("cycle", "each waits for the next: A → B → A")
    first = Failure(Verdict.CRASH, "A ends.", "a", True)
    second = Failure(Verdict.DEADLOCK, "Neither can go on.", "a2b", True, (), (cycle,))
    again = Finding(cycle.kind, cycle.explanation, "a2b")
    lines = told(came_to(Verdict.CRASH, first, second, findings=(again,)))
    assert [line.strip() for line in lines if "cycle" in line] == [
        "cycle: each waits for the next: A → B → A"
    ]


def test_one_is_not_counted_as_several() -> None:
    checked = came_to(Verdict.FINISHED)
    assert told(checked)[-1] == "dpor: 1 execution, 1 state, 1 step, depth 1, 0.50 s"
