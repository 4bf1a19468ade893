"""The check of the program on the stage: how far it is, what came of it, and what is foreseen.

Everything about it that needs no screen; the twin of ``Playing``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from syncsim.core.atoms import ActorId
from syncsim.core.outlook import Foreseen, Outlook
from syncsim.core.schedule import Choice, Grain, parse_schedule
from syncsim.program.source import Program
from syncsim.session.background_check import (
    Begin,
    BrokeOff,
    Check,
    Foresaw,
    Judged,
    LooksAhead,
    Searched,
)
from syncsim.session.closing import close_soon
from syncsim.session.history import History, Moment

if TYPE_CHECKING:
    from syncsim.checking import Checked, Failure


class Checking:
    """One program after the other; ``begin`` starts the check of one."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._check: Check | None = None
        self._forget()

    def _forget(self) -> None:
        #: The program that is, or was, checked.
        self.program: Program | None = None
        self.searched: Searched | None = None
        self.checked: Checked | None = None
        #: Whether a failure is told in steps inside calls.
        self.inside = False
        #: Why there is no result, where there is none.
        self.why = ""
        #: Whether what came of it is shown; whether the choices are to have marks.
        self.told = False
        self.marking = True
        #: Whether it is known what may come; None: not yet.
        self.known: bool | None = None
        self._asked = 0
        self._about: tuple[History, int, Grain] | None = None
        self._foreseen: Foreseen | None = None
        self._answered = 0

    # -- the check --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Return whether a check goes on."""
        return self._check is not None and not self.over

    @property
    def over(self) -> bool:
        """Return whether the check has come to a result, or to a reason why there is none."""
        return self.checked is not None or bool(self.why)

    @property
    def replayable(self) -> list[Failure]:
        """The failures that real processes have come to, the shortest first."""
        return [one for one in self.checked.failures if one.confirmed] if self.checked else []

    @property
    def word(self) -> str:
        """The word for what the key of the check does next."""
        if self.running:
            return "stop"
        if self.told:
            return "close"
        if not self.over:
            return "check"
        return "hide marks" if self.known and self.marking else "result"

    def is_of(self, program: Program) -> bool:
        """Return whether that is the program that is, or was, checked: the same text."""
        return self.program is not None and self.program.text == program.text

    def turn(self) -> None:
        """Show less of the result of the check, or all of it again."""
        if self.told:
            self.told = False
        elif self.known and self.marking:
            self.marking = False
        else:
            self.told = self.marking = True

    def start(self, program: Program) -> None:
        """Start checking the program; forget the previous check."""
        self.close()
        self.program = program
        self._check = self._begin(program)

    def close(self) -> None:
        """End the check in the background, and forget it."""
        if self._check is not None:
            close_soon(self._check.close)
        self._check = None
        self._forget()

    def drain(self) -> bool:
        """Apply the pending updates; return whether there were any."""
        updates = self._check.updates if self._check is not None else None
        waiting = len(updates) if updates is not None else 0
        while updates:
            update = updates.popleft()
            match update:
                case Searched():
                    self.searched = update
                case Judged(checked):
                    self.checked = checked
                    self.inside = any(as_one_steps(it)[1] is Grain.ATOM for it in self.replayable)
                    self.told = True
                case BrokeOff(why):
                    self.why = why
                    self.told = True
                    self.known = False
                case LooksAhead(known):
                    self.known = known
                case Foresaw(number, foreseen):
                    self._answered, self._foreseen = number, foreseen
                case _:
                    assert_never(update)
        return waiting > 0

    # -- what may come ----------------------------------------------------------------------

    def shows_marks(self, program: Program) -> bool:
        """Return whether the choices of a run of that program are to have marks."""
        return bool(self.known) and self.marking and self.is_of(program)

    def ask(self, program: Program, history: History, moment: Moment) -> None:
        """Ask what may come after that moment, unless that is known or cannot be."""
        schedule = history.schedule(moment)
        if schedule is None or self._check is None or not self.shows_marks(program):
            self._about = None
            return
        about = (history, len(schedule), moment.state.grain)
        if self._about != about:
            self._about = about
            self._asked += 1
            self._check.ask(self._asked, schedule, moment.state.grain)

    def foreseen(self, moment: Moment) -> Foreseen | None:
        """Return what may come after the moment asked about; None where it is not known.

        Where other choices are offered than were foreseen, something else is going on.
        """
        seen = self._foreseen if self._about and self._answered == self._asked else None
        if seen is None or {choice for choice, _ in seen.choices} != set(moment.state.choices()):
            return None
        return seen


def marks_of(foreseen: Foreseen | None) -> dict[ActorId, Outlook]:
    """Return what may come if an actor goes next, by actor."""
    return {} if foreseen is None else {choice.actor: it for choice, it in foreseen.choices}


def step_of(history: History, made: int) -> int | None:
    """The step that so many choices had led to; None where that is too long ago."""
    for moment in history.moments:
        if moment.chosen is not None and moment.chosen >= made:
            first = moment is history.moments[0] and moment.chosen > made
            return None if first else moment.state.n
    return None


def as_one_steps(failure: Failure) -> tuple[tuple[Choice, ...], Grain]:
    """The schedule of a failure: by the call, unless something is chosen inside a call."""
    schedule = parse_schedule(failure.schedule)
    inside = any(step.operation for step in failure.steps)
    if inside and any(choice.grain is Grain.ATOM for choice in schedule):
        return schedule, Grain.ATOM
    return tuple(Choice(choice.actor, choice.move) for choice in schedule), Grain.CALL
