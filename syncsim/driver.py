"""The driver: the one loop over a run, and the one judge of whether anything can still move.

The screen's monitor, the headless run, the replay of a check and the search on real processes
ask it alike.  A run gives evidence (``core.run.Run``): which reports are outstanding, what the
kernel says of those who wait, whether somebody unseen may still help.  What follows from it is
said here:

- A *deadlock* is declared where the wait-for graph says so and the run confirms it; others may
  go on beside it.  Any other verdict is final only once nobody goes on beside those who wait.
- Processes that are *stopped* may be continued by a person, so they are in no deadlock.  A run
  that only they hold up stands ``HALTED``: without a person, nothing follows.  A person is told
  so as well, also where an unseen helper is not excluded.
- Where nobody can go on and nothing of that is certain, the run is listened to on.  How long is
  up to the one who asks: a headless run for as long as it was given, a replay and a search for
  some seconds (then nothing is decided), the screen for ever.
- After the last end there may be more: a process that is being born, or one that was forked past
  ``multiprocessing`` and has a moment to end (``GRACE``).  A headless run and a replay hear that
  out; the screen goes on listening anyway; a search does not wait, and proves nothing of a
  program that forks so.
- A failure that has happened has happened.  A replay and a search need not see the end of those
  who are outside our view (``failure_suffices``); who watches a run wants to.
- An operation that may *time out* is a choice (in free running: it goes on by itself), so nobody
  who waits with a time limit is in a deadlock.
- Processes that were *not seen* make a verdict doubtful (``core.deadlock.doubt``); they are told
  with it, and where they are alive a run does not confirm that nothing moves.

The screen lets a person order between any two steps, so it asks ``standing`` from a loop of its
own; all others are driven by ``follow`` or wait in ``await_standing``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.findings import Finding, FindingKind
from syncsim.core.deadlock.graph import halted, stuck_actors
from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose
from syncsim.core.run import Run
from syncsim.core.schedule import Choice, Grain
from syncsim.core.scheduler import Scheduler

#: Seconds for which a process that was forked past ``multiprocessing`` may outlive the others.
GRACE = 1.0
#: Seconds within which a deadlock beside which others could go on is proven, or never is.
_PROOF = 10.0
#: Seconds to listen before one looks again.
_LISTENS = 0.05
_FAILURES = (Verdict.ASSERTION, Verdict.CRASH)
_LIVES_ON = Finding(
    FindingKind.LEAKED_PROCESS,
    "a process that was forked outside our view outlives all others: it is ended",
)


class OutOfTimeError(Exception):
    """The deadline of the driver has passed, or its run was interrupted."""


class Rest(StrEnum):
    """The reason for which a run stands still, if it does."""

    OPEN = "open"  # somebody goes on, or help may come from where it is not seen
    HALTED = "halted"  # only processes that a person has stopped could go on
    PROVEN = "proven"  # the diagnosis is final, although processes are left
    OVER = "over"  # every process has ended


class Standing(Struct, frozen=True):
    """The diagnosis of a run at one moment, and how certain it is.

    ``halted`` are the stopped processes, if nobody that is seen goes on before they do.
    """

    rest: Rest
    diagnosis: Diagnosis
    halted: tuple[ActorId, ...] = ()

    @property
    def is_suspicion(self) -> bool:
        """True if it looks like a deadlock, and is not proven to be one."""
        return self.diagnosis.verdict is Verdict.DEADLOCK and self.rest is not Rest.PROVEN

    @property
    def believed(self) -> Diagnosis:
        """The diagnosis; the suspicion of a deadlock is no verdict."""
        return replace(self.diagnosis, verdict=None) if self.is_suspicion else self.diagnosis


class Driver:
    """Drives one run, and says how it stands.

    ``on_choice`` is called before each choice that is taken, ``on_quiet`` at the first quiet point
    and after each choice, ``on_idle`` again and again while nothing moves.  After ``deadline`` (by
    the monotonic clock), and once the run is ``interrupted``, every loop raises
    ``OutOfTimeError``.
    """

    def __init__(
        self,
        run: Run,
        *,
        deadline: float | None = None,
        interrupted: Callable[[], bool] = lambda: False,
        failure_suffices: bool = False,
        on_choice: Callable[[Choice], None] = lambda choice: None,
        on_quiet: Callable[[], None] = lambda: None,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._run = run
        self._deadline = deadline
        self._interrupted = interrupted
        self._failure_suffices = failure_suffices
        self._on_choice = on_choice
        self._on_quiet = on_quiet
        self._on_idle = on_idle

    # -- how it stands ------------------------------------------------------------------

    def standing(self, *, partly: bool = True) -> Standing:
        """Look once, without waiting.

        ``partly``: also prove a deadlock beside which others go on, which takes its time.
        """
        run = self._run
        diagnosis = diagnose(run.state)
        if run.over:
            return Standing(Rest.OVER, diagnosis)
        stopped = halted(run.state)
        if self._is_final(diagnosis, partly):
            return Standing(Rest.PROVEN, diagnosis, stopped)
        rest = Rest.HALTED if stopped and not run.may_still_move() else Rest.OPEN
        return Standing(rest, diagnosis, stopped)

    def _is_final(self, diagnosis: Diagnosis, partly: bool) -> bool:
        if diagnosis.verdict is None:
            return False
        if self._failure_suffices and diagnosis.verdict in _FAILURES:
            return not self._run.may_still_move()
        partly = partly and diagnosis.verdict is Verdict.DEADLOCK
        if not partly and self._run.state.goes_on_beside(diagnosis.stuck):
            return False
        return self._run.is_final(diagnosis.stuck)

    def await_standing(self, patience: float | None = None) -> Standing:
        """Listen until the run stands still for certain, a choice can be made, or for so long.

        ``patience`` is in seconds; None is for ever.
        """
        return self._listen_until(
            lambda standing: standing.rest is not Rest.OPEN or bool(self._run.choices()), patience
        )

    # -- driving it ---------------------------------------------------------------------

    def settle(self) -> None:
        """Wait for the next quiet point."""
        self._run.settle(self._deadline)
        self.mind_the_time()

    def mind_the_time(self) -> None:
        """Raise ``OutOfTimeError`` if there is no more time."""
        if _is_past(self._deadline) or self._interrupted():
            raise OutOfTimeError

    def follow(
        self, scheduler: Scheduler, grain: Grain = Grain.CALL, patience: float | None = None
    ) -> Standing:
        """Take what the scheduler picks, until it wants no more or nothing can follow.

        ``grain`` is for a scheduler that is content with any.  ``patience`` bounds each wait for
        what is not seen, in seconds.  Raises ``ReplayError``.
        """
        while True:
            self.settle()
            self._on_quiet()
            standing = self._pick(scheduler, grain, patience)
            if standing.rest is not Rest.OVER:
                return standing
            if (heard := self._hear_out()) is not None:
                return heard

    def observe(self) -> Standing:
        """Listen, while the operating system schedules, until nothing can follow."""
        while True:
            if self._run.pump(_LISTENS):
                self.mind_the_time()
                continue
            # (Only then: with thousands of primitives a diagnosis takes its time.)
            state = self._run.state
            if self._run.over:
                if (heard := self._hear_out()) is not None:
                    return heard
            elif stuck_actors(state) or halted(state):
                standing = self.standing()
                if standing.rest is not Rest.OPEN:
                    return standing
            self._on_idle()
            self.mind_the_time()

    def _pick(self, scheduler: Scheduler, grain: Grain, patience: float | None) -> Standing:
        """Take choice after choice; stop where none is taken and waiting does not help."""
        run = self._run
        while not run.over:
            run.adapt(scheduler.grain or grain, self._deadline)
            choices = run.choices()
            choice = scheduler.choose(run.state, choices)
            if choice is not None:
                self._on_choice(choice)
                run.take(choice, self._deadline)
                self.settle()
                self._on_quiet()
                continue
            if choices:
                # A deadlock beside which others could go on: is it proven?
                return self._listen_until(
                    lambda standing: not standing.is_suspicion, patience or _PROOF
                )
            standing = self.await_standing(patience)
            if standing.rest is not Rest.OPEN or not run.choices():
                return standing
        return self.standing()

    def _listen_until(
        self, suffices: Callable[[Standing], bool], patience: float | None
    ) -> Standing:
        """Listen until the standing suffices, or for so many seconds; return the last one."""
        until = None if patience is None else time.monotonic() + patience
        while True:
            standing = self.standing()
            if suffices(standing) or _is_past(until):
                return standing
            self._on_idle()
            self._run.pump(_LISTENS)
            self.settle()

    def _hear_out(self) -> Standing | None:
        """Hear what comes after the last end; None if somebody else was born."""
        heard = self._run.hear_out(GRACE, self._deadline)
        self.mind_the_time()
        if not self._run.over:
            return None
        diagnosis = diagnose(self._run.state)
        left = () if heard else (_LIVES_ON,)
        return Standing(Rest.OVER, replace(diagnosis, findings=(*diagnosis.findings, *left)))


def _is_past(moment: float | None) -> bool:
    return moment is not None and time.monotonic() > moment
