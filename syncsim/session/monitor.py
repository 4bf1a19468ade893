"""The monitor: a thread that drives a run and tells those who watch what happens.

The thread alone touches the world.  It is asked through a queue of orders and answers with
immutable updates in a deque; nothing here knows that a screen exists.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.doubt import doubted
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.faults import why_not
from syncsim.core.live import (
    Broken,
    Diagnosed,
    GrainChanged,
    Mode,
    ModeChanged,
    Printed,
    Refused,
    Settled,
    Stepped,
    Update,
)
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.scheduler import ReplayError, Scheduler
from syncsim.core.state import State
from syncsim.core.steps import Step
from syncsim.core.words.listing import names
from syncsim.driver import Driver, Rest
from syncsim.program.source import Program
from syncsim.real.run import RealRun
from syncsim.session.refusals import IS_OVER, NO_SUCH_PROCESS, NOBODY, why_no_step

#: Of one core, what playing flat out may use: a screen cannot show more, and must stay awake.
FLAT_OUT_SHARE = 0.1
#: In free running, how often a second the state is told.
FREE_RATE = 20
#: Of what happens between two such times, the steps that are told.
FLOOD = 500
#: Seconds after which it is asked again whether somebody waits for ever.
_SOON = 0.02


class Monitor:
    """A run of real processes that one watches; the real body of ``core.live.Live``."""

    def __init__(
        self,
        program: Program,
        scheduler: Scheduler,
        *,
        patience: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the run, paused; the thread goes on until ``close``.

        Who sends no word for ``patience`` seconds is said to be outside. ``clock``, in
        seconds, says when the next step is due.
        """
        self.updates: deque[Update] = deque()
        self._clock = clock
        self._scheduler = scheduler
        self._orders: deque[Callable[[], None]] = deque()
        self._rate: float | None = 4.0
        self._mode = Mode.PAUSED
        self._grain = Grain.CALL
        self._diagnosed = False
        self._closing = False
        self._closed = False
        self._lock = threading.Lock()
        self._suspects = False  # somebody seems to wait for ever, but may be helped unseen
        self._standstill: Diagnosis | None = None  # what was told when nothing moved
        self._next = 0.0
        self._told: State | None = None
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._world = RealRun(
            program,
            patience=patience,
            on_step=self._stepped,
            on_print=lambda actor, stream, text: self.updates.append(Printed(actor, stream, text)),
        )
        self._driver = Driver(self._world)
        self._world.also_wake_on(self._wake)
        self._world.interrupt_when(lambda: self._closing)
        # What happened since it was last told; of a flood, only the end.
        self._taken: deque[tuple[Step, State]] = deque(maxlen=FLOOD)
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self._thread.start()

    # -- orders, from any thread ----------------------------------------------------------

    def play(self) -> None:
        """Let the scheduler pick, one step after the other."""
        self._order(lambda: self._go(Mode.PLAYING))

    def pause(self) -> None:
        """Stop before the next operation of each process."""
        self._order(lambda: self._go(Mode.PAUSED))

    def step(self, actor: ActorId | None = None) -> None:
        """Make one step: of the actor, or of whom the scheduler picks."""
        self._order(lambda: self._step(actor))

    def fault(self, actor: ActorId, move: Move) -> None:
        """Kill, terminate, stop or continue that process."""
        self._order(lambda: self._fault(Choice(actor, move, self._world.grain)))

    def free(self) -> None:
        """Open all gates."""
        self._order(lambda: self._go(Mode.FREE))

    def speed(self, steps_per_second: float | None) -> None:
        """Play at that speed; None is flat out."""

        def change() -> None:
            self._rate = steps_per_second
            between = 0.0 if steps_per_second is None else 1 / steps_per_second
            self._next = min(self._next, self._clock() + between)

        self._order(change)

    def use(self, scheduler: Scheduler) -> None:
        """Let that scheduler pick from now on."""

        def change() -> None:
            self._scheduler = scheduler

        self._order(change)

    def xray(self, *, on: bool) -> None:
        """Step atom by atom, or call by call."""
        self._order(lambda: self._set_grain(Grain.ATOM if on else Grain.CALL))

    def inspect(self, actor: ActorId) -> None:
        """Ask for the actor's call stack."""

        def look() -> None:
            known = actor < len(self._world.state.actors)
            self.updates.append(
                self._world.inspection.inspect(actor) if known else Refused(NO_SUCH_PROCESS)
            )

        self._order(look)

    def close(self) -> None:
        """End the run; returns once nothing of it is left."""
        self._closing = True
        self._order(lambda: None)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        with self._lock:
            if not self._closed:
                with contextlib.suppress(BlockingIOError):  # it is awake already
                    os.write(self._waker, b"!")

    # -- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        except DivergenceError as error:
            unseen = f" ({self._world.processes.who_was_not_seen})".removesuffix(" ()")
            self.updates.append(Broken(f"The run was broken off: {error}{unseen}"))
        except OSError as error:
            self.updates.append(Broken(f"The run was broken off: {error}"))
        except Exception as error:
            # An exception in a thread would be seen by nobody.
            self.updates.append(Broken(f"A fault of syncsim itself: {error!r}"))
        finally:
            self._world.close()
            with self._lock:
                self._closed = True
                for fd in (self._wake, self._waker):
                    os.close(fd)

    def _turn(self) -> None:
        """Follow the orders, play if it is time, and listen."""
        while self._orders and not self._closing:
            self._orders.popleft()()
        if self._suspects:
            self._diagnose()
        world = self._world
        timeout = _SOON if self._suspects else 0.25
        if world.quiet and world.controlled:
            self._tell()
            if self._mode is Mode.PLAYING:
                now = self._clock()
                if now < self._next:
                    timeout = min(timeout, self._next - now)
                elif self._play_one(now):
                    return
        elif not world.controlled:
            timeout = self._next - self._clock()
            if timeout <= 0 or world.over:
                self._next = self._clock() + 1 / FREE_RATE
                self._tell()
                timeout = 1 / FREE_RATE
        world.pump(timeout)
        if not self._diagnosed:
            self._tell_standstill()

    def _play_one(self, now: float) -> bool:
        """Make the next step of playing; return False if no choice was made."""
        used = time.thread_time()
        if not self._choose():
            return False
        if self._rate is None:
            self._next = now + (time.thread_time() - used) / FLAT_OUT_SHARE
        else:
            # From when it was due, so that the rate is kept; but never to make up for a halt.
            self._next = max(self._next, now - 1 / self._rate) + 1 / self._rate
        return True

    def _choose(self, *, asked: bool = False) -> bool:
        """False where nobody can go on, and yet somebody may: who is outside may come back."""
        choices = self._choices(self._scheduler.grain or self._grain)
        refused = False
        try:
            choice = self._scheduler.choose(self._world.state, choices)
        except ReplayError as error:
            self.updates.append(Refused(f"{error}."))
            choice, refused = None, True
        if choice is not None:
            self._take(choice)
            return True
        stopped = self._driver.standing().halted
        if stopped:
            who = names(self._world.state, stopped)
            self.updates.append(Refused(f"Nobody can go on: {who} must be continued first."))
        elif asked and not choices:
            self.updates.append(Refused(NOBODY))
        elif not choices and not refused:
            return False
        self._go(Mode.PAUSED)
        return True

    def _step(self, actor: ActorId | None) -> None:
        if self._mode is Mode.OVER:
            self.updates.append(Refused(IS_OVER))
            return
        if self._mode is not Mode.PAUSED:
            self._go(Mode.PAUSED)
        self._world.drain()
        self._world.settle(time.monotonic() + self._world.patience)
        if actor is None:
            self._choose(asked=True)
            return
        offered = [choice for choice in self._choices(self._grain) if choice.actor == actor]
        if offered:
            self._take_unasked(offered[0])
        else:
            self.updates.append(Refused(why_no_step(self._world.state, actor)))

    def _choices(self, grain: Grain) -> tuple[Choice, ...]:
        """Return what may happen next, at that grain."""
        if grain is Grain.CALL:
            self._let_feeders_go()
        self._world.adapt(grain, time.monotonic() + self._world.patience)
        return self._world.choices()

    def _let_feeders_go(self) -> None:
        """Each of their steps is a choice of its own, so that the schedule has them."""
        world = self._world
        while world.grain is Grain.ATOM and not self._closing and (choice := world.feeding()):
            self._take_unasked(choice)

    def _set_grain(self, grain: Grain) -> None:
        if grain is self._grain:
            return
        self._grain = grain
        self.updates.append(GrainChanged(grain))
        if grain is Grain.CALL and self._world.controlled:
            self._world.settle(time.monotonic() + self._world.patience)
            self._let_feeders_go()

    def _fault(self, choice: Choice) -> None:
        world = self._world
        if world.controlled:
            world.drain()
            world.settle(time.monotonic() + world.patience)
        if world.over:
            self.updates.append(Refused(IS_OVER))
        elif choice.actor >= len(world.state.actors):
            self.updates.append(Refused(NO_SUCH_PROCESS))
        elif why := why_not(world.state, world.state.actors[choice.actor], choice.move):
            self.updates.append(Refused(why))
        else:
            if self._mode is Mode.OVER:  # those who wait for ever may be helped by it
                self._revive()
            if world.controlled:
                self._take_unasked(choice)
            else:
                world.strike(choice)
                self._tell()  # or it might be lost in the flood that follows

    def _revive(self) -> None:
        self._diagnosed = False
        self._set(Mode.PAUSED if self._world.controlled else Mode.FREE)

    def _take_unasked(self, choice: Choice) -> None:
        """Take what the scheduler did not pick: it must know where the run stands."""
        self._scheduler.made(choice)
        self._take(choice)

    def _take(self, choice: Choice) -> None:
        self._world.take(choice, time.monotonic() + self._world.patience + 1)
        self._report(choice)

    def _stepped(self, step: Step) -> None:
        self._taken.append((step, self._world.state))

    def _tell(self) -> None:
        """Tell of what happened without a choice of ours."""
        if self._world.state is not self._told:
            self._report(None)

    def _report(self, choice: Choice | None) -> None:
        state = self._told = self._world.state
        told = tuple(self._taken)
        self._taken.clear()
        for at, (step, then) in enumerate(told, 1):
            # A step of another (it was waiting for real when the gates were shut) was not chosen.
            chosen = None
            if choice is not None and choice.actor == step.actor:
                chosen, choice = choice, None
            # The last one is told with what it led to: who has reached a gate since.
            self.updates.append(Stepped(step, state if at == len(told) else then, chosen))
        if not told:
            self.updates.append(Settled(state, choice))
        self._diagnose()

    def _diagnose(self) -> None:
        standing = self._driver.standing(partly=not self._diagnosed)
        diagnosis, state = standing.diagnosis, self._world.state
        self._suspects = standing.is_suspicion and not self._diagnosed
        if self._suspects:
            return
        if diagnosis.verdict is not None and not self._diagnosed:
            self._diagnosed = True
            self.updates.append(
                Diagnosed(doubted(diagnosis, self._world.processes.view()), state.n)
            )
            if self._mode is Mode.PLAYING:  # here one wants to look
                self._set(Mode.PAUSED)
        if standing.rest is Rest.OVER:
            self._set(Mode.OVER)
        elif state.goes_on_beside(diagnosis.stuck):
            if self._mode is Mode.OVER:  # born when all others had ended, or helped from outside
                self._revive()
        elif diagnosis.verdict and not any(actor.stopped for actor in state.actors):
            # (Who is stopped may be continued.)
            if standing.rest is Rest.PROVEN:
                self._set(Mode.OVER)
            else:
                self._suspects = bool(diagnosis.stuck)

    def _tell_standstill(self) -> None:
        """Tell that nothing moves, although somebody may come back; and when that is over."""
        diagnosis = self._world.standstill() if self._mode is Mode.FREE else None
        if diagnosis == self._standstill:
            return
        self._standstill = diagnosis
        self._tell()
        self.updates.append(Diagnosed(diagnosis or Diagnosis(None), self._world.state.n))

    def _go(self, mode: Mode) -> None:
        if mode is self._mode:
            return
        if self._mode is Mode.OVER:
            self.updates.append(Refused(IS_OVER))
            return
        if mode is Mode.FREE:
            self._world.open_gates()
        elif not self._world.controlled:
            self._world.shut_gates()
        self._next = self._clock()  # at once; the step after that is due an interval later
        self._set(mode)

    def _set(self, mode: Mode) -> None:
        if mode is not self._mode:
            self._mode = mode
            self.updates.append(ModeChanged(mode))
