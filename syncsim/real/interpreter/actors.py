"""The lives of a run's processes and threads: born, ended, sent signals, taken notice of."""

from __future__ import annotations

import signal
from collections.abc import Callable

from msgspec.structs import replace

from syncsim import wire
from syncsim.core.atoms import ActorId
from syncsim.core.operation import START, Operation
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor, Life
from syncsim.program.failures import place_of
from syncsim.real import kernel
from syncsim.real.interpreter.interruptions import Interruptions
from syncsim.real.interpreter.pools import Pools
from syncsim.real.interpreter.processes import ProcessRegistry
from syncsim.real.interpreter.signals import NUMBERS, Signals
from syncsim.real.quiescence import Quiescence

#: The calls that end a process of the program, and how.
_CALLS = {
    "Process.terminate": signal.SIGTERM,
    "Process.kill": signal.SIGKILL,
    "Process.interrupt": signal.SIGINT,
}
#: The signals that end who does not expect them.
_DEADLY = frozenset((signal.SIGKILL, signal.SIGTERM))


class Actors:
    """Knows which process or thread is which actor.

    ``watch`` is told the pid of every new process; ``main_code`` gives the exit code of the main
    process once it has ended.
    """

    def __init__(
        self,
        recorder: Recorder,
        quiescence: Quiescence,
        signals: Signals,
        processes: ProcessRegistry,
        pools: Pools,
        interruptions: Interruptions,
        *,
        watch: Callable[[int], object],
        main_code: Callable[[], int],
    ) -> None:
        self._recorder = recorder
        self._quiescence = quiescence
        self._signals = signals
        self._processes = processes
        self._pools = pools
        self._interruptions = interruptions
        self._watch = watch
        self._main_code = main_code
        #: By the pid and the tid, which is 0 for a process.
        self.by_thread: dict[tuple[int, int], ActorId] = {}
        #: Those that have not reached a first operation yet.
        self.unborn: set[ActorId] = set()
        self._started_by: dict[ActorId, ActorId] = {}
        self._signalled: dict[ActorId, set[int]] = {}  # by the program
        # By the pid: a thread of the library may end a worker that another one is still starting.
        self._ended_early: dict[int, int] = {}
        #: Pids in which threads of the library's own are at work.
        self.helped: set[int] = set()
        #: Pids in which an alarm may ring.
        self.alarmed: set[int] = set()
        #: Where the state of each thread (pid, tid) lies in memory.
        self.thread_states: dict[tuple[int, int], int] = {}
        # The primitives that the server of a manager keeps.
        self._kept_by: dict[ActorId, list[str]] = {}

    def actor(self, pid: int, tid: int = 0) -> ActorId | None:
        """Return the actor; None if untracked, and for a library's thread never held up."""
        return self.by_thread.get((pid, tid))

    def thread_of(self, actor: ActorId) -> tuple[int, int]:
        """Return the pid and the tid by which the actor reports; the tid is 0 for a process."""
        who = self._recorder.actors[actor]
        if not who.thread:
            return who.pid, 0
        return next(key for key, one in self.by_thread.items() if one == actor)

    def forget_thread(self, actor: ActorId) -> None:
        """Forget by which thread the actor reported: its number may come again."""
        for key in [key for key, one in self.by_thread.items() if one == actor]:
            del self.by_thread[key]

    def add(self, actor: Actor) -> None:
        """Add a new process, whose first announcement is outstanding."""
        self._recorder.add(actor)
        self.unborn.add(actor.id)
        self.by_thread[actor.pid, 0] = actor.id
        self._quiescence.outstanding.add(actor.id)
        self._watch(actor.pid)
        number = self._ended_early.pop(actor.pid, None)
        if number is not None:
            self._note_signal(actor.id, number)

    def started(self, parent: ActorId, operation: Operation, pid: int) -> None:
        """The parent has started that process."""
        child = self.actor(pid)
        if child is None or child in self._started_by:  # the pid has come again
            child = len(self._recorder.actors)
            self.add(Actor(id=child, name=operation.detail, pid=pid, parent=parent))
        self._started_by[child] = parent
        self._processes.started(pid, self._recorder.actors[parent].pid)
        if operation.atom:
            self._recorder.hire(operation.atom, child)

    def keeps(self, pid: int, primitive: str) -> None:
        """The server of a manager keeps that primitive."""
        server = self.actor(pid)
        if server is not None:
            self._kept_by.setdefault(server, []).append(primitive)

    def signal(self, actor: ActorId | None, operation: Operation) -> Operation:
        """The program sends a signal to one of its processes; return the operation with its name.

        ``actor`` is the sender; None for a thread of the library.
        """
        pid, call = int(operation.atom), operation.call
        target = self.actor(pid)
        if target is None:
            if call in _CALLS:
                self._ended_early[pid] = _CALLS[call]
            return operation
        victim = self._recorder.actors[target]
        number = _CALLS.get(call) or signal.Signals[operation.detail]
        if number in (*_DEADLY, signal.SIGINT) and target != actor and not victim.ended:
            self._note_signal(target, number)
        if not (target == actor and number == signal.SIGSTOP):
            self._signals.sent(target, number)
        # (Who stops itself has not done so yet: that the kernel says it has is outstanding.)
        known = call in _CALLS or operation.compound
        detail = victim.name if known else f"{operation.detail} to {victim.name}"
        return replace(operation, detail=detail)

    def _note_signal(self, victim: ActorId, number: int) -> None:
        if number in _DEADLY:
            self._recorder.change(victim, terminated=True)
        self._signalled.setdefault(victim, set()).add(number)

    # -- ends -----------------------------------------------------------------------------

    def died(self, pid: int) -> None:
        """The process is gone, and everything it has said has been heard."""
        self._processes.died(pid)
        self._ended_early.pop(pid, None)
        self.alarmed.discard(pid)
        actor = self.actor(pid)
        if actor in self._started_by:
            forker = self._recorder.actors[self._started_by[actor]].pid
            self._processes.ended(pid, forker)
        if actor is None or self._recorder.actors[actor].ended:
            return
        code = self._main_code() if actor == 0 else self._exit_code(actor, pid)
        self._quiescence.helpers.died(pid)
        self._pools.lost(actor)
        for (of, _), member in self.by_thread.items():
            if of == pid and not self._recorder.actors[member].ended:
                # (A thread has no exit code of its own, whenever it ends.)
                self._end(member, None if self._recorder.actors[member].thread else code)

    def _exit_code(self, actor: ActorId, pid: int) -> int | None:
        code = kernel.exit_code(pid)
        if code is None:
            code = self._quiescence.leaving.get(actor)
        killed = self._recorder.actors[actor].killed
        if code is None and killed:  # nobody was left who could tell us
            code = -NUMBERS[killed]
        numbers = self._signalled.get(actor, set()) & _DEADLY
        if code is None and numbers:
            # A fork server has taken notice of its end before us.
            code = -max(numbers, key=lambda number: number == signal.SIGKILL)
        if code is not None and self._recorder.actors[actor].terminated:
            # It may have been about to end already when it was to be ended.
            self._recorder.change(actor, terminated=-code in numbers)
        return code

    def threads(self) -> list[tuple[ActorId, int, int]]:
        """Return the threads that are not known to have ended: actor, pid and tid."""
        actors = self._recorder.actors
        return [
            (actor, pid, tid)
            for (pid, tid), actor in self.by_thread.items()
            if tid and not actors[actor].ended
        ]

    def thread_ended(self, actor: ActorId) -> None:
        """The thread is gone, and everything it has said has been heard."""
        if not self._recorder.actors[actor].ended:
            self._end(actor, None)

    def _end(self, actor: ActorId, code: int | None) -> None:
        self._interruptions.forget(actor)
        self._recorder.vanish(self._kept_by.pop(actor, ()))
        self._recorder.end(actor, code)
        self._quiescence.forget(actor)

    # -- records --------------------------------------------------------------------------

    def born(self, record: wire.Born) -> None:
        """A process or a thread takes part from now on."""
        self.thread_states[record.pid, record.tid] = record.state
        forked_by = None if record.thread else self._processes.born(record.pid, record.name)
        known = self.actor(record.pid, record.tid)
        if known is not None and not self._recorder.actors[known].ended:
            self._recorder.change(
                known,
                life=Life.ALIVE,
                name=record.name,
                daemon=record.daemon,
                method=record.method,
            )
            self._inherit(forked_by, known)
            return
        actor = Actor(
            id=len(self._recorder.actors),
            name=record.name,
            pid=record.pid,
            parent=self.actor(record.parent),
            daemon=record.daemon,
            thread=record.thread,
            method=record.method,
            life=Life.ALIVE,
        )
        if record.thread:
            self._recorder.add(actor)
            self.by_thread[record.pid, record.tid] = actor.id
        else:
            self.add(actor)
            self._inherit(forked_by, actor.id)

    def _inherit(self, forked_by: int | None, child: ActorId) -> None:
        parent = None if forked_by is None else self.actor(forked_by)
        if parent is not None:
            self._recorder.inherit(parent, child)

    def forking(self, record: wire.Forking) -> None:
        """A process is about to fork."""
        actor = self.actor(record.pid)
        operation = self._recorder.actors[actor].pending if actor is not None else None
        is_birth = operation is not None and operation.verb is START
        self._processes.forking(record.pid, birth=is_birth)

    def forked(self, record: wire.Forked) -> None:
        """A process was forked; without a pid: it was not, after all."""
        self._processes.forked(record.pid, record.parent)
        if record.pid:
            self._watch(record.pid)

    def reaped(self, record: wire.Reaped) -> None:
        """A parent has taken notice of the end of its child."""
        child = self.actor(record.child)
        if child is None:
            return
        if not self._recorder.actors[child].ended:
            self.died(record.child)
        self._recorder.change(
            child, reaped=True, reaped_by=self.actor(record.pid), exitcode=record.exitcode
        )

    def error(self, record: wire.Error) -> None:
        """An exception that nobody catches ends the process."""
        actor = self.actor(record.pid)
        if actor is None:
            return
        interrupted = signal.SIGINT in self._signalled.get(actor, ())
        if not (interrupted and record.exception == KeyboardInterrupt.__name__):
            message = f": {record.message}" if record.message else ""
            self._recorder.change(
                actor,
                error=record.exception + message,
                error_site=place_of(record.file, record.line),
                is_assertion=record.assertion,
            )

    def serves(self, record: wire.Serves) -> None:
        """The process is the server of a manager."""
        actor = self.actor(record.pid)
        if actor is not None:
            self._recorder.change(actor, is_server=True)
            self._quiescence.outstanding.discard(actor)

    def note_helped(self, record: wire.Helped) -> None:
        """A thread of the library is at work of which nothing is known."""
        self.helped.add(record.pid)

    def note_alarm(self, record: wire.Alarm) -> None:
        """An alarm was asked for, or called off."""
        (self.alarmed.add if record.asked else self.alarmed.discard)(record.pid)
