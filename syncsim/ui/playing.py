"""A run as one plays it: what was seen, how it goes on, where one looks.

Everything about playing that needs no screen: it drains the updates of a ``Live``, and starts
the run again, from the beginning or from an earlier moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias, assert_never

from syncsim.core.atoms import ActorId
from syncsim.core.diagnosis import Diagnosis, diagnose
from syncsim.core.live import (
    Broken,
    Diagnosed,
    Inspected,
    Live,
    Mode,
    ModeChanged,
    Printed,
    Refused,
    Settled,
    Stepped,
    Update,
)
from syncsim.core.scheduler import Replay, Scheduler, scheduler_named
from syncsim.core.state import State
from syncsim.program.source import Program
from syncsim.ui.history import History, Moment
from syncsim.ui.speed import FIRST, LADDER

Start: TypeAlias = Callable[[Program, Scheduler], Live]

#: At most so many updates are taken in one frame, so that a key is always answered soon.
MOST_AT_ONCE = 5000

#: Up to so many steps per second one can look closely at a process.
CALM = 8


class Playing:
    """One program being played; ``start`` begins a run of it and is called again to restart."""

    def __init__(self, program: Program, start: Start, scheduler: str = "random:1") -> None:
        self.program = program
        self.scheduler = scheduler
        self.rung = FIRST
        self._start = start
        self._begin(scheduler_named(scheduler))

    def _begin(self, scheduler: Scheduler) -> None:
        self.history = History()
        self.mode = Mode.PAUSED
        self.verdicts: list[Diagnosed] = []
        self.inspected: Inspected | None = None
        self.said = ""
        self.broken = ""
        #: The step one looks at; None is the present.
        self.at: int | None = None
        #: The states of the steps that were taken in since ``fresh`` was last emptied.
        self.fresh: list[State] = []
        #: What each process wrote last, since ``wrote`` was last emptied.
        self.wrote: dict[ActorId, str] = {}
        self._replay_to: int | None = None
        self._judged: tuple[State, Diagnosis] | None = None
        self._stopped = False
        try:
            self.live = self._start(self.program, scheduler)
        except OSError as error:
            if not hasattr(self, "live"):
                raise
            self.broken = f"The run cannot be started again: {error}."
        else:
            self.live.speed(self.speed)

    # -- taking in what happened ------------------------------------------------------------

    def drain(self) -> bool:
        """Take in what has happened; whether anything has."""
        updates = self.live.updates
        waiting = min(len(updates), MOST_AT_ONCE)
        for _ in range(waiting):
            self._take(updates.popleft())
        if self._replay_to is not None:
            self._end_of_replay(self._replay_to)
        return waiting > 0

    def _take(self, update: Update) -> None:
        match update:
            case Stepped():
                self.history.add(update)
                self.fresh.append(update.state)
            case Settled():
                self.history.settle(update)
            case Printed():
                self.history.hear(update)
                if update.actor is not None:
                    self.wrote[update.actor] = update.text
            case ModeChanged(mode):
                self._stopped = self.mode is Mode.PLAYING and mode is Mode.PAUSED
                self.mode = mode
            case Diagnosed():
                self.verdicts.append(update)
            case Refused(why):
                self.said = why
            case Inspected():
                self.inspected = update
            case Broken(message):
                self.broken = message
            case _:
                assert_never(update)

    # -- what one sees ----------------------------------------------------------------------

    @property
    def moment(self) -> Moment:
        """The moment one looks at."""
        return self.history.at(self.at)

    @property
    def verdict(self) -> Diagnosed | None:
        """The newest verdict."""
        return self.verdicts[-1] if self.verdicts else None

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What the shown state amounts to; None while the operating system schedules.

        (A state of a free run may be of the middle of things: it does not say who can go.)
        """
        last = self.verdict
        state = self.moment.state
        if self.at is None and last is not None and last.n == state.n:
            return last.diagnosis
        if self.mode is Mode.FREE:
            return None
        if self._judged is None or self._judged[0] is not state:
            self._judged = (state, diagnose(state))
        return self._judged[1]

    @property
    def speed(self) -> float | None:
        """Steps per second; None is flat out."""
        return LADDER[self.rung]

    @property
    def calm(self) -> bool:
        """Whether a process stays where it is long enough to look at it closely."""
        if self.mode is Mode.PLAYING:
            return self.speed is not None and self.speed <= CALM
        return self.mode is not Mode.FREE

    @property
    def replaying(self) -> bool:
        """Whether it is on its way back to a moment one branches from."""
        return self._replay_to is not None

    # -- having a hand in it ----------------------------------------------------------------

    def faster(self, by: int) -> None:
        """So many rungs faster (slower, if negative)."""
        self.rung = max(0, min(self.rung + by, len(LADDER) - 1))
        if not self.replaying:
            self.live.speed(self.speed)

    def use(self, scheduler: str) -> None:
        """Let that one pick from now on."""
        self.scheduler = scheduler
        if not self.replaying:
            self.live.use(scheduler_named(scheduler))

    def step(self, actor: ActorId | None = None) -> None:
        """One step: of that actor, or of whom the scheduler picks."""
        if self.mode is Mode.PLAYING:
            self.live.pause()
        self.live.step(actor)

    def back(self) -> bool:
        """Look at the moment before; whether there is one."""
        if self.mode in (Mode.PLAYING, Mode.FREE):
            self.live.pause()
        n = self.moment.state.n
        if n <= self.history.moments[0].state.n:
            return False
        self.at = n - 1
        return True

    def forward(self) -> None:
        """Look at the moment after, up to the present."""
        if self.at is not None:
            self.at = self.at + 1 if self.at + 1 < self.history.now.state.n else None

    def close(self) -> None:
        """End the run, without waiting for it: that can take a moment.

        The thread is no daemon, so nothing of the run outlives us.
        """
        threading.Thread(target=self.live.close, name="closing").start()

    def restart(self) -> None:
        """The same from the beginning."""
        self.close()
        self._begin(scheduler_named(self.scheduler))

    def branch(self) -> bool:
        """Start again and go to the moment one looks at, to take another way from there.

        False where the operating system made choices on the way: nobody knows them.
        """
        schedule = self.history.schedule(self.moment)
        if schedule is None:
            return False
        self.close()
        self._begin(Replay(schedule))
        self._replay_to = len(schedule)
        self.live.speed(None)
        self.live.play()
        return True

    def _end_of_replay(self, choices: int) -> None:
        there = (self.history.now.chosen or 0) >= choices
        if not (there or self._stopped or self.broken or self.mode is Mode.OVER):
            return
        self._replay_to = None
        if self.broken:
            return
        if not there and not self.said:
            self.said = "This run went another way, and never came to that moment."
        self.live.pause()
        self.live.use(scheduler_named(self.scheduler))
        self.live.speed(self.speed)
