"""A check in the background: a thread that drives the checker and tells what comes of it.

The program is searched in a process of its own, and what is found is replayed on real
processes; the thread alone waits for either.  It is asked through ``ask``, and answers with
immutable updates in a deque.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.outlook import Foreseen
from syncsim.core.schedule import Choice, Grain
from syncsim.program.source import Program

if TYPE_CHECKING:  # whoever does not check does not wait for it
    from syncsim.checking import Checked
    from syncsim.explore.checker import Checker


class Searched(Struct, frozen=True):
    """So far the search has come."""

    states: int
    rate: float
    seconds: float


class Judged(Struct, frozen=True):
    """The result of the check."""

    checked: Checked


class LooksAhead(Struct, frozen=True):
    """The word on foresight: whether it is known what may come of each choice."""

    known: bool


class Foresaw(Struct, frozen=True):
    """The answer to the question with that number; None: it is not known what may come."""

    number: int
    foreseen: Foreseen | None


class BrokeOff(Struct, frozen=True):
    """The check itself failed: a sentence."""

    why: str


CheckUpdate: TypeAlias = Searched | Judged | LooksAhead | Foresaw | BrokeOff


class Check(Protocol):
    """A check that is going on, or is there to be asked; no method but ``close`` blocks."""

    @property
    def updates(self) -> deque[CheckUpdate]:
        """The updates so far, oldest first; the watcher takes from the left."""
        ...

    def ask(self, number: int, choices: Sequence[Choice], grain: Grain) -> None:
        """Ask what may come after those choices.  Only the newest question is answered."""
        ...

    def close(self) -> None:
        """End it.  Comes back when nothing of it is left."""
        ...


Begin: TypeAlias = Callable[[Program], Check]


class BackgroundCheck:
    """The check of a program by the checker's process."""

    def __init__(self, program: Program) -> None:
        self.updates: deque[CheckUpdate] = deque()
        self._program = program
        self._checker: Checker | None = None
        self._closing = False
        self._lock = threading.Condition()
        self._question: tuple[int, Sequence[Choice], Grain] | None = None
        self._thread = threading.Thread(target=self._run, name="check", daemon=True)
        self._thread.start()

    def ask(self, number: int, choices: Sequence[Choice], grain: Grain) -> None:
        """Ask what may come after those choices."""
        with self._lock:
            self._question = number, choices, grain
            self._lock.notify()

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._closing = True
            if self._checker is not None:
                self._checker.close()
            self._lock.notify()
        self._thread.join()

    def _run(self) -> None:
        from syncsim.explore.checker import CheckError
        from syncsim.real.launch import StageError

        try:
            self._check()
        except (CheckError, StageError) as error:
            self._tell(BrokeOff(f"The check could not be finished: {error}."))
        except Exception as error:
            # An exception in a thread would be seen by nobody.
            self._tell(BrokeOff(f"A fault of syncsim itself: {error!r}"))

    def _check(self) -> None:
        from syncsim.checking.verdict import judge
        from syncsim.explore.checker import Checker
        from syncsim.explore.request import Report, Request

        def show(report: Report) -> None:
            rate = report.transitions / report.seconds if report.seconds else 0.0
            self._tell(Searched(report.states, rate, report.seconds))

        program = self._program
        request = Request(
            str(program.path), program.arguments, program.start_method, foresight=True
        )
        with Checker(request) as checker:
            with self._lock:
                self._checker = checker
            if self._closing:
                return
            report = checker.search(show)
            checked = judge(program, report, interrupted=lambda: self._closing)
            self._tell(Judged(checked))
            # (What the real processes did not come to is nothing to foretell either.)
            if not report.complete or checked.verdict is Verdict.UNDECIDED:
                self._tell(LooksAhead(False))
                return
            known = checker.foresees()
            self._tell(LooksAhead(known))
            while known and (question := self._next()) is not None:
                number, choices, grain = question
                self._tell(Foresaw(number, checker.ask(choices, grain)))

    def _next(self) -> tuple[int, Sequence[Choice], Grain] | None:
        """The newest question; None where no more will be asked."""
        with self._lock:
            self._lock.wait_for(lambda: self._closing or self._question is not None)
            question, self._question = self._question, None
            return None if self._closing else question

    def _tell(self, update: CheckUpdate) -> None:
        if not self._closing:
            self.updates.append(update)
