"""The world of real processes: runs a program on its own, one step at a time or freely.

Single-threaded: whoever drives it calls ``pump`` (or ``take``, which pumps).  The scheduler
chooses only at a *quiet point*, when everything that can run has announced itself or
ended.  What is owed is counted, not waited for: a granted process owes its next
announcement, a started child its first, an ended one its death, a put the feeder thread's
delivery.  Only what never announces at all (a long computation, a socket) is given up on,
after ``patience`` seconds or as soon as the kernel says that everyone sleeps, and is called
*outside*.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from syncsim import wire
from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.doubt import Coverage, doubted
from syncsim.core.deadlock.graph import stuck_actors
from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose_standstill
from syncsim.core.faults import possible
from syncsim.core.live import Frame, Inspected
from syncsim.core.operation import Operation, Verb
from syncsim.core.recorder import DivergenceError, Recorder
from syncsim.core.run import Run
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.state import Actor, Life, State
from syncsim.core.steps import Step
from syncsim.core.words.report import Report
from syncsim.instrument.dispositions import Disposition, disposition
from syncsim.program.source import Program
from syncsim.real import kernel
from syncsim.real.finality import Finality
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.interpreter.signals import Hand, Signals
from syncsim.real.interpreter.untracked import ProcessRegistry
from syncsim.real.launch import Launch, StageError
from syncsim.real.locating import ThreadLocator
from syncsim.real.postmortem import report
from syncsim.real.quiescence import Quiescence

#: Bytes of records that may be read ahead of what is applied, and how many to apply at once.
_BACKLOG, _SLICE = 8 << 20, 1 << 16
#: In free running, seconds to let records gather: many at once are cheaper than one by one.
_BREATH = 0.01
#: Seconds in which who is at its gate answers, and who has knocked says who it is; at the latest.
_ANSWERS = 10.0
#: So often in a row everyone must be seen asleep before those who owe something are given up on.
_LOOKS = 3
#: The verbs whose result follows from the state alone.
_FORETOLD = frozenset(
    (
        Verb.ACQUIRE,
        Verb.RELEASE,
        Verb.PUT,
        Verb.SEND,
        Verb.WRITE,
        Verb.OUTPUT,
        Verb.SLEEP,
        Verb.TERMINATE,
        Verb.EXIT,
        Verb.SUBMIT,
        Verb.SHUT_DOWN,
        Verb.LEAVE,
    )
)
#: The verbs of atoms that have a model; one whose making we have not seen is left to itself.
_MODELLED = frozenset((Verb.ACQUIRE, Verb.RELEASE))


class RealRun(Run):
    """One run of a program as real processes; a body of ``core.world.Run``.

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
        self.patience = patience
        self.controlled = controlled
        self._on_step = on_step
        self._on_print = on_print
        self._on_records = on_records
        self._steps: list[Step] | None = None  # those of the choice that is being taken
        self._gates: dict[ActorId, socket.socket] = {}
        # What they are told who were let go and had not come to their gate by then, when they come.
        self._late: dict[ActorId, bytes] = {}
        self._asleep = 0  # how often in a row everyone was seen asleep
        self._backlog = bytearray()  # read from the wire, not yet applied
        self._applied = 0  # bytes of the wire, up to now
        self._moved = time.monotonic()
        self._closed = False
        #: Asked while waiting for a quiet point, and before reading: whether to hear no more.
        self.interrupted: Callable[[], bool] = lambda: False
        self._recorder = Recorder(self._stepped)
        self._account = Quiescence()
        self._signals = Signals(self._recorder, self._account)
        self._launch = launch = Launch(program, controlled=controlled, stdin=stdin)
        self._registry = ProcessRegistry(self._recorder, launch.directory, launch.stage.pid)
        #: What the stage has complained of before the program began; None once it has.
        self._complaints: bytes | None = b""
        self._interpreter = RecordInterpreter(
            self._recorder,
            self._account,
            self._signals,
            self._registry,
            on_print=on_print,
            watch=launch.deaths.watch,
            main_code=launch.stage.wait,
        )
        self._search = ThreadLocator(self._recorder, self._interpreter)
        self._finality = Finality(self._recorder, self._interpreter, self._search)
        self._hand = Hand(self._recorder, self._signals, launch.deaths.send, self._catch_up)
        launch.listen(launch.fifo, self._read_records)
        launch.listen(launch.door.fileno(), self._open_door)
        launch.listen(launch.deaths.fileno(), self._apply_exits)
        for stream in launch.spills:
            self._hear_spill(stream)
        try:
            self._interpreter.add(Actor(id=0, name="main", pid=launch.stage.pid))
        except kernel.UnwatchedError:
            self.close()
            raise

    def close(self) -> None:
        """Ends the run: nothing of it is left, neither process nor file nor semaphore."""
        if not self._closed:
            self._closed = True
            self._launch.close()
            for gate in self._gates.values():
                gate.close()

    # -- what the world is ------------------------------------------------------------

    @property
    def directory(self) -> str:
        """Where the run has its FIFO and its door."""
        return self._launch.directory

    @property
    def state(self) -> State:
        """The state now."""
        return self._recorder.state

    @property
    def records(self) -> int:
        """How many records were read off the wire and applied."""
        return self._interpreter.records

    @property
    def quiet(self) -> bool:
        """Whether nobody owes us anything: a choice may be made."""
        return not self._backlog and self._account.quiet(self._recorder)

    @property
    def over(self) -> bool:
        """Whether every process has ended."""
        return not self._account.owing and all(actor.ended for actor in self._recorder.actors)

    def view(self) -> Coverage:
        """Return what is known of the run besides its state: who was not seen, and what else."""
        return self._registry.view()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of this machine, before anything is seen."""
        return self._registry.notes

    @property
    def who_was_not_seen(self) -> str:
        """The processes that are known by now never to report, in a sentence; empty if none."""
        return self._registry.who_was_not_seen

    def doubted(self, diagnosis: Diagnosis) -> Diagnosis:
        """Return the last word on the run: the diagnosis, unless somebody was not seen."""
        return doubted(diagnosis, self.view())

    def may_still_move(self) -> bool:
        """Whether something we do not see may still change what we see.

        A thread of the library or of the program, a feeder at work, a process that was forked
        past ``multiprocessing``, a signal that has not done yet what it will.
        """
        interpreter = self._interpreter
        if interpreter.untracked or interpreter.had_untracked or self._registry.shaken:
            return True
        if self._account.awaits_signals(self._recorder):
            return True
        pids = {actor.pid for actor in self._recorder.actors if not actor.ended}
        if self.controlled and not pids.isdisjoint(interpreter.helped):
            return True  # such threads are beyond our gates, and may be held up by them
        if any(map(self._may_ring, pids)):
            return True
        if not any(kernel.threads(pid) > 1 for pid in pids):
            return False
        if self.controlled:
            self._finality.look()
        return self._finality.may_be_broken()

    def _may_ring(self, pid: int) -> bool:
        """Whether an alarm may ring, and its handler do something, or it end the process."""
        match disposition(pid, signal.SIGALRM):
            case Disposition.CATCHES:
                return True  # somebody else may send it, too
            case Disposition.DEFAULT:
                return pid in self._interpreter.alarmed
        return False

    def is_final(self, diagnosis: Diagnosis) -> bool:
        """Whether nothing can follow that would change it.

        Those who wait for ever do; and, unless it is a deadlock, all others have ended.
        """
        if diagnosis.verdict is None or self.may_still_move():
            return False
        if not self._sleep_on(diagnosis.stuck):
            return False
        if diagnosis.verdict is not Verdict.DEADLOCK and self.goes_on_beside(diagnosis.stuck):
            return False
        self._registry.look()
        return not self._registry.shaken

    def goes_on_beside(self, stuck: Sequence[ActorId]) -> bool:
        """Whether somebody goes on who is none of those."""
        return any(
            not (actor.ended or actor.serves or actor.rests or actor.id in stuck)
            for actor in self._recorder.actors
        )

    def _sleep_on(self, stuck: Sequence[ActorId]) -> bool:
        """Whether all of them sleep, by the kernel's account, and still wait when all is heard.

        One who does not may have met a signal of which nobody has told us, be about to end, or
        to say what it has got; and for a bounded time sleeps only a handler.
        """
        before = [self._search.sleep(actor) for actor in stuck]
        if any(sleep is not None and not sleep.is_for_ever for sleep in before):
            return False
        # (Others may say more and more meanwhile: they cannot help.)
        self._apply_exits()
        if self._interpreter.untracked or stuck_actors(self.state) != stuck:
            return False
        now = [self._search.sleep(actor) for actor in stuck]
        return [sleep and sleep.switches for sleep in before] == [
            sleep and sleep.switches for sleep in now
        ]

    def standstill(self) -> Diagnosis | None:
        """What is known where, in free running, nothing moves; None where something may."""
        if not self._finality.hangs:
            return None
        return diagnose_standstill(self.state, self._finality.helpers())

    def choices(self) -> tuple[Choice, ...]:
        """What may happen next: those at a gate whose operation would go through, or time out."""
        account = self._account
        if self._interpreter.has_pipes:
            self._look_for_ends()
        choices = self._recorder.choices()
        # Who was granted and has not reported yet (a start may take its time) is not granted again.
        gone = account.free | account.granted
        if gone:
            return tuple(choice for choice in choices if choice.actor not in gone)
        return choices

    def faults(self) -> tuple[Choice, ...]:
        """What a person may do besides: kill, terminate, stop or continue a process."""
        return possible(self.state)

    def _look_for_ends(self) -> None:
        """Asks those who wait at a Pipe whether its other end was closed meanwhile.

        (Both ends of a Queue's pipe are open in every process that has it.)
        """
        for actor in self._recorder.actors:
            operation = actor.pending
            if operation is None or operation.verb not in (
                Verb.RECEIVE,
                Verb.POLL,
                Verb.WAIT_ANY,
            ):
                continue
            if actor.stopped or actor.id in self._account.free or self._recorder.can_go(actor):
                continue
            primitive = self._recorder.primitives.get(operation.primitive)
            if primitive is not None and primitive.kind != "Pipe":
                continue
            if self._ask(actor.id, wire.READY, b"y", b"n") != b"y":
                continue
            if operation.verb is Verb.WAIT_ANY:
                self._recorder.change(actor.id, pending=replace(operation, blocking=False))
            else:
                self._recorder.end_channel(operation.atom)

    # -- what one may do --------------------------------------------------------------

    def take(self, choice: Choice, deadline: float | None = None) -> tuple[Step, ...]:
        """Lets the choice happen, and all that follows from it until all is quiet again.

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
                and not self._is_late(deadline)
            ):
                self.grant(Choice(choice.actor))
                self.settle(deadline)
        finally:
            self._steps = None
        return tuple(steps)

    @property
    def grain(self) -> Grain:
        """At what size the choices are that are offered now."""
        return self._recorder.grain

    def adapt(self, grain: Grain, deadline: float | None = None) -> None:
        """From here on choices are offered at that grain.

        When the X-ray ends, the feeders that it held up are let go, one after the other (so that
        what comes of it is always the same), until each has sent all, or cannot.
        """
        if grain is self._recorder.grain:
            return
        while (choice := self.feeding()) is not None and not self._is_late(deadline):
            self.grant(choice)
            self.settle(deadline)
        self._recorder.grain = grain
        if not self.controlled:
            return
        self._say_mode()
        if grain is Grain.ATOM:
            self._interpreter.xray()
        else:
            self._let_go(only=[actor.id for actor in self._recorder.actors if actor.library])

    def feeding(self) -> Choice | None:
        """What a feeder thread that the X-ray holds up may do next."""
        actors = self._recorder.actors
        return next((one for one in self.choices() if actors[one.actor].library), None)

    def _say_mode(self) -> None:
        xray = self._recorder.grain is Grain.ATOM
        self._launch.say(wire.OPEN if not self.controlled else wire.XRAY if xray else wire.SHUT)

    def _goes_on(self, actor: ActorId) -> bool:
        """Whether the actor is in the middle of a call that can go on."""
        who = self._recorder.actors[actor]
        if not (who.call and who.pending and self.controlled):
            return False
        gone = actor in self._account.free or actor in self._account.granted
        return not gone and self._recorder.can_go(who)

    def strike(self, choice: Choice) -> bool:
        """Does the fault to its process at once, also while the operating system schedules.

        False if the process ended by itself before it could be done.
        """
        self._moved = time.monotonic()
        who = self._recorder.actors[choice.actor]
        if self.controlled:
            self._let_sleep(who)
        return self._hand.strike(choice, still=self.controlled and self.quiet)

    def grant(self, choice: Choice) -> None:
        """Opens the gate of one actor once.

        What comes of an operation on a semaphore is foretold by its model, and the process
        is told what to expect: it reports only if it got something else.
        """
        actor, account, recorder = choice.actor, self._account, self._recorder
        operation = recorder.actors[actor].pending
        assert operation is not None
        assert actor not in account.free
        account.owing.add(actor)
        if operation.verb is Verb.TERMINATE:
            target = self._interpreter.actor(int(operation.atom))
            if target is not None and target != actor:
                self._let_sleep(recorder.actors[target])
        if choice.move is Move.TIME_OUT:
            if self._let_through(actor, wire.TIME_OUT):
                self._interpreter.effect(actor, operation, "False")
            else:
                account.granted.add(actor)
        elif operation.verb in _MODELLED and (
            operation.atom not in recorder.atoms or operation.atom in recorder.gone
        ):
            account.granted.add(actor)
            self._let_through(actor, wire.RUN_FREE)
        elif operation.verb in _FORETOLD:
            in_vain = not operation.blocking and not recorder.would_take(actor, operation)
            if self._let_through(actor, wire.IN_VAIN if in_vain else wire.GO):
                self._interpreter.effect(actor, operation, "")
            else:
                account.free.add(actor)  # it reports what it does
        else:
            account.granted.add(actor)
            self._let_through(actor, wire.GO)

    def open_gates(self) -> None:
        """From here on the operating system schedules."""
        self.controlled = False
        self._recorder.grain = Grain.CALL
        self._say_mode()
        self._let_go()

    def _let_go(self, only: Sequence[ActorId] | None = None) -> None:
        """Lets those go (``only`` these) who wait at a gate although it is open."""
        account = self._account
        for actor in self._recorder.actors:
            if only is not None and actor.id not in only:
                continue
            waits = actor.pending is not None and actor.id not in account.granted
            if waits and actor.id not in account.free:
                account.free.add(actor.id)
                self._let_through(actor.id, wire.RUN_FREE)

    def shut_gates(self) -> None:
        """Each process stops before its next operation; one inside an operation stays there."""
        self.controlled = True
        self._say_mode()
        self._moved = time.monotonic()

    def inspect(self, actor: ActorId) -> Inspected:
        """The actor's call stack, asked of the process itself where it waits at its gate."""
        who = self._recorder.actors[actor]
        if who.ended:
            return Inspected(actor, note="It has ended.")
        if who.pending is not None:
            kernel.falls_asleep(*self._interpreter.thread_of(actor))
        account, doubt = self._search.account(actor)
        if doubt:  # it may have been just about to report
            self._read_records()
            account, doubt = self._search.account(actor)
        who = self._recorder.actors[actor]
        if who.library:
            note = "A thread of the library: it runs no line of the program."
            return Inspected(actor, note=note, kernel=account, doubt=doubt)
        operation = who.pending
        if who.stopped:
            note = "Its variables can be seen when it goes on: it is stopped."
            return Inspected(actor, _frames(operation), note, account)
        if operation is None or actor in self._account.free or actor in self._account.granted:
            note = "Its variables can be seen when it waits at its gate: pause."
            frames = self._search.stack(actor) if account.startswith("sleeping") else ()
            return Inspected(actor, frames or _frames(operation), note, account, doubt)
        try:
            stack = json.loads(self._ask(actor, wire.INSPECT, b"\n"))
        except ValueError:
            return Inspected(actor, note="It does not answer.", kernel=account, doubt=doubt)
        frames = tuple(
            Frame(
                file, line, function, tuple((n, self._interpreter.named(v)) for n, v in variables)
            )
            for file, line, function, variables in stack
        )
        return Inspected(actor, frames, "", account, doubt)

    def report(self, diagnosis: Diagnosis, steps: Iterable[Step], command: str) -> Report:
        """All that is known of how the run stands, as the diagnosis sees it."""
        made = report(self.state, diagnosis, self._search, steps, command)
        doubtful = [n for n, process in enumerate(made.processes) if process.doubt]
        if doubtful:  # one may be just about to report, or to fall asleep
            for actor in doubtful:
                kernel.falls_asleep(*self._interpreter.thread_of(actor))
            self._read_records()
            made = report(self.state, diagnosis, self._search, steps, command)
        return made

    # -- gates --------------------------------------------------------------------------

    def _gate(self, actor: ActorId) -> socket.socket | None:
        """The gate of that actor; None if it does not come to it."""
        end = time.monotonic() + self.patience
        # It may have announced itself and not be through the door yet; or be killed on the way.
        while actor not in self._gates and time.monotonic() < end:
            if not self._open_door() and not self._launch.has_door:
                break
        return self._gates.get(actor)

    def _let_sleep(self, who: Actor) -> None:
        """Waits until who has announced itself sleeps at its gate, where a signal wakes it.

        (CPython calls no handler of a signal that comes just before it sleeps: not until it wakes.)
        """
        waits = who.pending is not None and not who.ended and who.id not in self._account.free
        if not waits or self._gate(who.id) is None:
            return
        kernel.falls_asleep(who.pid)

    def _let_through(self, actor: ActorId, grant: bytes) -> bool:
        """Whether it is granted; if not, it makes its operation unheld, now or when it comes."""
        self._late.pop(actor, None)
        if self._send(actor, grant):
            return True
        self._late[actor] = grant if grant == wire.TIME_OUT else wire.RUN_FREE
        return False

    def _send(self, actor: ActorId, message: bytes) -> bool:
        """Whether it got that at its gate.

        Otherwise it goes past it, as one does that cannot reach it any more; or it is only late.
        """
        self._moved = time.monotonic()
        while (gate := self._gate(actor)) is not None:
            try:
                gate.send(message)
                return True
            except ConnectionError:
                # It has just died, which will be noticed; or has shut its gate and knocks again.
                self._gates.pop(actor).close()
                if kernel.has_ended(self._recorder.actors[actor].pid):
                    return True
        return False

    def _ask(self, actor: ActorId, question: bytes, *ends: bytes) -> bytes:
        """The answer of a process at its gate, up to one of ``ends``; empty if there is none.

        It sleeps there, so it answers, however long it is kept from the processor.
        """
        answer = b""
        if not self._send(actor, question) or (gate := self._gates.get(actor)) is None:
            return answer
        end = time.monotonic() + _ANSWERS
        gate.settimeout(0.1)
        while not (answer.endswith(ends) or self._is_late(end)):
            try:
                chunk = gate.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                break
            if not chunk:
                break
            answer += chunk
        gate.settimeout(None)
        return answer

    def _open_door(self) -> bool:
        """Whether somebody was there."""
        try:
            gate, _ = self._launch.door.accept()
        except TimeoutError:
            return False
        except OSError as error:
            raise kernel.UnwatchedError(
                f"one of the program's processes cannot be held up: {error.strerror}"
            ) from error
        gate.settimeout(_ANSWERS)
        words = b""
        with contextlib.suppress(OSError):
            while not words.endswith(b"\n") and (word := gate.recv(1)):
                words += word
        # Its first announcement was written before it knocked.
        self._read_records()
        actor = self._interpreter.actor(*map(int, words.split())) if words.endswith(b"\n") else None
        if actor is None:
            gate.close()
        else:
            gate.settimeout(None)
            if actor in self._gates:
                self._gates[actor].close()
            self._gates[actor] = gate
            self._let_late_through(actor)
        return True

    def _let_late_through(self, actor: ActorId) -> None:
        """Lets through who comes to its gate only now, unless it has withdrawn meanwhile."""
        account, grant = self._account, self._late.pop(actor, None)
        operation = self._recorder.actors[actor].pending
        if grant is None or operation is None or actor not in account.free | account.granted:
            return
        with contextlib.suppress(ConnectionError):
            self._gates[actor].send(grant)
            if grant == wire.TIME_OUT:  # it does not report that
                account.granted.discard(actor)
                self._interpreter.effect(actor, operation, "False")

    # -- listening ----------------------------------------------------------------------

    def also_wake_on(self, fd: int) -> None:
        """Lets ``pump`` return when that file descriptor becomes readable, and empties it."""

        def empty() -> None:
            with contextlib.suppress(BlockingIOError):
                os.read(fd, 4096)

        os.set_blocking(fd, False)
        self._launch.listen(fd, empty)

    def settle(self, deadline: float | None = None) -> None:
        """Pumps until it is quiet (or all is over, or the deadline, by the monotonic clock)."""
        while not (self.quiet or self.over or self._is_late(deadline)):
            if not self._helpers_are_stuck():
                self.pump(0.05)
        if self.quiet:
            self._interpreter.tell_who_waits()

    def _helpers_are_stuck(self) -> bool:
        """Whether it is known at once that a thread of the library waits for room in its pipe.

        (It has said so far what it did, and nobody else is at work who might make room.)
        """
        account = self._account
        if account.owing or self._backlog or not account.helpers.owe(self._recorder):
            return False
        return not self.pump(0) and account.helpers.stall_who(kernel.waits_to_write)

    def drain(self) -> None:
        """Applies all that was reported so far, however long that takes."""
        while not self.interrupted():
            self._read_records()
            if not self._backlog:
                return

    def _catch_up(self) -> None:
        """Applies what is on the wire now, also where more and more is written."""
        end = self._applied + len(self._backlog) + self._launch.waiting()
        while self._applied < end and not self.interrupted():
            self._read_records()

    def hear_out(self, seconds: float, deadline: float | None = None) -> bool:
        """Hears what is still on its way when all is over; until the deadline, at the most.

        Who was forked past ``multiprocessing`` has ``seconds`` to end, too; whether it did.  A
        ``Process`` that is being born is waited for: then it is not over.
        """
        interpreter, end = self._interpreter, time.monotonic() + seconds
        while interpreter.untracked and not self._is_late(deadline):
            # (Who starts one may have been killed just before there was one.)
            if time.monotonic() > end and not any(pid > 0 for pid in interpreter.births):
                break
            self.pump(0.05)
        # Of a process that has ended no more is left than its pipe holds.
        for _ in range(4):
            if not self._launch.wait(0):
                break
        self.drain()
        return not any(pid > 0 for pid in interpreter.untracked)

    def _is_late(self, deadline: float | None) -> bool:
        return self.interrupted() or (deadline is not None and time.monotonic() > deadline)

    def pump(self, timeout: float) -> bool:
        """Reads and applies what has arrived, waiting at most ``timeout`` seconds for it.

        The answer is whether anything was reported.
        """
        if not self.controlled:
            time.sleep(_BREATH)
        before = self._moved
        self._launch.wait(0 if self._backlog or self._launch.deaths.gone else timeout)
        if self._backlog:
            self._read_records()
        if self._launch.deaths.gone:
            self._apply_exits()
        if self.quiet:
            self._interpreter.tell_who_waits()
        if self._moved == before:
            self._lose_patience()
            self._bury_threads()
            if not self.controlled:
                self._finality.look()
        return self._moved != before

    def _lose_patience(self) -> None:
        idle = time.monotonic() - self._moved
        self._registry.look_in_time(idle)
        if idle < 0.05:
            return
        self._signals.look()
        if not self.controlled or self.quiet:
            return
        account = self._account
        alive = {actor.pid for actor in self._recorder.actors if not actor.ended}
        # Some sleep while processes that are none of ours (the guard, a fork server) work.
        # So do those who are on their way out.
        served = any(map(self._interpreter.is_served, account.granted)) or account.helpers.start()
        served = served or not account.leaving.keys().isdisjoint(account.owing)
        served = served or any(
            self._recorder.actors[actor].life is Life.STARTING for actor in account.owing
        )
        asleep = not served and all(map(kernel.is_asleep, alive))
        self._asleep = self._asleep + 1 if asleep else 0
        if idle < self.patience and self._asleep < _LOOKS and not self._waits_in_vain():
            return
        account.clog(self._recorder)
        account.helpers.stall()
        for actor in account.owing:
            who = self._recorder.actors[actor]
            waits = who.pending is not None and actor not in account.granted
            if not (who.library or waits):  # a signal that does nothing leaves it where it was
                self._recorder.change(actor, outside=True, whereabouts=self._search.of(actor))
        account.owing.clear()

    def _waits_in_vain(self) -> bool:
        """Whether all that is owed is owed by processes that are known never to report."""
        actors, owing = self._recorder.actors, self._account.owing
        return bool(owing) and all(
            actors[one].life is Life.STARTING and self._registry.never_reports(actors[one])
            for one in owing
        )

    def _read_records(self) -> None:
        """Reads what is on the wire, and applies it up to a slice's end.

        Reading is much faster than applying: so that the program is not held up by us, what
        there is is read first.  (A full backlog holds it up; nothing is ever lost.)
        """
        if self.interrupted():
            return
        backlog = self._backlog
        while len(backlog) < _BACKLOG:
            try:
                data = os.read(self._launch.fifo, 1 << 18)
            except BlockingIOError:
                break
            backlog += data
            if len(data) < 1 << 16:  # all there was, or nearly
                break
        if not backlog:
            return
        self._moved = time.monotonic()
        self._asleep = 0
        self._finality.end()
        # Records are written whole, and so arrive whole unless our buffer was full.
        end = backlog.rfind(b"\n", 0, _SLICE) + 1
        lines = bytes(backlog[:end])
        del backlog[:end]
        self._applied += end
        try:
            records = wire.decode(lines)
        except msgspec.DecodeError as error:
            raise DivergenceError(f"a record on the wire cannot be read: {error}") from error
        self._on_records(records)
        self._interpreter.take_in(records)
        if self._complaints is not None and self._recorder.actors[0].life is Life.ALIVE:
            self._begin()
        if not self.controlled:
            self._let_go()

    def _begin(self) -> None:
        """The program has begun: what Python itself has complained of before is not the reason."""
        complaints, self._complaints = self._complaints, None
        if complaints:
            self._on_print(None, "stderr", complaints.decode("utf-8", "backslashreplace"))

    def _apply_exits(self) -> None:
        """Notes who has died, after what they said before.

        First who, then what they said: somebody may die while we read.
        """
        dead = self._launch.deaths.collect()
        self._catch_up()
        for pid in dead:
            self._interpreter.died(pid)
        main = self._recorder.actors[0]
        if self._complaints is not None and main.ended and not main.killed:
            self._launch.wait(0)  # for what it has said last
            raise StageError(self._launch.why_not_started(self._complaints))

    def _bury_threads(self) -> None:
        """Notes which threads have ended, which they do not say, after what they said before.

        It is no step, and nobody can do more or less for it: so it does not matter when we look.
        """
        threads = self._interpreter.threads()
        ended = [actor for actor, pid, tid in threads if kernel.thread_has_ended(pid, tid)]
        if ended:
            self._catch_up()
        for actor in ended:
            self._interpreter.thread_ended(actor)

    def _hear_spill(self, stream: str) -> None:
        """Hears what is written past ``sys.stdout``: by C code, ``os.write``, another program."""
        fd = self._launch.spills[stream]
        os.set_blocking(fd, False)

        def hear() -> None:
            with contextlib.suppress(BlockingIOError):
                data = os.read(fd, 1 << 16)
                if data:
                    if stream == "stderr" and self._complaints is not None:
                        self._complaints += data
                        return
                    self._on_print(None, stream, data.decode("utf-8", "backslashreplace"))
                else:
                    self._launch.ignore(fd)

        self._launch.listen(fd, hear)

    def _stepped(self, step: Step) -> None:
        if self._steps is not None:
            self._steps.append(step)
        self._on_step(step)


def _frames(operation: Operation | None) -> tuple[Frame, ...]:
    site = operation.site if operation else None
    return (Frame(site.file, site.line, site.function),) if site else ()
