"""The result of a check."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.graph import Link
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.steps import Step


class Failure(Struct, frozen=True):
    """One way to fail: its schedule, and what the real processes came to under it.

    ``confirmed`` is whether they came to that verdict; else the words are the search's.
    ``property`` is the one that does not hold, if that is the failure.
    """

    verdict: Verdict
    explanation: str
    schedule: str
    confirmed: bool
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    cycle: tuple[Link, ...] = ()
    processes: tuple[dict[str, Any], ...] = ()
    property: str = ""


class Upheld(Struct, frozen=True):
    """The result for a property: it holds, it does not, or (None) it is not known.

    ``schedule`` is that of the counterexample, or for ``sometimes`` that of a witness, and
    ``confirmed`` whether the real processes came to it.  ``site`` is where it was written.
    """

    property: str
    site: str
    holds: bool | None
    explanation: str
    schedule: str = ""
    confirmed: bool = False


class Checked(Struct, frozen=True):
    """The result of a check.

    ``complete`` says that everything was visited: then, without a failure, the program is
    proven.  ``failures`` holds one of each kind, the shortest first; ``findings`` what else was
    seen in any interleaving, and ``raced_for`` which processes raced for what, by name.  Of what
    is undecided, ``hint`` says what may help.  ``exits`` are the exit codes of the main process, of
    the counterexample or else of every end that was seen.  ``start_method`` is the default that was
    in force, and ``asked_method`` the same where it was asked for.  ``note`` is what to know of
    this Python.
    """

    verdict: Verdict
    explanation: str
    complete: bool
    confirmed: bool
    search: str
    states: int
    transitions: int
    executions: int
    depth: int
    seconds: float
    failures: tuple[Failure, ...] = ()
    findings: tuple[Finding, ...] = ()
    raced_for: dict[str, list[str]] = {}
    properties: tuple[Upheld, ...] = ()
    hint: str = ""
    exits: tuple[int, ...] = ()
    start_method: str = ""
    asked_method: str = ""
    note: str = ""

    @property
    def schedule(self) -> str:
        """That of the shortest counterexample; empty without one."""
        return self.failures[0].schedule if self.failures else ""

    @property
    def exitcode(self) -> int | None:
        """That of the main process; None while it lives, and where it is not always the same."""
        return self.exits[0] if len(self.exits) == 1 else None

    def as_dict(self) -> dict[str, Any]:
        """Return it the way ``syncsim check --json`` prints it."""
        worst = self.failures[0] if self.failures else None
        return {
            "verdict": self.verdict,
            "explanation": self.explanation,
            "hint": self.hint or None,
            "exitcode": self.exitcode,
            "start_method": self.start_method,
            "notes": [self.note] if self.note else [],
            "complete": self.complete,
            "confirmed": self.confirmed,
            "search": self.search,
            "states": self.states,
            "transitions": self.transitions,
            "executions": self.executions,
            "depth": self.depth,
            "seconds": round(self.seconds, 3),
            "schedule": self.schedule or None,
            "steps": [msgspec.structs.asdict(step) for step in worst.steps] if worst else [],
            "findings": self.findings,
            "raced_for": self.raced_for,
            "failures": [
                {
                    "verdict": one.verdict,
                    "explanation": one.explanation,
                    "schedule": one.schedule,
                    "confirmed": one.confirmed,
                    "property": one.property or None,
                }
                for one in self.failures
            ],
            "properties": [msgspec.structs.asdict(one) for one in self.properties],
            "cycle": [
                {"process": link.process, "waits_for": link.waits_for, "held_by": link.held_by}
                for link in (worst.cycle if worst else ())
            ],
            "processes": worst.processes if worst else (),
        }
