"""The record interpreter: from records to what happened, and to which reports are outstanding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from syncsim import wire
from syncsim.core.atoms import ActorId
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
from syncsim.core.state import Actor
from syncsim.real.interpreter.actors import Actors
from syncsim.real.interpreter.feeders import Feeders
from syncsim.real.interpreter.interruptions import Interruptions
from syncsim.real.interpreter.pools import Pools
from syncsim.real.interpreter.primitives import Primitives
from syncsim.real.interpreter.processes import ProcessRegistry
from syncsim.real.interpreter.signals import Signals
from syncsim.real.quiescence import Quiescence

#: Verbs of what happens behind the scenes of a call, and is no step.
_MOVES = frozenset((Verb.SENT, Verb.QUEUE, Verb.BEGIN, Verb.SETTLE, Verb.CANCEL))
#: Verbs of what goes through as soon as it is granted, whatever the other processes do.
_LIVES = frozenset((Verb.START, Verb.JOIN, Verb.ALIVE))


class RecordInterpreter:
    """Takes in one record after the other: operations itself, all else by its subject.

    ``on_print`` hears what a process writes; ``watch`` and ``main_code`` are those of ``Actors``.
    """

    def __init__(
        self,
        recorder: Recorder,
        quiescence: Quiescence,
        signals: Signals,
        processes: ProcessRegistry,
        *,
        on_print: Callable[[ActorId | None, str, str], None],
        watch: Callable[[int], object],
        main_code: Callable[[], int],
    ) -> None:
        self._recorder = recorder
        self._quiescence = quiescence
        self.processes = processes
        self._on_print = on_print
        self._interruptions = Interruptions(recorder, quiescence)
        self._pools = pools = Pools(recorder, quiescence.helpers)
        self.actors = actors = Actors(
            recorder,
            quiescence,
            signals,
            processes,
            pools,
            self._interruptions,
            watch=watch,
            main_code=main_code,
        )
        self.primitives = primitives = Primitives(recorder, actors, pools)
        self._feeders = Feeders(recorder, quiescence)
        self._actor_of = actors.by_thread
        self._points: dict[tuple[int, int], Operation] = {}
        # Since it was last quiet: who has begun to await something, and who has come on its own.
        self._awaiting: list[ActorId] = []
        self._arrived: list[ActorId] = []
        #: How many records were taken in.
        self.records = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            wire.Point: self._point,
            wire.Want: self._want,
            wire.Did: self._did,
            wire.Withdrawn: self._withdrawn,
            wire.Op: self._op,
            wire.Back: self._back,
            wire.Text: self._text,
            wire.Fed: self._fed,
            wire.LinesUp: self._lines_up,
            wire.Born: actors.born,
            wire.Error: actors.error,
            wire.Reaped: actors.reaped,
            wire.Forking: actors.forking,
            wire.Forked: actors.forked,
            wire.Helped: actors.note_helped,
            wire.Alarm: actors.note_alarm,
            wire.Serves: actors.serves,
            wire.Joined: lambda record: processes.joined(record.pid),
            wire.Launched: processes.launched,
            wire.Missing: lambda record: processes.missing(record.sentence),
            wire.Part: primitives.part,
            wire.Made: primitives.made,
            wire.Shows: primitives.shows,
            wire.Woken: primitives.woken,
            wire.Helper: pools.helper,
            wire.Gave: pools.gave,
            wire.Dealt: pools.dealt,
        }

    def take_in(self, records: Sequence[wire.Record]) -> None:
        """Write the records down, in their order."""
        self.records += len(records)
        handlers = self._handlers
        for record in records:
            handlers[type(record)](record)

    def tell_who_waits(self) -> None:
        """Record, at a quiet point, that every actor without an outcome has to wait.

        Who runs beside the one that let it go, a child or a feeder, counts as here from now on:
        who of the two is heard first is by chance.
        """
        while self._arrived:
            self._recorder.waits_from_now(self._arrived.pop())
        while self._awaiting:
            self._recorder.stops(self._awaiting.pop(0))

    def is_served(self, actor: ActorId) -> bool:
        """Return whether the actor, when granted, asks for what no process can keep from it.

        It starts a process, or takes notice of the end of one that is gone.  That it sleeps then
        says nothing: a fork server may be at work, or the kernel (which waits, before somebody is
        reaped, for whoever is looking at its files in ``/proc``).
        """
        operation = self._recorder.actors[actor].pending
        return operation is not None and operation.verb in _LIVES

    # -- operations -----------------------------------------------------------------------

    def _point(self, record: wire.Point) -> None:
        primitives = self._recorder.primitives
        primitive, role = self.primitives.owner_of.get(record.atom, ("", ""))
        if record.primitive:
            primitive = record.primitive
            known = primitives.get(primitive)
            for name, atom in known.parts.items() if known else ():
                if atom == record.atom:
                    role = name
        call = record.call
        if not call and primitive:
            call = f"{primitives[primitive].kind}.{record.verb}"
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
        actor = self._actor_of.get((record.pid, record.tid))
        operation = self._points[record.pid, record.point]
        quiescence = self._quiescence
        if actor is None and record.gated:
            actor = self._feeder(record.pid, record.tid, operation.primitive)
        if actor is None:  # a thread of the library waits; it is no actor
            quiescence.helpers.waits(record.pid, record.tid, operation)
            if operation.verb is Verb.FLUSH:
                # Perhaps of an executor that broke: then nobody is left who could receive, and
                # who is sending into a full pipe hears of that.
                quiescence.clogged.discard(operation.atom)
            return
        who = self._recorder.actors[actor]
        if who.is_server:
            return
        if who.library:
            operation = self._feeders.wants(actor, operation)
        if record.detail or not record.blocking or record.timeout is not None:
            operation = replace(
                operation,
                blocking=record.blocking,
                timeout=record.timeout,
                detail=self.primitives.named(record.detail),
            )
        self._interruptions.note(actor, operation)
        quiescence.outstanding.discard(actor)
        quiescence.halted.discard(actor)
        if record.gated:
            quiescence.free.discard(actor)
            quiescence.granted.discard(actor)
        else:
            quiescence.free.add(actor)
        comes_alone = actor in self.actors.unborn or who.library
        self.actors.unborn.discard(actor)
        if comes_alone and record.gated:
            self._arrived.append(actor)
        self._recorder.announce(actor, operation)
        if operation.verb is Verb.AWAIT:
            if record.gated:
                self._awaiting.append(actor)
            else:
                self._recorder.stops(actor)

    def _did(self, record: wire.Did) -> None:
        actor = self._actor_of.get((record.pid, record.tid))
        if actor is None:
            ended = self._quiescence.helpers.waits(record.pid, record.tid, None)
            if ended is not None:
                self._library(record.pid, record.tid, ended, record.result)
            return
        who = self._recorder.actors[actor]
        if who.is_server:
            return
        operation = self._interruptions.end(actor)
        if operation is None:
            raise DivergenceError(
                f"{who.name} got {record.result}, which is not what the model foretold"
            )
        self._quiescence.granted.discard(actor)
        self._quiescence.free.discard(actor)
        self._runs(who)
        self.effect(actor, operation, self.primitives.named(record.result))

    def _withdrawn(self, record: wire.Withdrawn) -> None:
        actor = self._actor_of.get((record.pid, record.tid))
        if actor is None:
            return
        self._quiescence.granted.discard(actor)
        self._quiescence.free.discard(actor)
        self._interruptions.end(actor)
        if not self._recorder.actors[actor].thread:
            self._quiescence.outstanding.add(actor)
        self._recorder.change(actor, pending=None)

    def _op(self, record: wire.Op) -> None:
        pid, result = record.pid, record.result
        operation = self._points[pid, record.point]
        verb = operation.verb
        actor = self._actor_of.get((pid, record.tid))
        who = self._recorder.actors[actor] if actor is not None else None
        if record.detail:
            operation = replace(operation, detail=self.primitives.named(record.detail))
        if actor is None or who is None or who.library or (who.is_server and verb is not EXIT):
            helpers = self._quiescence.helpers
            helpers.waits(pid, record.tid, None)
            if verb is SEND or verb is SENT:
                helpers.sends(pid, record.tid, begins=verb is SEND)
            self._library(pid, record.tid, operation, result)
            return
        behind = operation.compound and not operation.call.startswith("Connection.")
        if verb in _MOVES or (verb is SEND and behind):
            self._recorder.move(actor, operation)
            if operation.verb is Verb.SEND and self._pools.reads(operation.atom):
                self._pools.sent(actor, operation)
            return
        if verb is RELEASE and result != "None":
            self._recorder.refused(actor, operation, result)
            return
        self._interruptions.note(actor, operation)
        self._runs(self._recorder.actors[actor])
        self.effect(actor, operation, self.primitives.named(result))

    def _runs(self, actor: Actor) -> None:
        """Expect the next announcement of an actor that runs.

        (Of a thread and a server nobody knows when it comes.)
        """
        if not (actor.thread or actor.is_server):
            self._quiescence.outstanding.add(actor.id)

    def _back(self, record: wire.Back) -> None:
        actor = self._actor_of.get((record.pid, record.tid))
        if actor is not None:
            self._recorder.back(actor, self.primitives.named(record.result))

    def _text(self, record: wire.Text) -> None:
        self._on_print(self.actors.actor(record.pid), record.stream, record.text)

    def effect(self, actor: ActorId, operation: Operation, result: str) -> None:
        """The operation took effect; ``result`` is empty where only the model knows it."""
        verb = operation.verb
        quiescence, recorder = self._quiescence, self._recorder
        if verb is START and result.isdigit():
            self.actors.started(actor, operation, int(result))
            result = "None"
        elif verb is TERMINATE:
            operation = self.actors.signal(actor, operation)
        elif verb is EXIT:
            quiescence.leaving[actor] = int(operation.detail or 0)
            quiescence.outstanding.add(actor)  # its death
        elif verb is Verb.LEAVE:
            before = recorder.actors[actor].called
            recorder.change(actor, called=tuple(dict.fromkeys((*before, operation.call))))
            if operation.call.startswith("os.exec"):
                recorder.effect(actor, operation, result)
                recorder.leave(actor, operation.site)
                quiescence.outstanding.discard(actor)
                return
        elif verb is RECEIVE:
            quiescence.clogged.discard(operation.atom)
            quiescence.helpers.stir()
        elif verb is Verb.FLUSH:
            self._flushed(actor, operation.atom)
        elif verb is RELEASE and recorder.actors[actor].library:
            self._feeders.releases(actor, operation)
        recorder.effect(actor, operation, result, believe=self.processes.may_interfere)
        if verb is SEND and self._pools.reads(operation.atom):  # a step of its own: the X-ray
            self._pools.sent(actor, operation)

    # -- threads of the library -------------------------------------------------------------

    def _library(self, pid: int, tid: int, operation: Operation, result: str) -> None:
        """A thread of multiprocessing's own did something: it counts for its process."""
        actor = self.actors.actor(pid)
        if actor is None:
            return
        verb = operation.verb
        if verb is START and result.isdigit():
            self.actors.started(actor, operation, int(result))
            return
        if verb is TERMINATE:  # a Pool, perhaps inside a server, ends its workers
            self.actors.signal(None, operation)
            return
        if verb is SEND:
            if self._pools.reads(operation.atom):
                self._pools.sent(actor, operation)
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
            self._quiescence.clogged.discard(operation.atom)

    def _feeder(self, pid: int, tid: int, queue: str) -> ActorId | None:
        """Return the feeder thread, which is held up now."""
        feeder = self._actor_of.get((pid, tid))
        if feeder is None:
            feeder = self._feeders.add(self._actor_of[pid, 0], queue)
            if feeder is not None:
                self._actor_of[pid, tid] = feeder
        return feeder

    def xray(self) -> None:
        """The X-ray begins: feeders that are in the middle of sending become actors as well."""
        for queue, process, tid in self._feeders.in_the_middle():
            feeder = self._feeder(self._recorder.actors[process].pid, tid, queue.id)
            if feeder is not None:
                self._feeders.has_lock(feeder)

    def _fed(self, record: wire.Fed) -> None:
        feeder = self._actor_of.get((record.pid, record.tid))
        if feeder is not None:
            self._feeders.rests(feeder)

    def _lines_up(self, record: wire.LinesUp) -> None:
        process = self.actors.actor(record.pid)
        queue = self.primitives.with_atom(record.lock)
        if process is not None and queue is not None:
            self._feeders.lines_up(process, queue)

    def _flushed(self, process: ActorId, pipe: str) -> None:
        feeder = self._feeders.ends(process, pipe)
        if feeder is not None:
            self.actors.forget_thread(feeder)
