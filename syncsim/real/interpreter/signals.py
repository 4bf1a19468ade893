"""Signals that halt, continue or end a process of the program: what reports follow.

The person's come from here (``Hand``), the program's own are reported on the wire.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from syncsim.core.atoms import ActorId
from syncsim.core.recorder import Recorder
from syncsim.core.schedule import Choice, Move
from syncsim.instrument.dispositions import Disposition, disposition, is_pending
from syncsim.real import kernel
from syncsim.real.quiescence import Quiescence

#: How long, in seconds, a process may take to halt: one that waits for a disk, or for a processor
#: that others have, does not at once.
_HALTS_WITHIN = 10.0

#: The signal of each fault.
NUMBERS = {
    Move.KILL: signal.SIGKILL,
    Move.TERMINATE: signal.SIGTERM,
    Move.STOP: signal.SIGSTOP,
    Move.CONTINUE: signal.SIGCONT,
}


class Signals:
    """The effect of signals on which reports are outstanding."""

    def __init__(self, recorder: Recorder, quiescence: Quiescence) -> None:
        self._recorder = recorder
        self._quiescence = quiescence

    def sent(self, actor: ActorId, number: int) -> None:
        """Note that the signal is on its way to the process of the actor."""
        who = self._recorder.actors[actor]
        if who.ended:
            return
        match number:
            case signal.SIGSTOP:
                self.halt(actor)
            case signal.SIGCONT:
                self.resume(actor)
            case signal.SIGKILL:
                self._quiescence.outstanding.add(actor)  # its death
            case signal.SIGTERM | signal.SIGINT if not who.stopped:
                self._expect_answer(actor, number)

    def halt(self, actor: ActorId) -> None:
        """The process is stopped, and all its threads."""
        self._recorder.stop(actor)
        for one in self._members(actor):
            self._quiescence.halt(one)

    def resume(self, actor: ActorId) -> None:
        """The process goes on again, and meets what was sent to it meanwhile."""
        self._recorder.stop(actor, stopped=False)
        for one in self._members(actor):
            self._quiescence.resume(one)
        for number in (signal.SIGTERM, signal.SIGINT):
            if is_pending(self._recorder.actors[actor].pid, number):
                self._expect_answer(actor, number)

    def _expect_answer(self, actor: ActorId, number: int) -> None:
        """Its death, or that it announces itself again once its handler is done."""
        who = self._recorder.actors[actor]
        match disposition(who.pid, number):
            case Disposition.DEFAULT:
                self._quiescence.outstanding.add(actor)
            case Disposition.CATCHES if who.pending is not None:
                self._quiescence.outstanding.add(actor)

    def look(self) -> None:
        """Ask the kernel who is stopped, for what was done without our seeing it."""
        for actor in self._recorder.actors:
            if actor.ended or actor.thread:
                continue
            stopped = kernel.is_stopped(actor.pid)
            if stopped and (not actor.stopped or actor.id in self._quiescence.outstanding):
                self.halt(actor.id)
            elif stopped is False and actor.stopped:
                self.resume(actor.id)

    def _members(self, actor: ActorId) -> list[ActorId]:
        pid = self._recorder.actors[actor].pid
        return [one.id for one in self._recorder.actors if one.pid == pid and not one.ended]


class Hand:
    """The person's hand on the processes.

    ``send`` sends a signal to a pid, and says whether there still was one; ``drain`` applies all
    that was reported so far.
    """

    def __init__(
        self,
        recorder: Recorder,
        signals: Signals,
        send: Callable[[int, int], bool],
        drain: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._signals = signals
        self._send = send
        self._drain = drain

    def strike(self, choice: Choice, *, still: bool) -> bool:
        """Do that to the process; false if it has ended by itself meanwhile.

        Unless everybody is ``still``, the process is halted first, so that all it did is told
        before the fault, and all that follows from the fault after it.
        """
        actor, move = choice.actor, choice.move
        pid = self._recorder.actors[actor].pid
        halts = move is Move.STOP or not (still or self._recorder.actors[actor].stopped)
        if halts and not self._halt(pid):
            return False
        self._recorder.fault(actor, move)
        self._signals.sent(actor, NUMBERS[move])
        if move is not Move.STOP:
            self._send(pid, NUMBERS[move])
            if halts and move is Move.TERMINATE:
                self._send(pid, signal.SIGCONT)
        return True

    def _halt(self, pid: int) -> bool:
        if not self._send(pid, signal.SIGSTOP):
            return False
        end = time.monotonic() + _HALTS_WITHIN
        while kernel.is_stopped(pid) is False and time.monotonic() < end:
            time.sleep(0.0005)
        self._drain()
        return True
