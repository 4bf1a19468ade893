"""One run of a program as real processes, one step at a time or freely.

Single-threaded: whoever drives it calls ``pump`` (or ``take``, which pumps).  The scheduler
chooses only at a *quiet point*, when no report is outstanding: everything that can run has
announced itself or ended.  Outstanding reports are counted, not waited for by a time: of a granted
process its next announcement, of a started child its first, of an ended one its death, of a put
the feeder thread's delivery.  Only those that never come (a long computation, a socket) are given
up on, after ``patience`` seconds or as soon as the kernel says that everyone sleeps; their
processes are called *outside*.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence

from syncsim import wire
from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis, diagnose_standstill
from syncsim.core.faults import possible
from syncsim.core.recorder import Recorder
from syncsim.core.run import Run
from syncsim.core.schedule import Choice, Grain
from syncsim.core.state import Actor, Life, State
from syncsim.core.steps import Step
from syncsim.program.source import Program
from syncsim.real import kernel
from syncsim.real.conduct import Conduct
from syncsim.real.evidence import Evidence
from syncsim.real.finality import Finality
from syncsim.real.gates import Gates
from syncsim.real.giving_up import GivingUp
from syncsim.real.inbox import Complaints, Inbox
from syncsim.real.inspection import Inspection
from syncsim.real.interpreter.processes import ProcessRegistry
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.interpreter.signals import Hand, Signals
from syncsim.real.launch import Launch, StageError
from syncsim.real.locating import ThreadLocator
from syncsim.real.quiescence import Quiescence

#: In free running, seconds to let records gather: many at once are cheaper than one by one.
_BREATH = 0.01


class RealRun(Run):
    """One run of a program as real processes; a body of ``core.run.Run``.

    ``on_step`` hears of every step, ``on_print`` of everything written: the actor (None where
    it is not known), the stream and the text; ``on_records`` hears the records themselves, in
    their order, before they are applied.
    """

    def __init__(
        self,
        program: Program,
        *,
        controlled: bool = True,
        patience: float = 1.0,
        stdin: int = subprocess.DEVNULL,
        on_step: Callable[[Step], None] = lambda step: None,
        on_print: Callable[[ActorId | None, str, str], None] = lambda actor, stream, text: None,
        on_records: Callable[[Sequence[wire.Record]], None] = lambda records: None,
    ) -> None:
        self._conduct = Conduct(controlled, patience)
        self._on_step = on_step
        self._on_records = on_records
        self._steps: list[Step] | None = None  # those of the choice that is being taken
        self._closed = False
        self._recorder = Recorder(self._stepped)
        self._quiescence = Quiescence()
        self._signals = Signals(self._recorder, self._quiescence)
        self._launch = launch = Launch(program, controlled=controlled, stdin=stdin)
        #: The book of all processes, also of those that were not seen.
        self.processes = ProcessRegistry(self._recorder, launch.directory, launch.stage.pid)
        self._interpreter = RecordInterpreter(
            self._recorder,
            self._quiescence,
            self._signals,
            self.processes,
            on_print=on_print,
            watch=launch.deaths.watch,
            main_code=launch.stage.wait,
        )
        self._inbox = Inbox(self._conduct, launch, self._apply)
        self._complaints = Complaints(launch, lambda stream, text: on_print(None, stream, text))
        self._gates = Gates(
            self._conduct,
            self._recorder,
            self._quiescence,
            self._interpreter,
            launch,
            self._inbox,
        )
        locator = ThreadLocator(self._recorder, self._interpreter)
        self._giving_up = GivingUp(
            self._conduct,
            self._recorder,
            self._quiescence,
            self._interpreter,
            self._signals,
            locator,
        )
        self._finality = Finality(self._recorder, self._interpreter, locator)
        self._evidence = Evidence(
            self._conduct,
            self._recorder,
            self._quiescence,
            self._interpreter,
            self._finality,
            locator,
        )
        #: A closer look at the actors.
        self.inspection = Inspection(
            self._recorder,
            self._quiescence,
            self._interpreter,
            locator,
            self._gates,
            self._inbox,
        )
        self._hand = Hand(self._recorder, self._signals, launch.deaths.send, self._inbox.catch_up)
        launch.listen(launch.deaths.fileno(), self._apply_exits)
        try:
            self._interpreter.actors.add(Actor(id=0, name="main", pid=launch.stage.pid))
        except kernel.UnwatchedError:
            self.close()
            raise

    def close(self) -> None:
        """End the run: nothing of it is left, neither process nor file nor semaphore."""
        if not self._closed:
            self._closed = True
            self._launch.close()
            self._gates.close()

    # -- how it is conducted ----------------------------------------------------------------

    @property
    def controlled(self) -> bool:
        """True if each process waits at its gate before an operation."""
        return self._conduct.controlled

    @property
    def patience(self) -> float:
        """Seconds after which an outstanding report is given up on."""
        return self._conduct.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._conduct.patience = seconds

    def interrupt_when(self, interrupted: Callable[[], bool]) -> None:
        """Ask that while waiting for a quiet point, and before reading: whether to hear no more."""
        self._conduct.interrupted = interrupted

    def also_wake_on(self, fd: int) -> None:
        """Let ``pump`` return when that file descriptor becomes readable, and empty it."""

        def empty() -> None:
            with contextlib.suppress(BlockingIOError):
                os.read(fd, 4096)

        os.set_blocking(fd, False)
        self._launch.listen(fd, empty)

    # -- how it stands ------------------------------------------------------------------------

    @property
    def directory(self) -> str:
        """The folder in which the run has its FIFO and its door."""
        return self._launch.directory

    @property
    def state(self) -> State:
        """The state now."""
        return self._recorder.state

    @property
    def records(self) -> int:
        """The number of records that were read off the wire and applied."""
        return self._interpreter.records

    @property
    def quiet(self) -> bool:
        """True if no report is outstanding: a choice may be made."""
        return not self._inbox.backlog and self._quiescence.quiet(self._recorder)

    @property
    def over(self) -> bool:
        """True if every process has ended."""
        return not self._quiescence.outstanding and all(
            actor.ended for actor in self._recorder.actors
        )

    def may_still_move(self) -> bool:
        """Return whether something unseen may still change what is seen."""
        return self._evidence.may_still_move()

    def is_final(self, stuck: Sequence[ActorId]) -> bool:
        """Return whether it is certain that these actors, blocked by the state, stay blocked."""
        if self._conduct.interrupted() or self.may_still_move():
            return False  # (once it is interrupted nobody is asked any more)
        if self._interpreter.primitives.has_pipes:
            if self._gates.look_for_closed_ends(stuck):
                return False
            for actor in stuck:  # each that has answered was awake for a moment
                kernel.falls_asleep(*self._interpreter.actors.thread_of(actor))
        return self._evidence.is_final(stuck, self._apply_exits)

    def standstill(self) -> Diagnosis | None:
        """Return what is known where, in free running, nothing moves; None where something may."""
        if not self._finality.hangs:
            return None
        return diagnose_standstill(self.state, self._finality.helpers())

    def choices(self) -> tuple[Choice, ...]:
        """Return what may happen next: an operation at a gate that would go, or times out."""
        if self._interpreter.primitives.has_pipes:
            self._gates.ask_in_time()
        choices = self._recorder.choices()
        # Who was granted and has not reported yet (a start may take its time) is not granted again.
        gone = self._quiescence.past_gates
        if gone:
            return tuple(choice for choice in choices if choice.actor not in gone)
        return choices

    def faults(self) -> tuple[Choice, ...]:
        """Return what a person may do besides: kill, terminate, stop or continue a process."""
        return possible(self.state)

    # -- what one may do ----------------------------------------------------------------------

    def take(self, choice: Choice, deadline: float | None = None) -> tuple[Step, ...]:
        """Let the choice happen, and all that follows from it until all is quiet again.

        By call: until the call is over or must wait.  By atom: one operation.
        """
        steps = self._steps = []
        try:
            self.adapt(choice.grain, deadline)
            if choice.move.is_fault:
                self.strike(choice)
                self.settle(deadline)
                return tuple(steps)
            self.grant(choice)
            self.settle(deadline)
            while (
                choice.grain is Grain.CALL
                and self._goes_on(choice.actor)
                and not self._conduct.is_late(deadline)
            ):
                self.grant(Choice(choice.actor))
                self.settle(deadline)
        finally:
            self._steps = None
        return tuple(steps)

    def grant(self, choice: Choice) -> None:
        """Open the gate of one actor once."""
        self._gates.grant(choice)

    def _goes_on(self, actor: ActorId) -> bool:
        """Return whether the actor is in the middle of a call that can go on."""
        who = self._recorder.actors[actor]
        if not (who.call and who.pending and self._conduct.controlled):
            return False
        return actor not in self._quiescence.past_gates and self._recorder.can_go(who)

    @property
    def grain(self) -> Grain:
        """At what size the choices are that are offered now."""
        return self._recorder.grain

    def adapt(self, grain: Grain, deadline: float | None = None) -> None:
        """Offer choices at that grain from here on.

        When the X-ray ends, the feeders that it held up are let go, one after the other (so that
        what comes of it is always the same), until each has sent all, or cannot.
        """
        if grain is self._recorder.grain:
            return
        while (choice := self.feeding()) is not None and not self._conduct.is_late(deadline):
            self.grant(choice)
            self.settle(deadline)
        self._recorder.grain = grain
        if not self.controlled:
            return
        self._gates.say_mode()
        if grain is Grain.ATOM:
            self._interpreter.xray()
        else:
            self._gates.let_go(only=[actor.id for actor in self._recorder.actors if actor.library])

    def feeding(self) -> Choice | None:
        """Return what a feeder thread that the X-ray holds up may do next."""
        actors = self._recorder.actors
        return next((one for one in self.choices() if actors[one.actor].library), None)

    def strike(self, choice: Choice) -> bool:
        """Do the fault to its process at once, also while the operating system schedules.

        False if the process ended by itself before it could be done.
        """
        self._conduct.last_news = time.monotonic()
        if self.controlled:
            self._gates.await_sleep(self._recorder.actors[choice.actor])
        return self._hand.strike(choice, still=self.controlled and self.quiet)

    def open_gates(self) -> None:
        """Let the operating system schedule from here on."""
        self._conduct.controlled = False
        self._recorder.grain = Grain.CALL
        self._gates.say_mode()
        self._gates.let_go()

    def shut_gates(self) -> None:
        """Stop each process before its next operation; one inside an operation stays there."""
        self._conduct.controlled = True
        self._gates.say_mode()
        self._conduct.last_news = time.monotonic()

    # -- listening ------------------------------------------------------------------------------

    def pump(self, timeout: float) -> bool:
        """Read and apply what has arrived, waiting at most ``timeout`` seconds for it.

        The answer is whether anything was reported.
        """
        conduct, inbox, deaths = self._conduct, self._inbox, self._launch.deaths
        if not conduct.controlled:
            time.sleep(_BREATH)
        before = conduct.last_news
        self._launch.wait(0 if inbox.backlog or deaths.gone else timeout)
        if inbox.backlog:
            inbox.read()
        if deaths.gone:
            self._apply_exits()
        if self.quiet:
            self._interpreter.tell_who_waits()
        if conduct.last_news == before:
            self._giving_up.look(quiet=self.quiet)
            self._apply_ends_of_threads()
            if not conduct.controlled:
                self._finality.look()
        return conduct.last_news != before

    def settle(self, deadline: float | None = None) -> None:
        """Pump until it is quiet (or all is over, or the deadline, by the monotonic clock)."""
        while not (self.quiet or self.over or self._conduct.is_late(deadline)):
            if not self._helpers_are_stuck():
                self.pump(0.05)
        if self.quiet:
            self._interpreter.tell_who_waits()

    def _helpers_are_stuck(self) -> bool:
        """Return whether a thread of the library is known to wait for room in its pipe.

        (All reports of that thread so far are applied, and nobody else is at work who might make
        room.)
        """
        quiescence = self._quiescence
        if (
            quiescence.outstanding
            or self._inbox.backlog
            or not quiescence.helpers.are_busy(self._recorder)
        ):
            return False
        return not self.pump(0) and quiescence.helpers.stall_who(kernel.waits_to_write)

    def drain(self) -> None:
        """Apply all that was reported so far, however long that takes."""
        self._inbox.drain()

    def hear_out(self, seconds: float, deadline: float | None = None) -> bool:
        """Hear what is still on its way when all is over; until the deadline, at the most.

        Untracked processes have ``seconds`` to end, too; the answer is whether they did.  A
        ``Process`` that is being born is waited for: then it is not over.
        """
        processes, end = self.processes, time.monotonic() + seconds
        while processes.has_untracked and not self._conduct.is_late(deadline):
            # (Who starts one may have been killed just before there was one.)
            if time.monotonic() > end and not processes.births:
                break
            self.pump(0.05)
        # Of a process that has ended no more is left than its pipe holds.
        for _ in range(4):
            if not self._launch.wait(0):
                break
        self.drain()
        return not processes.untracked

    def _apply(self, records: Sequence[wire.Record]) -> None:
        self._finality.end()
        self._on_records(records)
        self._interpreter.take_in(records)
        starts = self._complaints.before_start is not None
        if starts and self._recorder.actors[0].life is Life.ALIVE:
            self._complaints.begin()
        if not self._conduct.controlled:
            self._gates.let_go()

    def _apply_exits(self) -> None:
        """Note who has died, after what they said before.

        First who, then what they said: somebody may die while we read.
        """
        dead = self._launch.deaths.collect()
        self._inbox.catch_up()
        for pid in dead:
            self._interpreter.actors.died(pid)
        if dead:
            self._gates.ask_at_once()
        main = self._recorder.actors[0]
        if self._complaints.before_start is not None and main.ended and not main.killed:
            self._launch.wait(0)  # for what it has said last
            raise StageError(self._launch.why_not_started(self._complaints.before_start))

    def _apply_ends_of_threads(self) -> None:
        """Note which threads have ended, which they do not say, after what they said before.

        It is no step, and nobody can do more or less for it: so it does not matter when we look.
        """
        threads = self._interpreter.actors.threads()
        ended = [actor for actor, pid, tid in threads if kernel.thread_has_ended(pid, tid)]
        if ended:
            self._inbox.catch_up()
        for actor in ended:
            self._interpreter.actors.thread_ended(actor)

    def _stepped(self, step: Step) -> None:
        if self._steps is not None:
            self._steps.append(step)
        self._on_step(step)
