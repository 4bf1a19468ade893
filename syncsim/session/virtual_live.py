"""A live run in the virtual world: in memory, without a process, the same every time.

It does nothing by itself: while it plays or runs free, ``advance`` makes its steps.  Tests of
the screens drive it, and whoever wants a picture of a certain moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.graph import halted
from syncsim.core.faults import why_not
from syncsim.core.live import (
    Diagnosed,
    Frame,
    GrainChanged,
    Inspected,
    Mode,
    ModeChanged,
    Printed,
    Refused,
    Settled,
    Stepped,
    Update,
)
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.scheduler import ReplayError, RoundRobin, Scheduler
from syncsim.core.state import State
from syncsim.core.steps import Step
from syncsim.core.words.listing import names
from syncsim.driver import Driver, Rest
from syncsim.program.source import Program
from syncsim.session.refusals import IS_OVER, NO_SUCH_PROCESS, NOBODY, why_no_step
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.run import VirtualRun

T = TypeVar("T")


@cache
def _thread() -> ThreadPoolExecutor:
    """Return the thread of all virtual runs: a greenlet belongs to the thread that made it."""
    return ThreadPoolExecutor(1, "virtual world")


def _in_thread(work: Callable[[], T]) -> T:
    return _thread().submit(work).result()


class VirtualLive:
    """A run of a program in the virtual world; the virtual body of ``core.live.Live``.

    In free running a round robin stands for the operating system, and no choice is told.
    """

    def __init__(self, program: Program, scheduler: Scheduler) -> None:
        """Start the run, paused; raise ``NotVirtualError`` for what is not in that world."""
        self.updates: deque[Update] = deque()
        self.scheduler = scheduler
        self.mode = Mode.PAUSED
        self.grain = Grain.CALL
        #: The speed that was asked for, for whoever calls ``advance``.
        self.steps_per_second: float | None = 4.0
        self.closed = False
        self._system = RoundRobin()
        self._diagnosed = False
        self._taken: list[tuple[Step, State]] = []
        self._world = _in_thread(
            lambda: VirtualRun(program, on_step=self._stepped, on_print=self._printed)
        )
        self._driver = Driver(self._world)
        self.updates += Settled(self.state), ModeChanged(self.mode)

    @property
    def state(self) -> State:
        """The state now."""
        return self._world.state

    # -- orders -----------------------------------------------------------------------------

    def play(self) -> None:
        """Let the scheduler pick, with each ``advance``."""
        self._go(Mode.PLAYING)

    def pause(self) -> None:
        """Make no step that is not asked for."""
        self._go(Mode.PAUSED)

    def free(self) -> None:
        """Let the operating system schedule, with each ``advance``."""
        self._go(Mode.FREE)

    def step(self, actor: ActorId | None = None) -> None:
        """Make one step: of that actor, or of the one that the scheduler picks."""
        if self.mode is Mode.OVER:
            self.updates.append(Refused(IS_OVER))
            return
        self._go(Mode.PAUSED)
        if actor is None:
            self._choose()
            return
        offered = [choice for choice in self._choices(self.grain) if choice.actor == actor]
        if offered:
            self._take_unasked(offered[0])
        else:
            self.updates.append(Refused(why_no_step(self.state, actor)))

    def fault(self, actor: ActorId, move: Move) -> None:
        """Kill, terminate, stop or continue that process."""
        state = self.state
        why = NO_SUCH_PROCESS
        if actor < len(state.actors):
            why = why_not(state, state.actors[actor], move)
        if all(one.ended for one in state.actors):
            why = IS_OVER
        if why:
            self.updates.append(Refused(why))
            return
        if self.mode is Mode.OVER:  # those who wait for ever may be helped by the fault
            self._diagnosed = False
            self._set(Mode.PAUSED)
        self._take_unasked(Choice(actor, move, state.grain))

    def speed(self, steps_per_second: float | None) -> None:
        """Keep in mind how fast to play."""
        self.steps_per_second = steps_per_second

    def use(self, scheduler: Scheduler) -> None:
        """Let that scheduler pick from now on."""
        self.scheduler = scheduler

    def xray(self, *, on: bool) -> None:
        """Step atom by atom, or call by call."""
        self.grain = Grain.ATOM if on else Grain.CALL
        self.updates.append(GrainChanged(self.grain))
        self._choices(self.grain)
        self._report(None)

    def inspect(self, actor: ActorId) -> None:
        """Answer with the place of the pending operation: that is all there is of a stack."""
        if actor >= len(self.state.actors):
            self.updates.append(Refused(NO_SUCH_PROCESS))
            return
        site = self.state.actors[actor].site
        if site is None:
            self.updates.append(Inspected(actor, note="It is between two operations."))
        else:
            frame = Frame(site.file, site.line, site.function)
            self.updates.append(Inspected(actor, (frame,)))

    def close(self) -> None:
        """End the run."""
        if not self.closed:
            self.closed = True
            self._set(Mode.OVER)
            _in_thread(self._world.close)

    # -- going on ---------------------------------------------------------------------------

    def advance(self, steps: int = 1) -> None:
        """Make up to so many steps, as long as the run plays or is free."""
        for _ in range(steps):
            if self.mode is Mode.PLAYING:
                self._choose()
            elif self.mode is Mode.FREE:
                choice = self._system.choose(self.state, self._choices(Grain.CALL))
                if choice is None:
                    return
                self._take(choice, told=False)
            else:
                return

    def _choose(self) -> None:
        choices = self._choices(self.scheduler.grain or self.grain)
        try:
            choice = self.scheduler.choose(self.state, choices)
        except ReplayError as error:
            self.updates.append(Refused(f"{error}."))
            self._go(Mode.PAUSED)
            return
        if choice is not None:
            self._take(choice)
            return
        stopped = halted(self.state)
        if stopped:
            who = names(self.state, stopped)
            self.updates.append(Refused(f"Nobody can go on: {who} must be continued first."))
        elif not choices:
            self.updates.append(Refused(NOBODY))
        self._go(Mode.PAUSED)

    def _choices(self, grain: Grain) -> tuple[Choice, ...]:
        _in_thread(lambda: self._world.adapt(grain))
        return self._world.choices()

    def _take_unasked(self, choice: Choice) -> None:
        """Take what the scheduler did not pick: it must know where the run stands."""
        self.scheduler.made(choice)
        self._take(choice)

    def _take(self, choice: Choice, *, told: bool = True) -> None:
        try:
            _in_thread(lambda: self._world.take(choice))
        except (NotVirtualError, ValueError) as error:
            self.updates.append(Refused(f"In the virtual world that cannot be: {error}."))
        else:
            self._report(choice if told else None)

    def _stepped(self, step: Step) -> None:
        self._taken.append((step, self._world.state))

    def _printed(self, actor: ActorId | None, stream: str, text: str) -> None:
        self.updates.append(Printed(actor, stream, text))

    def _report(self, choice: Choice | None) -> None:
        """Tell what happened; the last step with all that it led to."""
        steps, self._taken = self._taken, []
        for number, (step, then) in enumerate(steps, 1):
            chosen = None
            if choice is not None and choice.actor == step.actor:
                chosen, choice = choice, None
            state = self.state if number == len(steps) else then
            self.updates.append(Stepped(step, state, chosen))
        if not steps:
            self.updates.append(Settled(self.state, choice))
        self._diagnose(self.state)

    def _diagnose(self, state: State) -> None:
        standing = self._driver.standing(partly=not self._diagnosed)
        diagnosis = standing.diagnosis
        if diagnosis.verdict is not None and not self._diagnosed:
            self._diagnosed = True
            self.updates.append(Diagnosed(diagnosis, state.n))
            if self.mode is Mode.PLAYING:  # here a person wants to look
                self._set(Mode.PAUSED)
        ends = standing.rest is Rest.PROVEN and not state.choices()
        if standing.rest is Rest.OVER or (ends and not any(one.stopped for one in state.actors)):
            self._set(Mode.OVER)

    def _go(self, mode: Mode) -> None:
        if mode is not self.mode and self.mode is Mode.OVER:
            self.updates.append(Refused(IS_OVER))
        else:
            self._set(mode)

    def _set(self, mode: Mode) -> None:
        if mode is not self.mode:
            self.mode = mode
            self.updates.append(ModeChanged(mode))
