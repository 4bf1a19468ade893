"""A check that is made up: what comes of it is what a test says; what it foresees is true."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from syncsim.checking import Checked, Failure
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Choice, Grain
from syncsim.core.steps import Step
from syncsim.explore.foresight import Foresight, whole_graph
from syncsim.explore.hints import ON_REAL_PROCESSES
from syncsim.program.source import Program, load
from syncsim.session.background_check import CheckUpdate, Foresaw, Judged, LooksAhead
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System

PUZZLES = Path(__file__).parents[2] / "puzzles"


@cache
def foresight(path: Path) -> Foresight:
    """What may come of the runs of that program."""
    program = load(path)
    graph = whole_graph(System(VirtualProgram(program).main()), 100_000)
    assert graph is not None
    return Foresight(graph)


class ScriptedCheck:
    """A ``Check`` that goes on only when a test says so."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.updates: deque[CheckUpdate] = deque()
        self.closed = False
        self.asked: list[tuple[Sequence[Choice], Grain]] = []
        self._foresight: Foresight | None = None

    def ask(self, number: int, choices: Sequence[Choice], grain: Grain) -> None:
        self.asked.append((choices, grain))
        assert self._foresight is not None
        self.updates.append(Foresaw(number, self._foresight.foresee(0, choices, grain)))

    def close(self) -> None:
        self.closed = True

    def come_to(self, checked: Checked, foresees: Path | None) -> None:
        """This is what came of it; it foresees the runs of that program."""
        self.updates.append(Judged(checked))
        self._foresight = foresight(foresees) if foresees else None
        self.updates.append(LooksAhead(foresees is not None))


def _step(n: int, actor: int, process: str, *, operation: str = "") -> Step:
    return Step(
        n, actor, process, 4120 + actor, "Lock.acquire", "acquire", "forks[0]", "Lock", "True",
        "program.py", 10, "dine", "", True, 0, operation,
    )  # fmt: skip


#: The four philosophers' deadlock, as the check reports it: by the atom.
DEADLOCK = Failure(
    Verdict.DEADLOCK,
    "Plato holds forks[0] and waits for forks[1]; Socrates holds forks[1] and waits for forks[2]; "
    "Kant holds forks[2] and waits for forks[3]; Hume holds forks[3] and waits for forks[0]. None "
    "of them can go on.",
    "A4BCDE",
    True,
    tuple(_step(n, 0, "main") for n in range(1, 5))
    + tuple(_step(4 + n, n, name) for n, name in enumerate("PSKH", 1)),
)
CAN_DEADLOCK = Checked(
    Verdict.DEADLOCK, DEADLOCK.explanation, True, True, "graph", 3633, 9408, 0, 40, 0.25,
    (DEADLOCK,),
)  # fmt: skip
PROVEN = Checked(
    Verdict.FINISHED,
    "All 6,686 states were visited: no process can wait for ever, no assertion can fail, none can "
    "crash.",
    True, False, "graph", 6686, 10410, 0, 80, 0.5,
)  # fmt: skip
UNDECIDED = Checked(
    Verdict.UNDECIDED,
    "Nothing bad was found, but not everything was visited: 2,000,000 states, up to a depth of 90 "
    "(the bound was 60 seconds).",
    False, False, "graph", 2_000_000, 5_000_000, 0, 90, 60.0,
)  # fmt: skip
NOT_VIRTUAL = Checked(
    Verdict.UNDECIDED,
    "The program cannot be checked: it uses os.fork (program.py, line 3), which is not in the "
    "virtual world.",
    False, False, "", 0, 0, 0, 0, 0.0, hint=ON_REAL_PROCESSES,
)  # fmt: skip
