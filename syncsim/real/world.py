"""The world of real processes: runs a program on its own, one step at a time or freely.

Single-threaded: whoever drives it calls ``pump`` (or ``take``, which pumps).  The scheduler
chooses only at a *quiet point*, when everything that can run has announced itself or
ended.  What is owed is counted, not waited for: a granted process owes its next
announcement, a started child its first, an ended one its death, a put the feeder thread's
delivery.  Only what never announces at all (a long computation, a socket) is given up
on after ``patience`` seconds, or as soon as the kernel says
that everyone sleeps, and called *outside*.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Atom, Cell, Channel, Semaphore
from syncsim.core.ledger import DivergenceError, Ledger
from syncsim.core.live import Frame, Inspected
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.schedule import Choice
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.core.step import Step
from syncsim.program.names import Namer, Position
from syncsim.program.source import Program
from syncsim.real import guard, kernel, wire

ROOT = str(Path(__file__).resolve().parent.parent.parent)
_BOOT = (
    "import sys; path = sys.path[:]; sys.path.insert(0, {root!r}); "
    "from syncsim.real import stage; sys.path[:] = path; stage.main()"
)


@lru_cache(maxsize=64)
def _source(file: str) -> str | None:
    """The text of a file of the program; None where it cannot be read."""
    try:
        with tokenize.open(file) as source:
            return source.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


#: Bytes of records that may be read ahead of what is applied, and how many to apply at once.
_BACKLOG, _SLICE = 64 << 20, 1 << 16
#: In free running, seconds to let records gather.
_BREATH = 0.002
#: Bytes that the FIFO should hold (Linux; its default is 65,536, and its most, unprivileged, this).
_FIFO_SIZE = 1 << 20

#: So often in a row everyone must be seen asleep before those who owe something are given up on.
_LOOKS = 3

#: The verbs whose result follows from the state alone.
_FORETOLD = frozenset(
    (Verb.ACQUIRE, Verb.RELEASE, Verb.WRITE, Verb.OUTPUT, Verb.SLEEP, Verb.TERMINATE, Verb.EXIT)
)
#: The verbs of atoms that have a model; one whose making we have not seen is left to itself.
_MODELLED = frozenset((Verb.ACQUIRE, Verb.RELEASE))


class RealWorld:
    """One run of a program as real processes; a body of ``core.world.World``.

    ``on_step`` hears of every step, ``on_print`` of everything written: the actor (None where
    it is not known), the stream and the text.
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
    ) -> None:
        self.program = program
        self.patience = patience
        self.fell_behind = False
        self._ledger = Ledger(self._stepped)
        self._on_step = on_step
        self._on_print = on_print
        self._steps: list[Step] = []
        self._taking = False
        self._namer = Namer()
        self._actor_of: dict[tuple[int, int], ActorId] = {}
        self._points: dict[tuple[int, int], Operation] = {}
        self._belongs: dict[str, tuple[str, str]] = {}  # atom -> primitive id, role
        self._gates: dict[ActorId, socket.socket] = {}
        self._owing: set[ActorId] = set()  # runs, and owes us an announcement or its death
        self._granted: set[ActorId] = set()  # of these, whose operation has not been reported
        self._free: set[ActorId] = set()  # in an operation for real: no gate holds it
        self._leaving: dict[ActorId, int] = {}  # has said its exit code, is not dead yet
        self._clogged: set[str] = set()  # pipes that are full: their feeders owe nothing
        self._spills: list[int] = []
        self._asleep = 0  # how often in a row everyone was seen asleep
        self._may_have_closed = False  # an end of a pipe: a process ended, or closed it
        self._backlog = bytearray()  # read from the wire, not yet applied
        self._moved = time.monotonic()
        self._closed = False
        self._begin(controlled, stdin)

    # -- birth and end ---------------------------------------------------------------

    def _begin(self, controlled: bool, stdin: int) -> None:
        self.directory = tempfile.mkdtemp(prefix="syncsim-")
        fifo = f"{self.directory}/{wire.FIFO}"
        os.mkfifo(fifo, 0o600)
        self._fifo = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # the system's bound for pipes is reached
                fcntl.fcntl(self._fifo, fcntl.F_SETPIPE_SZ, _FIFO_SIZE)
        # A writer of our own, so that the FIFO never ends.
        self._writer = os.open(fifo, os.O_WRONLY)
        self._mode = os.open(f"{self.directory}/{wire.MODE}", os.O_RDWR | os.O_CREAT, 0o600)
        os.write(self._mode, bytes([wire.SHUT if controlled else wire.OPEN]))
        self.controlled = controlled
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(f"{self.directory}/{wire.GATE}")
        self._door.listen(128)
        self._door.settimeout(0.1)
        self._deaths = kernel.Deaths()
        lifeline_end, self._lifeline = os.pipe()
        self._poll = select.poll()
        self._on: dict[int, Callable[[], None]] = {}
        self._listen(self._fifo, self._read_records)
        self._listen(self._door.fileno(), self._open_door)
        self._listen(self._deaths.fileno(), self._bury)
        spills = [self._open_spill(stream) for stream in ("stdout", "stderr")]
        self._stage = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _BOOT.format(root=ROOT),
                str(self.program.path),
                *self.program.arguments,
            ],
            stdin=stdin,
            stdout=spills[0],
            stderr=spills[1],
            pass_fds=(lifeline_end,),
            start_new_session=True,
            env=os.environ
            | {wire.RUN_VARIABLE: self.directory, wire.LIFELINE_VARIABLE: str(lifeline_end)},
        )
        for fd in (*spills, lifeline_end):
            os.close(fd)
        self._add(Actor(id=0, name="main", pid=self._stage.pid, life=Life.STARTING))

    def also_wake_on(self, fd: int) -> None:
        """Lets ``pump`` return when that file descriptor becomes readable, too."""
        self._listen(fd, lambda: None)

    def _listen(self, fd: int, hear: Callable[[], None]) -> None:
        self._poll.register(fd, select.POLLIN)
        self._on[fd] = hear

    def close(self) -> None:
        """Ends the run: nothing of it is left, neither process nor file nor semaphore."""
        if self._closed:
            return
        self._closed = True
        guard.end_run(self.directory, self._stage.pid)
        self._stage.wait()
        self._deaths.close()
        self._door.close()
        for gate in self._gates.values():
            gate.close()
        for fd in (self._fifo, self._writer, self._mode, self._lifeline, *self._spills):
            os.close(fd)

    # -- what the world is ------------------------------------------------------------

    @property
    def state(self) -> State:
        """The state now."""
        return self._ledger.state

    @property
    def quiet(self) -> bool:
        """Whether nobody owes us anything: a choice may be made."""
        if self._owing or self._backlog:
            return False
        ledger = self._ledger
        for actor in self._free:
            if ledger.can_go(ledger.actors[actor]):
                return False
        return not ledger.feeding or not self._owing_channels()

    def _owing_channels(self) -> list[str]:
        return [
            name
            for name in self._ledger.feeding
            if name not in self._clogged
            and isinstance(channel := self._ledger.atoms[name], Channel)
            and any(
                not self._ledger.actors[sender].ended
                for sender in (*channel.sending, *(item.sender for item in channel.buffered))
            )
        ]

    @property
    def over(self) -> bool:
        """Whether every process has ended."""
        return not self._owing and all(actor.ended for actor in self._ledger.actors)

    def choices(self) -> tuple[Choice, ...]:
        """What may happen next: those at a gate whose operation would go through, or time out."""
        if self._may_have_closed:
            self._look_for_ends()
        choices = self._ledger.choices()
        if self._free:
            return tuple(choice for choice in choices if choice.actor not in self._free)
        return choices

    def _look_for_ends(self) -> None:
        """Asks those who wait at a pipe whether its other end was closed meanwhile."""
        self._may_have_closed = False
        for actor in self._ledger.actors:
            operation = actor.pending
            if operation is None or operation.verb not in (Verb.RECEIVE, Verb.POLL):
                continue
            if actor.id in self._free or self._ledger.can_go(actor):
                continue
            self._send(actor.id, wire.READY)
            gate = self._gates[actor.id]
            gate.settimeout(1.0)
            with contextlib.suppress(OSError):
                if gate.recv(1) == b"y":
                    self._ledger.end_channel(operation.atom)
            gate.settimeout(None)

    # -- what one may do --------------------------------------------------------------

    def take(self, choice: Choice, deadline: float | None = None) -> tuple[Step, ...]:
        """Lets the choice happen until its call is over or must wait, and all is quiet again."""
        self._steps = []
        self._taking = True
        try:
            self.grant(choice)
            self.settle(deadline)
            while self._goes_on(choice.actor):
                self.grant(Choice(choice.actor))
                self.settle(deadline)
        finally:
            self._taking = False
        return tuple(self._steps)

    def _goes_on(self, actor: ActorId) -> bool:
        """Whether the actor is in the middle of a call that can go on."""
        who = self._ledger.actors[actor]
        return (
            bool(who.call and who.pending and actor not in self._free and self._ledger.can_go(who))
            and self.controlled
        )

    def grant(self, choice: Choice) -> None:
        """Opens the gate of one actor once.

        What comes of an operation on a semaphore is foretold by its model, and the process
        is told what to expect: it reports only if it got something else.
        """
        actor = choice.actor
        operation = self._ledger.actors[actor].pending
        assert operation is not None
        assert actor not in self._free
        self._owing.add(actor)
        if choice.times_out:
            self._send(actor, wire.TIME_OUT)
            self._effect(actor, operation, "False")
        elif operation.atom and operation.verb in _MODELLED and not self._knows(operation):
            self._granted.add(actor)
            self._send(actor, wire.RUN_FREE)
        elif operation.verb in _FORETOLD:
            in_vain = not operation.blocking and not self._ledger.would_take(actor, operation)
            self._send(actor, wire.IN_VAIN if in_vain else wire.GO)
            self._effect(actor, operation, "")
        else:
            self._granted.add(actor)
            self._send(actor, wire.GO)

    def _knows(self, operation: Operation) -> bool:
        return operation.atom in self._ledger.atoms

    def _send(self, actor: ActorId, message: bytes) -> None:
        gate = self._gates.get(actor)
        if gate is None:  # announced, but not through the door yet
            end = time.monotonic() + self.patience
            while gate is None and time.monotonic() < end:
                self._open_door()
                gate = self._gates.get(actor)
            if gate is None:  # it was killed on the way: its end will be noticed
                return
        with contextlib.suppress(ConnectionError):  # it has just died: its end will be noticed
            gate.send(message)
        self._moved = time.monotonic()

    def open_gates(self) -> None:
        """From here on the operating system schedules."""
        self.controlled = False
        os.pwrite(self._mode, bytes([wire.OPEN]), 0)
        for actor in self._ledger.actors:
            if actor.pending is not None and actor.id not in self._free and not actor.ended:
                self._free.add(actor.id)
                self._send(actor.id, wire.RUN_FREE)

    def shut_gates(self) -> None:
        """Each process stops before its next operation; one inside an operation stays there."""
        self.controlled = True
        os.pwrite(self._mode, bytes([wire.SHUT]), 0)
        self._moved = time.monotonic()

    def inspect(self, actor: ActorId) -> Inspected:
        """The actor's call stack, asked of the process itself where it waits at its gate."""
        who = self._ledger.actors[actor]
        account = kernel.account(who.pid) if not who.ended else ""
        if who.ended:
            return Inspected(actor, note="It has ended.")
        if who.pending is None or actor in self._free or actor in self._granted:
            site = who.pending.site if who.pending else None
            here = (Frame(site.file, site.line, site.function),) if site else ()
            note = "Its variables can be seen when it waits at its gate: pause."
            return Inspected(actor, here, note, account)
        self._send(actor, wire.INSPECT)
        gate = self._gates[actor]
        gate.settimeout(1.0)
        answer = b""
        try:
            while not answer.endswith(b"\n"):
                chunk = gate.recv(1 << 16)
                if not chunk:
                    break
                answer += chunk
            stack = json.loads(answer)
        except (OSError, ValueError):
            return Inspected(actor, note="It does not answer.", kernel=account)
        frames = tuple(
            Frame(file, line, function, tuple((n, self._with_names(v)) for n, v in variables))
            for file, line, function, variables in stack
        )
        return Inspected(actor, frames, "", account)

    def _with_names(self, text: str) -> str:
        def name(found: re.Match[str]) -> str:
            primitive = self._ledger.primitives.get(found[1])
            return primitive.name if primitive else "a primitive"

        return re.sub("\x00([^\x00]*)\x00", name, text)

    # -- listening ----------------------------------------------------------------------

    def settle(self, deadline: float | None = None) -> None:
        """Pumps until it is quiet (or all is over, or the deadline, by the monotonic clock)."""
        while not self.quiet:
            if self.pump(0.05):
                continue
            if self.over or (deadline is not None and time.monotonic() > deadline):
                return

    def pump(self, timeout: float) -> bool:
        """Reads and applies what has arrived, waiting at most ``timeout`` seconds for it."""
        if not self.controlled:
            time.sleep(_BREATH)  # many records at once are cheaper than one by one
        events = self._poll.poll(0 if self._backlog else timeout * 1000)
        for fd, _ in events:
            self._on[fd]()
        if self._backlog:
            self._read_records()
        elif not events:
            self._lose_patience()
        return bool(events or self._backlog)

    def _lose_patience(self) -> None:
        idle = time.monotonic() - self._moved
        if idle < 0.05 or self.quiet:
            return
        if not self.controlled:
            return
        alive = {actor.pid for actor in self._ledger.actors if not actor.ended}
        self._asleep = self._asleep + 1 if all(map(kernel.is_asleep, alive)) else 0
        if idle < self.patience and self._asleep < _LOOKS:
            return
        # A delivery that does not come: the pipe is full.  It comes when somebody receives.
        self._clogged.update(self._owing_channels())
        for actor in self._ledger.actors:
            if actor.id in self._owing:
                self._ledger.change(actor.id, outside=True)
        self._owing.clear()

    def _open_door(self) -> None:
        try:
            gate, _ = self._door.accept()
        except TimeoutError:
            return
        gate.settimeout(2.0)
        words = b""
        while not words.endswith(b"\n"):
            words += gate.recv(1)
        pid, tid = words.split()
        gate.settimeout(None)
        # Its first announcement was written before it knocked.
        self._read_records()
        actor = self._actor_of.get((int(pid), int(tid)))
        if actor is None:
            gate.close()
        else:
            self._gates[actor] = gate

    def _open_spill(self, stream: str) -> int:
        """Hears what is written past ``sys.stdout``: by C code, ``os.write``, or another program.

        The answer is the end to write to.
        """
        spill, end = os.pipe()
        os.set_blocking(spill, False)
        self._spills.append(spill)

        def read() -> None:
            try:
                data = os.read(spill, 1 << 16)
            except BlockingIOError:
                return
            if data:
                self._on_print(None, stream, data.decode("utf-8", "backslashreplace"))
            else:
                self._poll.unregister(spill)

        self._listen(spill, read)
        return end

    def _read_records(self) -> None:
        """Reads what is on the wire, and applies it up to a slice's end.

        Reading is much faster than applying: so that the program is not held up by us, what
        there is is read first.  (A full backlog holds it up; nothing is ever lost.)
        """
        backlog = self._backlog
        while len(backlog) < _BACKLOG:
            try:
                data = os.read(self._fifo, 1 << 18)
            except BlockingIOError:
                break
            backlog += data
            if len(data) < 1 << 16:  # all there was, or nearly
                break
        if not backlog:
            return
        self._moved = time.monotonic()
        self._asleep = 0
        # Records are written whole, and so arrive whole unless our buffer was full.
        end = backlog.rfind(b"\n", 0, _SLICE) + 1
        lines = bytes(backlog[:end])
        del backlog[:end]
        try:
            records = wire.decode(lines)
        except msgspec.DecodeError as error:
            raise DivergenceError(f"a record on the wire cannot be read: {error}") from error
        handle = self._HANDLERS
        for record in records:
            handle[type(record)](self, record)

    def _bury(self) -> None:
        while True:  # what they said before they died
            self._read_records()
            if not self._backlog:
                break
        for pid in self._deaths.collect():
            self._died(pid)

    def _died(self, pid: int) -> None:
        actor = self._actor_of.get((pid, 0))
        if actor is None or self._ledger.actors[actor].ended:
            return
        if actor == 0:
            code: int | None = self._stage.wait()
        else:
            code = self._leaving.get(actor, kernel.exit_code(pid))
        self._may_have_closed = True
        for (of, _), member in self._actor_of.items():
            if of == pid and not self._ledger.actors[member].ended:
                self._ledger.end(member, code)
                self._granted.discard(member)
                self._owing.discard(member)
                self._free.discard(member)
                self._leaving.pop(member, None)

    # -- records ------------------------------------------------------------------------

    def _stepped(self, step: Step) -> None:
        if self._taking:
            self._steps.append(step)
        self._on_step(step)

    def _add(self, actor: Actor) -> None:
        self._ledger.add(actor)
        self._actor_of[actor.pid, 0] = actor.id
        self._owing.add(actor.id)
        self._deaths.watch(actor.pid)

    def _born(self, record: wire.Born) -> None:
        known = self._actor_of.get((record.pid, record.tid))
        if known is not None and not self._ledger.actors[known].ended:
            self._ledger.change(known, life=Life.ALIVE, name=record.name, daemon=record.daemon)
            return
        actor = Actor(
            id=len(self._ledger.actors),
            name=record.name,
            pid=record.pid,
            parent=self._actor_of.get((record.parent, 0)),
            daemon=record.daemon,
            thread=record.thread,
            life=Life.ALIVE,
        )
        if record.thread:
            self._ledger.add(actor)
            self._actor_of[record.pid, record.tid] = actor.id
        else:
            self._add(actor)

    def _point(self, record: wire.Point) -> None:
        primitive, role = self._belongs.get(record.atom, ("", ""))
        if record.primitive:
            primitive = record.primitive
            parts = self._ledger.primitives.get(primitive)
            for name, atom in parts.parts.items() if parts else ():
                if atom == record.atom:
                    role = name
        call = record.call
        if not call and primitive:
            call = f"{self._ledger.primitives[primitive].kind}.{record.verb}"
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
        if actor is None:
            return  # a thread of the library waits; it is no actor
        if record.detail or not record.blocking or record.timeout is not None:
            operation = replace(
                operation, blocking=record.blocking, timeout=record.timeout, detail=record.detail
            )
        self._owing.discard(actor)
        if record.gated:
            self._free.discard(actor)
        else:
            self._free.add(actor)
        # A child may be here before its parent could say that it has started it.
        starting = [a for a in self._granted if self._is_starting(a)]
        self._ledger.announce(actor, operation, after=len(starting))

    def _is_starting(self, actor: ActorId) -> bool:
        operation = self._ledger.actors[actor].pending
        return operation is not None and operation.verb is Verb.START

    def _did(self, record: wire.Did) -> None:
        actor = self._actor_of.get((record.pid, record.tid))
        if actor is None:
            return
        who = self._ledger.actors[actor]
        operation = who.pending
        if operation is None:
            raise DivergenceError(
                f"{who.name} got {record.result}, which is not what the model foretold"
            )
        self._granted.discard(actor)
        self._free.discard(actor)
        if not who.thread:
            self._owing.add(actor)
        self._effect(actor, operation, record.result)

    def _op(self, record: wire.Op) -> None:
        operation = self._points[record.pid, record.point]
        actor = self._actor_of.get((record.pid, record.tid))
        if actor is None:
            self._library(record, operation)
            return
        if record.detail:
            operation = replace(operation, detail=record.detail)
        if operation.verb is Verb.SENT or (operation.verb is Verb.SEND and operation.compound):
            self._ledger.move(actor, operation)
            return
        if not self._ledger.actors[actor].thread:
            self._owing.add(actor)
        self._effect(actor, operation, record.result)

    def _library(self, record: wire.Op, operation: Operation) -> None:
        """A thread of multiprocessing's own did something: it counts for its process."""
        actor = self._actor_of.get((record.pid, 0))
        if actor is None:
            return
        if operation.verb is Verb.RELEASE and operation.role == "slots":
            # The feeder could not pickle an item: it gives the slot back and drops it.
            self._ledger.drop(self._ledger.primitives[operation.primitive].parts["items"], actor)
        self._ledger.move(actor, operation, record.result)
        if operation.verb in (Verb.SEND, Verb.SENT):
            self._clogged.discard(operation.atom)

    def _effect(self, actor: ActorId, operation: Operation, result: str) -> None:
        match operation.verb:
            case Verb.START if result.isdigit():
                self._started(actor, operation, int(result))
                result = "None"
            case Verb.TERMINATE:
                target = self._actor_of.get((int(operation.atom), 0))
                if target is not None:
                    name = self._ledger.actors[target].name
                    operation = replace(operation, detail=name)
                    self._ledger.change(target, terminated=True)
                    victim = self._ledger.actors[target]
                    sure = operation.call == "Process.kill" or not kernel.catches(
                        victim.pid, signal.SIGTERM
                    )
                    if sure and not victim.ended:
                        self._owing.add(target)  # its death
            case Verb.EXIT:
                self._leaving[actor] = int(operation.detail or 0)
            case Verb.RECEIVE:
                self._clogged.discard(operation.atom)
        self._ledger.effect(actor, operation, result)

    def _started(self, parent: ActorId, operation: Operation, pid: int) -> None:
        known = self._actor_of.get((pid, 0))
        if known is None or self._ledger.actors[known].ended:
            name = operation.detail
            self._add(Actor(id=len(self._ledger.actors), name=name, pid=pid, parent=parent))

    def _back(self, record: wire.Back) -> None:
        actor = self._actor_of.get((record.pid, record.tid))
        if actor is not None:
            self._ledger.back(actor, record.result)

    def _made(self, record: wire.Made) -> None:
        atoms: dict[str, Atom] = {}
        for part in record.parts:
            if part.form == "channel":
                atoms[part.atom] = Channel()
            elif part.form == "cell":
                atoms[part.atom] = Cell(value=part.text)
            else:
                atoms[part.atom] = Semaphore(
                    value=part.value,
                    maximum=part.maximum,
                    recursive=part.form == "recursive",
                    resource=part.value > 0,
                )
            self._belongs.setdefault(part.atom, (record.id, part.role))
        position = Position(record.line, record.column, record.end_line, record.end_column)
        name = self._namer.name(_source(record.file), position, record.kind)
        primitive = Primitive(
            id=record.id,
            kind=record.kind,
            name=name,
            parts={part.role: part.atom for part in record.parts},
            capacity=record.capacity,
            file=record.file,
            line=record.line,
            creator=self._actor_of.get((record.pid, 0), 0),
        )
        self._ledger.create(primitive, atoms)

    def _text(self, record: wire.Text) -> None:
        self._on_print(self._actor_of.get((record.pid, 0)), record.stream, record.text)

    def _error(self, record: wire.Error) -> None:
        actor = self._actor_of.get((record.pid, 0))
        if actor is not None:
            message = f": {record.message}" if record.message else ""
            self._ledger.change(
                actor,
                error=record.exception + message,
                error_site=f"{os.path.basename(record.file)}, line {record.line}",
                is_assertion=record.assertion,
            )

    def _reaped(self, record: wire.Reaped) -> None:
        child = self._actor_of.get((record.child, 0))
        if child is None:
            return
        if not self._ledger.actors[child].ended:
            self._died(record.child)
        self._ledger.change(child, reaped=True, exitcode=record.exitcode)

    def _left(self, record: wire.Left) -> None:
        actor = self._actor_of.get((record.pid, 0))
        if actor is not None:
            self._ledger.change(actor, outside=True)

    _HANDLERS: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        wire.Born: _born,
        wire.Point: _point,
        wire.Want: _want,
        wire.Did: _did,
        wire.Op: _op,
        wire.Back: _back,
        wire.Made: _made,
        wire.Text: _text,
        wire.Error: _error,
        wire.Reaped: _reaped,
        wire.Left: _left,
    }
