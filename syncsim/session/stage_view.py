"""All that a screen shows of a stage, as one value: made once per frame, compared as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis, Verdict
from syncsim.core.live import Inspected, Mode
from syncsim.core.outlook import Foreseen, Outlook
from syncsim.core.schedule import Grain
from syncsim.core.state import State
from syncsim.core.steps import Step
from syncsim.puzzles.catalogue import Goal
from syncsim.puzzles.goals import Result
from syncsim.session.background_check import Searched
from syncsim.session.history import History

if TYPE_CHECKING:
    from syncsim.checking import Checked


class Attention(NamedTuple):
    """Where the person looks: what is chosen on the screen, and what is open there."""

    actor: ActorId | None = None
    """The chosen process."""
    primitive: str | None = None
    """The chosen primitive, or part of one."""
    inspected: ActorId | None = None
    """The process in the inspector, if that is open."""
    among_primitives: bool = False
    """Whether the person chooses among the primitives."""
    inspecting: bool = False
    """Whether the inspector is open."""
    fault_words: Mapping[str, str] | None = None
    """What the open menu of faults leaves out of the line of keys; None: it is closed."""
    covers_verdict: bool = False
    """Whether there is no room for a verdict."""

    @property
    def choosing_fault(self) -> bool:
        """Whether the menu of faults is open."""
        return self.fault_words is not None


class CheckStanding(NamedTuple):
    """All that is told of a check."""

    running: bool = False
    searched: Searched | None = None
    """How far it has come."""
    checked: Checked | None = None
    why: str = ""
    """The reason why there is no result."""
    known: bool | None = None
    """Whether it is known what may come of each choice; None: not yet."""
    stale: bool = False
    """Whether the program on the stage is another one than was checked."""
    state: State = State()
    """The actors, for their colours."""


class StageView(NamedTuple):
    """One frame of a stage."""

    state: State
    """The state of the moment looked at."""
    title: str
    goal: Goal | None
    history: History
    """The run; another one after a restart."""
    present: State
    """The newest state."""
    diagnosis: Diagnosis | None
    """What ``state`` amounts to; None while the operating system schedules."""
    step: Step | None
    """The step that led to ``state``."""
    last: Mapping[ActorId, str]
    """The last line that each process had written by then."""
    printed: int
    """How much was written since the newest step."""
    past: int | None
    """The step looked at, if that is one of the past."""
    mode: Mode
    speed: float | None
    """Steps per second; None is flat out."""
    travel: float
    """Seconds that a thing moves from one step to the next; 0 where it goes too fast."""
    picks: str
    """Who picks the next step."""
    grain: Grain
    closely: bool
    """Whether steps inside calls are counted, or told of."""
    broken: bool
    """Whether the run was broken off."""
    replaying: bool
    """Whether it is on its way back to a moment to branch from."""
    awaited: str
    """Whom or what a step that takes long waits for."""
    verdict: Verdict | None
    """The newest verdict."""
    result: Result | None
    """The verdict to tell of, unless something else is in its place."""
    result_closely: bool
    """Whether some steps up to that verdict were inside calls."""
    inspected: Inspected | None
    """The answer about the process in the inspector."""
    foreseen: Foreseen | None
    """What may come of the choices, where that is known."""
    doomed_since: int | None
    """The step since which the run can only fail."""
    marks: Mapping[ActorId, Outlook] | None
    """What may come if that actor goes next; None: the person does not want marks."""
    check: CheckStanding | None
    """What is told of the check; None where the person does not want to see it."""
    check_told: bool
    """Whether the result of the check is shown."""
    check_word: str
    """What the key for the check does next."""
    hints: int
    """How many hints there are."""
    hint: int
    """The number of the next hint, from 1."""
    notice: str
    """A sentence to the person; empty where there is none."""

    @property
    def xrayed(self) -> bool:
        """Whether the run is stepped atom by atom."""
        return self.grain is Grain.ATOM
