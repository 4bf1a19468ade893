"""A run as one plays it: what was seen, how it goes on, where one looks.

Everything about playing that needs no screen: it drains the updates of a ``Live``, and starts
the run again, from the beginning or from an earlier moment.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias, assert_never

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose
from syncsim.core.live import (
    Broken,
    Diagnosed,
    GrainChanged,
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
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.scheduler import Replay, Scheduler, scheduler_named
from syncsim.core.state import State
from syncsim.program.source import Program, ProgramError, read_again
from syncsim.session.closing import close_soon
from syncsim.session.history import History, Moment
from syncsim.session.speed import CALM, FIRST, LADDER, Clock, travel

Start: TypeAlias = Callable[[Program, Scheduler], Live]
#: At most so many updates are taken in one frame, so that a key is always answered soon.
MOST_AT_ONCE = 5000

#: A step that takes longer than this, in seconds, is said to be waited for.
SETTLES_WITHIN = 0.3

#: What is answered to whoever asks something of a run that is over.
OVER = "The run is over: r restarts it, ← looks back."


class Gone:
    """A ``Live`` that is no more: it refuses everything, and asks nothing of the run."""

    def __init__(self, updates: deque[Update], close: Callable[[], None]) -> None:
        self.updates = updates
        self.close = close

    def play(self) -> None:
        """Refuse: there is no run that could do it."""
        self._refuse()

    def pause(self) -> None:
        """Do nothing: the run rests already."""

    def step(self, actor: ActorId | None = None) -> None:
        """Refuse: there is no run that could do it."""
        self._refuse()

    def fault(self, actor: ActorId, move: Move) -> None:
        """Refuse: there is no run that could do it."""
        self._refuse()

    def free(self) -> None:
        """Refuse: there is no run that could do it."""
        self._refuse()

    def speed(self, steps_per_second: float | None) -> None:
        """Do nothing: there is no run to be faster."""

    def use(self, scheduler: Scheduler) -> None:
        """Do nothing: there is no run to schedule."""

    def xray(self, *, on: bool) -> None:
        """Show what there was, closely or not."""
        self.updates.append(GrainChanged(Grain.ATOM if on else Grain.CALL))

    def inspect(self, actor: ActorId) -> None:
        """Do nothing: there is no process to look at."""

    def _refuse(self) -> None:
        self.updates.append(Refused(OVER))


def _is_for_a_while(diagnosis: Diagnosis) -> bool:
    return diagnosis.verdict is Verdict.UNDECIDED


class Playing:
    """One program being played; ``start`` begins a run of it and is called again to restart."""

    live: Live

    def __init__(
        self,
        program: Program,
        start: Start,
        scheduler: str = "random:1",
        clock: Clock = time.monotonic,
    ) -> None:
        self.program = program
        self.scheduler = scheduler
        self.rung = FIRST
        self.grain = Grain.CALL
        self._start = start
        self._clock = clock
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
        #: When the last step, or the last answer to a wish for one, came.
        self._moved = self._clock()
        #: Whether a step was asked for that has not come, and of whom, if of one process.
        self._asked = False
        self._asked_of: ActorId | None = None
        self._replay_to: int | None = None
        #: The schedule that is replayed step by step, as long as the run keeps to it.
        self._follows: tuple[Choice, ...] | None = None
        #: The step before which the person first picked whose turn it is; None: not yet.
        self._first_by_hand: int | None = None
        #: The first step that was only a part of a call; None: there is none.
        self._first_inside: int | None = None
        self._freed = False
        self._replayed = False
        self._judged: tuple[State, Diagnosis] | None = None
        self._stopped = False
        try:
            self.live = self._start(self.program, scheduler)
        except OSError as error:
            if not hasattr(self, "live"):
                raise
            self._broke(f"The run cannot be started again: {error}.", deque(), lambda: None)
        else:
            self.live.speed(self.speed)
            if self.xrayed:
                self.live.xray(on=True)

    # -- taking in what happened ------------------------------------------------------------

    def drain(self) -> bool:
        """Apply the pending updates of the run; return whether there were any."""
        updates = self.live.updates
        waiting = min(len(updates), MOST_AT_ONCE)
        for _ in range(waiting):
            self._take(updates.popleft())
        if self._replay_to is not None:
            self._end_of_replay(self._replay_to)
        if self._follows is not None and waiting:
            self._end_of_following(self._follows)
        return waiting > 0

    def _broke(self, message: str, updates: deque[Update], close: Callable[[], None]) -> None:
        """Nothing can be asked of the run any more."""
        self.broken = message
        self.mode = Mode.OVER
        self.live = Gone(updates, close)

    def _take(self, update: Update) -> None:
        if not isinstance(update, Printed | Inspected):
            self._moved = self._clock()
        if isinstance(update, Stepped | Refused | ModeChanged | Broken) or (
            isinstance(update, Settled) and update.choice is not None
        ):
            self._asked = False
        match update:
            case Stepped():
                self.history.add(update)
                self.fresh.append(update.state)
                if self._first_inside is None and update.step.operation:
                    self._first_inside = update.step.n
            case Settled():
                self.history.settle(update)
            case Printed():
                self.history.hear(update)
            case ModeChanged(mode) if not self.broken:
                self._stopped = self.mode is Mode.PLAYING and mode is Mode.PAUSED
                self._freed |= mode is Mode.FREE
                self.mode = mode
            case GrainChanged(grain):
                self.grain = grain
            case Diagnosed(diagnosis):
                # That nothing moves may turn out to have been for a while only.
                standing = [v for v in self.verdicts if not _is_for_a_while(v.diagnosis)]
                self.verdicts = [*standing, update] if diagnosis.verdict else standing
            case Refused(why):
                self.said = why
            case Inspected():
                self.inspected = update
            case Broken(message):
                self._broke(message, self.live.updates, self.live.close)
            case ModeChanged():
                pass  # it is broken, and stays so
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
        """The diagnosis of the shown state; None while the operating system schedules.

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
    def by_hand(self) -> bool:
        """Return whether the person has picked at least one step of this run.

        What one steps by hand as the schedule has it is the schedule's.
        """
        return self._first_by_hand is not None and self._follows is None

    def inside(self, n: int) -> bool:
        """Return whether one of the first ``n`` steps was inside a call, as under the X-ray."""
        return self._first_inside is not None and self._first_inside <= n

    @property
    def picked_by(self) -> str:
        """The one that picked where the person did not: the scheduler, or the operating system."""
        if self._freed:
            return "the operating system"
        return "a replay" if self._replayed else self.scheduler

    @property
    def speed(self) -> float | None:
        """Steps per second; None is flat out."""
        return LADDER[self.rung]

    @property
    def xrayed(self) -> bool:
        """Return whether the run is stepped atom by atom, and the parts of primitives are seen."""
        return self.grain is Grain.ATOM

    @property
    def calm(self) -> bool:
        """Return whether a process stays where it is long enough to look at it closely."""
        if self.mode is Mode.PLAYING:
            return self.speed is not None and self.speed <= CALM
        return self.mode is not Mode.FREE

    @property
    def travel(self) -> float:
        """Seconds that a thing moves from one step to the next; 0 where it goes too fast."""
        if self.mode is Mode.FREE or self.replaying:
            return 0.0
        return travel(self.speed if self.mode is Mode.PLAYING else LADDER[0])

    @property
    def observable(self) -> bool:
        """Return whether a process can be inspected; in free running, as far as may be."""
        return self.calm or self.mode is Mode.FREE

    @property
    def awaited(self) -> str:
        """The process or thing that a long step waits for; empty when there is none."""
        if self.broken or self.mode not in (Mode.PAUSED, Mode.PLAYING):
            return ""
        playing = self.mode is Mode.PLAYING
        between = 1 / self.speed if playing and self.speed is not None else 0.0
        waited = self._clock() - self._moved
        actors = self.history.now.state.actors
        if not actors or waited < SETTLES_WITHIN:
            return ""
        # (A server serves; a feeder without a pending operation rests.)
        running = [
            actor.name
            for actor in actors
            if actor.pending is None
            and not (actor.ended or actor.outside or actor.serves or actor.library)
        ]
        if running:
            return ", ".join(running)
        if not (self._asked or (playing and waited > between + SETTLES_WITHIN)):
            return ""
        may_go = [self._asked_of] if self._asked_of is not None else None
        if may_go is None or playing:
            may_go = [choice.actor for choice in self.history.now.state.choices()]
        return actors[may_go[0]].name if len(may_go) == 1 else "the next step"

    @property
    def following(self) -> tuple[int, int] | None:
        """The number of choices made of a schedule that is followed, and of all its choices."""
        if self._follows is None:
            return None
        return self.history.now.chosen or 0, len(self._follows)

    @property
    def replaying(self) -> bool:
        """Return whether the run is on its way back to a moment to branch from."""
        return self._replay_to is not None

    # -- having a hand in it ----------------------------------------------------------------

    def faster(self, by: int) -> None:
        """So many rungs faster (slower, if negative)."""
        self.rung = max(0, min(self.rung + by, len(LADDER) - 1))
        if not self.replaying:
            self.live.speed(self.speed)

    def use(self, scheduler: str) -> None:
        """Let the scheduler with that name pick from now on."""
        self.scheduler = scheduler
        if self._follows is not None:
            self._follows = self._first_by_hand = None
            self.said = f"You left the replay: from here on {scheduler} picks."
        if not self.replaying:
            self.live.use(scheduler_named(scheduler))

    def step(self, actor: ActorId | None = None) -> None:
        """Make one step: of the actor, or of whom the scheduler picks."""
        if self.mode is Mode.PLAYING:
            self.live.pause()
        self._asked, self._asked_of, self._moved = True, actor, self._clock()
        if actor is not None and self._first_by_hand is None:
            self._first_by_hand = self.history.now.state.n
        self.live.step(actor)

    def fault(self, actor: ActorId, move: Move) -> None:
        """Kill, terminate, stop or continue that process."""
        self._asked, self._asked_of, self._moved = True, actor, self._clock()
        self.live.fault(actor, move)

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
        """Look at the next moment, up to the present."""
        if self.at is not None:
            self.at = self.at + 1 if self.at + 1 < self.history.now.state.n else None

    def close(self) -> None:
        """End the run, without waiting for it: that can take a moment."""
        close_soon(self.live.close)

    def restart(self) -> bool:
        """Restart with the file as it stands; return False if it is no program any more."""
        if not self._read_again():
            return False
        self.close()
        self._begin(scheduler_named(self.scheduler))
        return True

    def replay(self, schedule: Sequence[Choice], grain: Grain) -> bool:
        """Restart, where the schedule picks until it is over, or one goes elsewhere."""
        if not self._read_again():
            return False
        self.close()
        self.grain = grain
        self._begin(Replay(schedule))
        self._follows = tuple(schedule)
        self._replayed = True
        return True

    def _read_again(self) -> bool:
        try:
            self.program = read_again(self.program)
        except ProgramError as error:
            self.said = str(error)
            return False
        return True

    def branch(self) -> bool:
        """Start again and go to the moment one looks at, to take another way from there.

        False where the operating system made choices on the way: nobody knows them.
        """
        schedule = self.history.schedule(self.moment)
        if schedule is None:
            return False
        picked = self._first_by_hand if self.by_hand else None
        n, followed = self.moment.state.n, self._follows is not None
        self.close()
        self._begin(Replay(schedule))
        if followed:
            self.said = "You left the replay: from here on it is your own run."
        if picked is not None and picked < n:
            self._first_by_hand = picked
        self._replay_to = len(schedule)
        self.live.speed(None)
        self.live.play()
        return True

    def _end_of_following(self, schedule: tuple[Choice, ...]) -> None:
        now = self.history.now
        made = self.history.schedule(now)
        keeps = made is not None and tuple(made) == schedule[: len(made)]
        if made is not None and keeps and len(made) < len(schedule):
            return
        self._follows = None
        if keeps:
            self._first_by_hand = None
        else:
            self.said = "You went another way than the replay: from here on it is your own run."
        if not self.broken:
            self.live.use(scheduler_named(self.scheduler))

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
