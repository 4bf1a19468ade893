"""The record interpreter: from records to what happened (recorder) and what is outstanding."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from msgspec.structs import replace

from syncsim import wire
from syncsim.core.atoms import ActorId, Atom, Block, Cell, Channel, Semaphore, Sleepers
from syncsim.core.kinds import MANAGED
from syncsim.core.operation import (
    EXIT,
    RECEIVE,
    RELEASE,
    SEND,
    SENT,
    START,
    TERMINATE,
    Operation,
    Site,
    Verb,
)
from syncsim.core.recorder import DivergenceError, Recorder
from syncsim.core.state import Actor, Life, Primitive
from syncsim.core.work import TaskOutcome, Work
from syncsim.program.failures import place_of
from syncsim.program.names import Namer, Position
from syncsim.program.safe_text import named
from syncsim.program.source import source_of
from syncsim.real import kernel
from syncsim.real.interpreter.feeders import Feeders
from syncsim.real.interpreter.signals import NUMBERS, Signals
from syncsim.real.interpreter.untracked import ProcessRegistry
from syncsim.real.quiescence import Quiescence

#: The calls that end a process of the program, and how.
_CALLS = {
    "Process.terminate": signal.SIGTERM,
    "Process.kill": signal.SIGKILL,
    "Process.interrupt": signal.SIGINT,
}

#: The signals that end who does not expect them.
_DEADLY = frozenset((signal.SIGKILL, signal.SIGTERM))

_source = lru_cache(maxsize=64)(source_of)


#: What happens behind the scenes of a call, and is no step.
_MOVES = frozenset((Verb.SENT, Verb.QUEUE, Verb.BEGIN, Verb.SETTLE, Verb.CANCEL))
#: What goes through as soon as it is granted, whatever the other processes do.
_LIVES = frozenset((Verb.START, Verb.JOIN, Verb.ALIVE))


class RecordInterpreter:
    """Knows which process is which actor, and takes in one record after the other.

    ``on_print`` hears what a process writes; ``watch`` is told the pid of every new process;
    ``main_code`` gives the exit code of the main process once it has ended.
    """

    def __init__(
        self,
        recorder: Recorder,
        account: Quiescence,
        signals: Signals,
        registry: ProcessRegistry,
        *,
        on_print: Callable[[ActorId | None, str, str], None],
        watch: Callable[[int], object],
        main_code: Callable[[], int],
    ) -> None:
        self._recorder = recorder
        self._account = account
        self._signals = signals
        self.registry = registry
        self._on_print = on_print
        self._watch = watch
        self._main_code = main_code
        self._namer = Namer()
        self._actor_of: dict[tuple[int, int], ActorId] = {}
        self._points: dict[tuple[int, int], Operation] = {}
        self._belongs: dict[str, tuple[str, str]] = {}  # atom -> primitive id, role
        self._parts: dict[str, list[wire.Part]] = {}  # of primitives that are being made
        self._started_by: dict[ActorId, ActorId] = {}
        self._feeders = Feeders(recorder, account)
        # Who of the library's own threads takes what is in a channel, or misses a worker.
        self._served_by: dict[str, str] = {}
        #: How many records were taken in.
        self.records = 0
        #: Pids forked past ``multiprocessing``, or about to be born; and whether there ever was
        #: one that ended without: what it did to the primitives nobody has seen.
        self.untracked: set[int] = set()
        self.had_untracked = False
        #: Those of them that were forked to become a ``Process``.
        self.births: set[int] = set()
        self._forked_by: dict[int, int] = {}
        self._signalled: dict[ActorId, set[int]] = {}  # by the program
        # Announced, and let go; then something came between, and it is still to be reported.
        self._interrupted: dict[ActorId, list[Operation]] = {}
        # Since it was last quiet: who has begun to await something, and who has come on its own.
        self._awaiting: list[ActorId] = []
        self._arrived: list[ActorId] = []
        self._unborn: set[ActorId] = set()  # have not reached a first operation yet
        #: Whether the program has made a Pipe, of which an end may be closed.
        self.has_pipes = False
        #: Pids in which threads of the library's own are at work.
        self.helped: set[int] = set()
        #: Pids in which an alarm may ring.
        self.alarmed: set[int] = set()
        #: Where the state of each thread (pid, tid) and each semaphore (of a pid) lies in memory.
        self.thread_states: dict[tuple[int, int], int] = {}
        self.semaphores: dict[tuple[int, int], str] = {}
        # What the servers of managers told of cells that are not known yet.
        self._shown: dict[str, str] = {}
        self._fresh: set[str] = set()
        # What the server of a manager keeps.
        self._kept_by: dict[ActorId, list[str]] = {}

    def take_in(self, records: Sequence[wire.Record]) -> None:
        """Writes the records down, in their order."""
        self.records += len(records)
        handle = self._HANDLERS
        for record in records:
            handle[type(record)](self, record)

    def actor(self, pid: int, tid: int = 0) -> ActorId | None:
        """Who that is; None for a stranger, and for a thread of the library never held up."""
        return self._actor_of.get((pid, tid))

    def thread_of(self, actor: ActorId) -> tuple[int, int]:
        """The pid and the tid by which the actor reports; the tid is 0 for a process."""
        who = self._recorder.actors[actor]
        if not who.thread:
            return who.pid, 0
        return next(key for key, one in self._actor_of.items() if one == actor)

    def primitive_with(self, atom: str) -> Primitive | None:
        """The primitive that the atom is part of."""
        identity, _ = self._belongs.get(atom, ("", ""))
        return self._recorder.primitives.get(identity)

    def tell_who_waits(self) -> None:
        """It is quiet: who has to wait for an outcome now, has to wait.

        Who runs beside the one that let it go, a child or a feeder, counts as here from now on:
        who of the two is heard first is by chance.
        """
        while self._arrived:
            self._recorder.waits_from_now(self._arrived.pop())
        while self._awaiting:
            self._recorder.stops(self._awaiting.pop(0))

    def add(self, actor: Actor) -> None:
        """A new process, which owes us its first announcement."""
        self._recorder.add(actor)
        self._unborn.add(actor.id)
        self._actor_of[actor.pid, 0] = actor.id
        self._account.owing.add(actor.id)
        self._watch(actor.pid)

    def died(self, pid: int) -> None:
        """The process is gone, and everything it has said has been heard."""
        self.births.discard(pid)
        self.registry.died(pid)
        if pid in self.untracked:
            self.untracked.remove(pid)
            self.had_untracked = True
        self.alarmed.discard(pid)
        actor = self.actor(pid)
        if actor in self._started_by:
            forker = self._recorder.actors[self._started_by[actor]].pid
            self.registry.ended(pid, forker)
        if actor is None or self._recorder.actors[actor].ended:
            return
        if actor == 0:
            code: int | None = self._main_code()
        else:
            code = kernel.exit_code(pid)
            if code is None:
                code = self._account.leaving.get(actor)
            killed = self._recorder.actors[actor].killed
            if code is None and killed:  # nobody was left who could tell us
                code = -NUMBERS[killed]
            numbers = self._signalled.get(actor, set()) & _DEADLY
            if code is None and numbers:
                # A fork server has taken notice of its end before us.
                code = -max(numbers, key=lambda number: number == signal.SIGKILL)
            if code is not None and self._recorder.actors[actor].terminated:
                # It may have been about to end already when it was to be ended.
                by_program = -code in numbers
                self._recorder.change(actor, terminated=by_program)
        self._account.helpers.died(pid)
        for work in self._recorder.works_for(actor):
            self._account.helpers.send(self._served_by[work])
        for (of, _), member in self._actor_of.items():
            if of == pid and not self._recorder.actors[member].ended:
                # (A thread has no exit code of its own, whenever it ends.)
                self._ended(member, None if self._recorder.actors[member].thread else code)

    def _ended(self, actor: ActorId, code: int | None) -> None:
        self._interrupted.pop(actor, None)
        self._recorder.vanish(self._kept_by.pop(actor, ()))
        self._recorder.end(actor, code)
        self._account.settle_up(actor)

    def threads(self) -> list[tuple[ActorId, int, int]]:
        """The threads that are not known to have ended: who, the pid, and the tid."""
        actors = self._recorder.actors
        return [
            (actor, pid, tid)
            for (pid, tid), actor in self._actor_of.items()
            if tid and not actors[actor].ended
        ]

    def thread_ended(self, actor: ActorId) -> None:
        """The thread is gone, and everything it has said has been heard."""
        if not self._recorder.actors[actor].ended:
            self._ended(actor, None)

    # -- records ------------------------------------------------------------------------

    def _born(self, record: wire.Born) -> None:
        self.thread_states[record.pid, record.tid] = record.state
        self.untracked.discard(record.pid)
        self.births.discard(record.pid)
        forked_by = self._forked_by.pop(record.pid, None)
        if not record.thread:
            self.registry.born(record.pid, record.name)
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
            self._actor_of[record.pid, record.tid] = actor.id
        else:
            self.add(actor)
            self._inherit(forked_by, actor.id)

    def _inherit(self, forked_by: int | None, child: ActorId) -> None:
        parent = None if forked_by is None else self.actor(forked_by)
        if parent is not None:
            self._recorder.inherit(parent, child)

    def _point(self, record: wire.Point) -> None:
        primitive, role = self._belongs.get(record.atom, ("", ""))
        if record.primitive:
            primitive = record.primitive
            parts = self._recorder.primitives.get(primitive)
            for name, atom in parts.parts.items() if parts else ():
                if atom == record.atom:
                    role = name
        call = record.call
        if not call and primitive:
            call = f"{self._recorder.primitives[primitive].kind}.{record.verb}"
        site = Site(record.file, record.line, record.function) if record.file else None
        self._points[record.pid, record.n] = Operation(
            verb=Verb(record.verb),
            atom=record.atom,
            call=call or record.verb,
            primitive=primitive,
            role=role,
            site=site,
            compound=record.compound,
        )

    def _want(self, record: wire.Want) -> None:
        actor = self.actor(record.pid, record.tid)
        operation = self._points[record.pid, record.point]
        if actor is None and record.gated:
            actor = self._feeder(record.pid, record.tid, operation.primitive)
        if actor is None:  # a thread of the library waits; it is no actor
            self._account.helpers.waits(record.pid, record.tid, operation)
            if operation.verb is Verb.FLUSH:
                # Perhaps of an executor that broke: then nobody is left who could receive, and
                # who is sending into a full pipe hears of that.
                self._account.clogged.discard(operation.atom)
            return
        if self._recorder.actors[actor].is_server:
            return
        if self._recorder.actors[actor].library:
            operation = self._feeders.wants(actor, operation)
        if record.detail or not record.blocking or record.timeout is not None:
            operation = replace(
                operation,
                blocking=record.blocking,
                timeout=record.timeout,
                detail=self.named(record.detail),
            )
        self._comes_between(actor, operation)
        self._account.owing.discard(actor)
        self._account.halted.discard(actor)
        if record.gated:
            self._account.free.discard(actor)
            self._account.granted.discard(actor)
        else:
            self._account.free.add(actor)
        comes_alone = actor in self._unborn or self._recorder.actors[actor].library
        self._unborn.discard(actor)
        if comes_alone and record.gated:
            self._arrived.append(actor)
        self._recorder.announce(actor, operation)
        if operation.verb is Verb.AWAIT:
            if record.gated:
                self._awaiting.append(actor)
            else:
                self._recorder.stops(actor)

    def _comes_between(self, actor: ActorId, operation: Operation) -> None:
        """The actor makes that in the middle of another one that it has begun.

        A handler of the program does, of a signal or of a fork.
        """
        begun = self._recorder.actors[actor].pending
        let_go = actor in self._account.granted or actor in self._account.free
        if begun is not None and let_go and begun != operation:
            known = self._interrupted.setdefault(actor, [])
            if known[-1:] != [begun]:
                known.append(begun)

    def _ends(self, actor: ActorId) -> Operation | None:
        """What the actor has been making that is over now; also if something came between."""
        pending, begun = self._recorder.actors[actor].pending, self._interrupted.get(actor)
        if begun and pending in (None, begun[-1]):
            return begun.pop()
        return pending

    def is_served(self, actor: ActorId) -> bool:
        """Whether the actor, when granted, asks for what nobody of the program can keep from it.

        It starts a process, or takes notice of the end of one that is gone.  That it sleeps then
        says nothing: a fork server may be at work, or the kernel (which waits, before somebody is
        reaped, for whoever is looking at its files in ``/proc``).
        """
        operation = self._recorder.actors[actor].pending
        return operation is not None and operation.verb in _LIVES

    def _did(self, record: wire.Did) -> None:
        actor = self.actor(record.pid, record.tid)
        if actor is None:
            made = self._account.helpers.waits(record.pid, record.tid, None)
            if made is not None:
                self._library(record.pid, record.tid, made, record.result)
            return
        if self._recorder.actors[actor].is_server:
            return
        who = self._recorder.actors[actor]
        operation = self._ends(actor)
        if operation is None:
            raise DivergenceError(
                f"{who.name} got {record.result}, which is not what the model foretold"
            )
        self._account.granted.discard(actor)
        self._account.free.discard(actor)
        self._owes(who)
        self.effect(actor, operation, self.named(record.result))

    # -- feeders, under the X-ray ---------------------------------------------------------

    def _feeder(self, pid: int, tid: int, queue: str) -> ActorId | None:
        """That thread, which is held up now."""
        known = self.actor(pid, tid)
        if known is not None:
            return known
        feeder = self._feeders.add(self._actor_of[pid, 0], queue)
        if feeder is not None:
            self._actor_of[pid, tid] = feeder
        return feeder

    def xray(self) -> None:
        """The X-ray begins: feeders that are in the middle of sending are known as well."""
        for queue, process, tid in self._feeders.in_the_middle():
            feeder = self._feeder(self._recorder.actors[process].pid, tid, queue.id)
            if feeder is not None:
                self._feeders.has_lock(feeder)

    def _fed(self, record: wire.Fed) -> None:
        feeder = self.actor(record.pid, record.tid)
        if feeder is not None:
            self._feeders.rests(feeder)

    def _lines_up(self, record: wire.LinesUp) -> None:
        process, queue = self.actor(record.pid), self.primitive_with(record.lock)
        if process is not None and queue is not None:
            self._feeders.lines_up(process, queue)

    def _flushed(self, process: ActorId, pipe: str) -> None:
        feeder = self._feeders.ends(process, pipe)
        if feeder is not None:  # its number may come again
            self._actor_of = {key: one for key, one in self._actor_of.items() if one != feeder}

    def _withdrawn(self, record: wire.Withdrawn) -> None:
        actor = self.actor(record.pid, record.tid)
        if actor is None:
            return
        self._account.granted.discard(actor)
        self._account.free.discard(actor)
        self._ends(actor)
        if not self._recorder.actors[actor].thread:
            self._account.owing.add(actor)
        self._recorder.change(actor, pending=None)

    def _op(self, record: wire.Op) -> None:
        pid, result = record.pid, record.result
        operation = self._points[pid, record.point]
        verb = operation.verb
        actor = self._actor_of.get((pid, record.tid))
        who = self._recorder.actors[actor] if actor is not None else None
        if record.detail:
            operation = replace(operation, detail=self.named(record.detail))
        if actor is None or who is None or who.library or (who.is_server and verb is not EXIT):
            helpers = self._account.helpers
            helpers.waits(pid, record.tid, None)
            if verb is SEND or verb is SENT:
                helpers.sends(pid, record.tid, begins=verb is SEND)
            self._library(pid, record.tid, operation, result)
            return
        behind = operation.compound and not operation.call.startswith("Connection.")
        if verb in _MOVES or (verb is SEND and behind):
            self._recorder.move(actor, operation)
            if operation.verb is Verb.SEND and operation.atom in self._served_by:
                self._sent(actor, operation)
            return
        if verb is RELEASE and result != "None":
            self._recorder.refused(actor, operation, result)
            return
        self._comes_between(actor, operation)
        self._owes(self._recorder.actors[actor])
        self.effect(actor, operation, self.named(result))

    def _owes(self, actor: Actor) -> None:
        """It runs, and owes its next announcement; of a thread and a server nobody knows when."""
        if not (actor.thread or actor.is_server):
            self._account.owing.add(actor.id)

    def named(self, text: str) -> str:
        """The text with the names of primitives in the place of their marks (see ``safe``)."""
        return named(text, self._recorder.name_of)

    def _sent(self, worker: ActorId, operation: Operation) -> None:
        """A worker (or who ends a Pool) has sent something to the thread for the results."""
        self._account.helpers.send(self._served_by[operation.atom])
        for work in self._recorder.works_for(worker):
            failed = "failed" if operation.call.endswith(".fail") else ""
            self._recorder.move(worker, Operation(Verb.SETTLE, work, detail=failed))

    def _library(self, pid: int, tid: int, operation: Operation, result: str) -> None:
        """A thread of multiprocessing's own did something: it counts for its process."""
        actor = self.actor(pid)
        if actor is None:
            return
        verb = operation.verb
        if verb is START and result.isdigit():
            self._started(actor, operation, int(result))
            return
        if verb is TERMINATE:  # a Pool, perhaps inside a server, ends its workers
            self._send(None, operation)
            return
        if verb is SEND:
            if operation.atom in self._served_by:
                self._sent(actor, operation)
            self._feeders.begins(actor, operation.atom, tid)
        if verb is SENT and self._feeders.has_sent(
            actor, operation.atom, self._actor_of.get((pid, tid))
        ):
            return
        if verb is RELEASE and operation.role == "slots":
            # The feeder could not pickle an item: it gives the slot back and drops it.
            parts = self._recorder.primitives[operation.primitive].parts
            self._recorder.drop(parts.get("items") or parts["tasks"], actor)
        if verb is Verb.DROP:
            self._feeders.leaves(actor, operation.atom)
        self._recorder.move(actor, operation, result)
        if verb is Verb.FLUSH:
            self._flushed(actor, operation.atom)
        if verb is SEND or verb is SENT:
            self._account.clogged.discard(operation.atom)

    def effect(self, actor: ActorId, operation: Operation, result: str) -> None:
        """The operation took effect; ``result`` is empty where only the model knows it."""
        verb = operation.verb
        if verb is START and result.isdigit():
            self._started(actor, operation, int(result))
            result = "None"
        elif verb is TERMINATE:
            operation = self._send(actor, operation)
        elif verb is EXIT:
            self._account.leaving[actor] = int(operation.detail or 0)
            self._account.owing.add(actor)  # its death
        elif verb is Verb.LEAVE:
            before = self._recorder.actors[actor].called
            self._recorder.change(actor, called=tuple(dict.fromkeys((*before, operation.call))))
            if operation.call.startswith("os.exec"):
                self._recorder.effect(actor, operation, result)
                self._recorder.leave(actor, operation.site)
                self._account.owing.discard(actor)
                return
        elif verb is RECEIVE:
            self._account.clogged.discard(operation.atom)
            self._account.helpers.stir()
        elif verb is Verb.FLUSH:
            self._flushed(actor, operation.atom)
        elif verb is RELEASE and self._recorder.actors[actor].library:
            self._feeders.releases(actor, operation)
        unseen = bool(self.untracked) or self.had_untracked or self.registry.shaken
        self._recorder.effect(actor, operation, result, believe=unseen)
        if verb is SEND and operation.atom in self._served_by:  # a step of its own: the X-ray
            self._sent(actor, operation)

    def _send(self, actor: ActorId | None, operation: Operation) -> Operation:
        """The program sends a signal to one of its processes; the operation, with whose name."""
        target = self.actor(int(operation.atom))
        if target is None:
            return operation
        victim = self._recorder.actors[target]
        number = _CALLS.get(operation.call) or signal.Signals[operation.detail]
        if number in (*_DEADLY, signal.SIGINT) and target != actor and not victim.ended:
            self._recorder.change(target, terminated=number in _DEADLY or victim.terminated)
            self._signalled.setdefault(target, set()).add(number)
        if not (target == actor and number == signal.SIGSTOP):
            self._signals.sent(target, number)
        # (Who stops itself has not done so yet: it owes us that the kernel says it has.)
        name = victim.name
        known = operation.call in _CALLS or operation.compound
        return replace(operation, detail=name if known else f"{operation.detail} to {name}")

    def _started(self, parent: ActorId, operation: Operation, pid: int) -> None:
        known = self.actor(pid)
        if known is None or known in self._started_by:  # the pid has come again
            known = len(self._recorder.actors)
            self.add(Actor(id=known, name=operation.detail, pid=pid, parent=parent))
        self._started_by[known] = parent
        self.registry.started(pid, self._recorder.actors[parent].pid)
        if operation.atom:
            self._recorder.hire(operation.atom, known)

    def _back(self, record: wire.Back) -> None:
        actor = self.actor(record.pid, record.tid)
        if actor is not None:
            self._recorder.back(actor, self.named(record.result))

    def _part(self, record: wire.Part) -> None:
        if record.address:
            self.semaphores[record.pid, record.address] = record.atom
        self._parts.setdefault(record.primitive, []).append(record)

    def _made(self, record: wire.Made) -> None:
        atoms: dict[str, Atom] = {}
        parts = self._parts.pop(record.id, [])
        known = record.kind.startswith(MANAGED) and record.id in self._recorder.primitives
        if known and record.id not in self._fresh:
            return  # another proxy of what is there already
        self._fresh.discard(record.id)
        self.has_pipes = self.has_pipes or record.kind == "Pipe"
        for part in parts:
            if part.form == "channel":
                atoms[part.atom] = Channel()
            elif part.form == "cell":
                atoms[part.atom] = Cell(value=self._shown.pop(part.atom, part.text))
            elif part.form == "sleepers":
                atoms[part.atom] = Sleepers()
            elif part.form == "block":
                atoms[part.atom] = Block(part.value, (self.actor(record.pid) or 0,))
            elif part.form == "work":
                atoms[part.atom] = Work()
            elif part.form == "outcome":
                atoms[part.atom] = TaskOutcome()
            else:
                atoms[part.atom] = Semaphore(
                    value=part.value,
                    maximum=part.maximum,
                    recursive=part.form == "recursive",
                    resource=part.value > 0,
                )
            if part.atom not in self._belongs or isinstance(atoms[part.atom], Channel | Cell):
                self._belongs[part.atom] = record.id, part.role
        roles = {part.role: part.atom for part in parts}
        if "work" in roles:
            self._served_by[roles["work"]] = roles["worker handler"]
            self._account.helpers.pipes.add(roles["results"])
            if "slots" not in roles:  # an executor's tasks go through a Queue
                self._account.helpers.pipes.add(roles["tasks"])
            self._served_by[roles["results"]] = roles.get("result handler", roles["worker handler"])
        position = Position(record.line, record.column, record.end_line, record.end_column)
        name = self._namer.name(source_of(record.file), position, record.kind)
        primitive = Primitive(
            id=record.id,
            kind=record.kind,
            name=name,
            parts=roles,
            capacity=record.capacity,
            file=record.file,
            line=record.line,
            creator=self.actor(record.pid) or 0,
        )
        self._recorder.create(primitive, atoms)

    def _text(self, record: wire.Text) -> None:
        self._on_print(self.actor(record.pid), record.stream, record.text)

    def _error(self, record: wire.Error) -> None:
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

    def _reaped(self, record: wire.Reaped) -> None:
        child = self.actor(record.child)
        if child is None:
            return
        if not self._recorder.actors[child].ended:
            self.died(record.child)
        self._recorder.change(
            child, reaped=True, reaped_by=self.actor(record.pid), exitcode=record.exitcode
        )

    def _forking(self, record: wire.Forking) -> None:
        # Until the child says who it is, its parent's pid stands for it.
        self.untracked.add(-record.pid)
        self.registry.forking(record.pid)
        actor = self.actor(record.pid)
        operation = self._recorder.actors[actor].pending if actor is not None else None
        if operation is not None and operation.verb is START:
            self.births.add(-record.pid)

    def _forked(self, record: wire.Forked) -> None:
        parent, is_birth = -record.parent, -record.parent in self.births
        self.untracked.discard(parent)
        self.births.discard(parent)
        self.registry.has_forked(record.parent)
        if not record.pid:
            return
        self.untracked.add(record.pid)
        if is_birth:
            self.births.add(record.pid)
        self._forked_by[record.pid] = record.parent
        self.registry.forked(record.pid, record.parent, birth=is_birth)
        self._watch(record.pid)

    def _joined(self, record: wire.Joined) -> None:
        self.registry.joined(record.pid)

    def _launched(self, record: wire.Launched) -> None:
        self.registry.launched(record)

    def _missing(self, record: wire.Missing) -> None:
        self.registry.missing(record.sentence)

    def _helped(self, record: wire.Helped) -> None:
        self.helped.add(record.pid)

    def _alarm(self, record: wire.Alarm) -> None:
        (self.alarmed.add if record.asked else self.alarmed.discard)(record.pid)

    def _serves(self, record: wire.Serves) -> None:
        actor = self.actor(record.pid)
        if actor is not None:
            self._recorder.change(actor, is_server=True)
            self._account.owing.discard(actor)

    def _shows(self, record: wire.Shows) -> None:
        if record.fresh:
            self._fresh.add(record.atom)
            server = self.actor(record.pid)
            if server is not None:
                self._kept_by.setdefault(server, []).append(record.atom)
        text = self.named(record.text)
        if record.fresh or record.atom not in self._recorder.atoms:
            self._shown[record.atom] = text
        else:
            self._recorder.show(record.atom, text)

    def _woken(self, record: wire.Woken) -> None:
        sleeper = self.actor(record.sleeper, record.tid)
        if sleeper is not None:
            primitive, _ = self._belongs.get(record.atom, ("", ""))
            known = self._recorder.primitives.get(primitive)
            callers = self._recorder.callers(*known.parts.values()) if known else []
            by = [one for one in callers if one != sleeper]
            self._recorder.wake(record.atom, sleeper, by[0] if len(by) == 1 else None)

    def _helper(self, record: wire.Helper) -> None:
        self._account.helpers.begin(record.pid, record.name)

    def _gave(self, record: wire.Gave) -> None:
        if record.pid:
            self._account.helpers.give(record.name, record.pid)
        else:
            self._account.helpers.send(record.name)

    def _dealt(self, record: wire.Dealt) -> None:
        if self._account.helpers.deal(record.pid, record.tid, record.name, record.n):
            self._recorder.settle(record.name)

    _HANDLERS: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        wire.Born: _born,
        wire.Point: _point,
        wire.Want: _want,
        wire.Did: _did,
        wire.Withdrawn: _withdrawn,
        wire.Op: _op,
        wire.Back: _back,
        wire.Part: _part,
        wire.Made: _made,
        wire.Text: _text,
        wire.Error: _error,
        wire.Reaped: _reaped,
        wire.Forking: _forking,
        wire.Forked: _forked,
        wire.Joined: _joined,
        wire.Launched: _launched,
        wire.Missing: _missing,
        wire.Helped: _helped,
        wire.Alarm: _alarm,
        wire.Serves: _serves,
        wire.Shows: _shows,
        wire.Woken: _woken,
        wire.Fed: _fed,
        wire.LinesUp: _lines_up,
        wire.Helper: _helper,
        wire.Gave: _gave,
        wire.Dealt: _dealt,
    }
