"""The gates: one control socket for each actor, at which it waits until it is granted."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from syncsim import wire
from syncsim.core.atoms import ActorId
from syncsim.core.operation import Verb
from syncsim.core.recorder import Recorder
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.state import Actor
from syncsim.real import kernel
from syncsim.real.conduct import Conduct
from syncsim.real.inbox import Inbox
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.launch import Launch
from syncsim.real.quiescence import Quiescence

#: Seconds within which an actor at its gate answers, and one that has connected says who it is.
_ANSWERS = 10.0
#: Seconds after which those who wait at a Pipe are asked again: twice as long each time, and at
#: the most.
_ASKS_AGAIN, _ASKS_SELDOM = 0.1, 5.0
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
#: The verbs of an operation that waits for the other end of a Pipe.
_AT_A_PIPE = (Verb.RECEIVE, Verb.POLL, Verb.WAIT_ANY)


class Gates:
    """Grants operations, and asks the actors that wait at their gates."""

    def __init__(
        self,
        conduct: Conduct,
        recorder: Recorder,
        quiescence: Quiescence,
        interpreter: RecordInterpreter,
        launch: Launch,
        inbox: Inbox,
    ) -> None:
        self._conduct = conduct
        self._recorder = recorder
        self._quiescence = quiescence
        self._interpreter = interpreter
        self._launch = launch
        self._inbox = inbox
        self._sockets: dict[ActorId, socket.socket] = {}
        # The grants of actors that had not connected when they were granted.
        self._undelivered: dict[ActorId, bytes] = {}
        # After how many bytes of the FIFO those at a Pipe were asked last, and when they are again.
        self._asked_after, self._asks_again, self._next_asks = -1, _ASKS_AGAIN, 0.0
        launch.listen(launch.door.fileno(), self._accept)

    def close(self) -> None:
        """Close all sockets."""
        for gate in self._sockets.values():
            gate.close()

    def say_mode(self) -> None:
        """Tell all processes whether the gates are shut, and at what grain."""
        xray = self._recorder.grain is Grain.ATOM
        shut = wire.XRAY if xray else wire.SHUT
        self._launch.say(shut if self._conduct.controlled else wire.OPEN)

    # -- grants ---------------------------------------------------------------------------

    def grant(self, choice: Choice) -> None:
        """Open the gate of one actor once.

        What comes of an operation on a semaphore is foretold by its model, and the process
        is told what to expect: it reports only if it got something else.
        """
        actor, quiescence, recorder = choice.actor, self._quiescence, self._recorder
        operation = recorder.actors[actor].pending
        assert operation is not None
        assert actor not in quiescence.free
        quiescence.outstanding.add(actor)
        if operation.verb is Verb.TERMINATE:
            target = self._interpreter.actors.actor(int(operation.atom))
            if target is not None and target != actor:
                self.await_sleep(recorder.actors[target])
        if choice.move is Move.TIME_OUT:
            if self._deliver(actor, wire.TIME_OUT):
                self._interpreter.effect(actor, operation, "False")
            else:
                quiescence.granted.add(actor)
        elif operation.verb in _MODELLED and (
            operation.atom not in recorder.atoms or operation.atom in recorder.gone
        ):
            quiescence.granted.add(actor)
            self._deliver(actor, wire.RUN_FREE)
        elif operation.verb in _FORETOLD:
            in_vain = not operation.blocking and not recorder.would_take(actor, operation)
            if self._deliver(actor, wire.IN_VAIN if in_vain else wire.GO):
                self._interpreter.effect(actor, operation, "")
            else:
                quiescence.free.add(actor)  # it reports what it does
        else:
            quiescence.granted.add(actor)
            self._deliver(actor, wire.GO)

    def let_go(self, only: Sequence[ActorId] | None = None) -> None:
        """Let those go (``only`` these) who wait at a gate although it is open."""
        quiescence = self._quiescence
        for actor in self._recorder.actors:
            if only is not None and actor.id not in only:
                continue
            waits = actor.pending is not None and actor.id not in quiescence.granted
            if waits and actor.id not in quiescence.free:
                quiescence.free.add(actor.id)
                self._deliver(actor.id, wire.RUN_FREE)

    def _deliver(self, actor: ActorId, grant: bytes) -> bool:
        """Return whether the grant was delivered.

        If it was not, the actor makes its operation without waiting, now or when it connects.
        """
        self._undelivered.pop(actor, None)
        if self._send(actor, grant):
            return True
        self._undelivered[actor] = grant if grant == wire.TIME_OUT else wire.RUN_FREE
        return False

    def _deliver_late(self, actor: ActorId) -> None:
        """Deliver the grant of an actor that connects after it, unless it has withdrawn since."""
        quiescence, grant = self._quiescence, self._undelivered.pop(actor, None)
        operation = self._recorder.actors[actor].pending
        if grant is None or operation is None or actor not in quiescence.past_gates:
            return
        with contextlib.suppress(ConnectionError):
            self._sockets[actor].send(grant)
            if grant == wire.TIME_OUT:  # it does not report that
                quiescence.granted.discard(actor)
                self._interpreter.effect(actor, operation, "False")

    # -- sockets --------------------------------------------------------------------------

    def await_sleep(self, actor: Actor) -> None:
        """Wait until an actor that has announced itself sleeps at its gate: a signal wakes it.

        (CPython calls no handler of a signal that comes just before it sleeps: not until it wakes.)
        """
        waits = actor.pending is not None and not actor.ended
        if not waits or actor.id in self._quiescence.free or self._socket(actor.id) is None:
            return
        kernel.falls_asleep(actor.pid)

    def _socket(self, actor: ActorId) -> socket.socket | None:
        """Return the socket of that actor; None if it does not connect."""
        end = time.monotonic() + self._conduct.patience
        # It may have announced itself and not be through the door yet; or be killed on the way.
        while actor not in self._sockets and time.monotonic() < end:
            if not self._accept() and not self._launch.has_door:
                break
        return self._sockets.get(actor)

    def _send(self, actor: ActorId, message: bytes) -> bool:
        """Return whether the actor got that at its gate.

        Otherwise it goes past it, as one does that cannot reach it any more; or it connects late.
        """
        self._conduct.last_news = time.monotonic()
        while (gate := self._socket(actor)) is not None:
            try:
                gate.send(message)
                return True
            except ConnectionError:
                # It has just died, which will be noticed; or has shut its gate and knocks again.
                self._sockets.pop(actor).close()
                if kernel.has_ended(self._recorder.actors[actor].pid):
                    return True
        return False

    def _accept(self) -> bool:
        """Accept one connection at the door; return whether there was one."""
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
        self._inbox.read()
        actor = (
            self._interpreter.actors.actor(*map(int, words.split()))
            if words.endswith(b"\n")
            else None
        )
        if actor is None:
            gate.close()
        else:
            gate.settimeout(None)
            if actor in self._sockets:
                self._sockets[actor].close()
            self._sockets[actor] = gate
            self._deliver_late(actor)
        return True

    # -- questions --------------------------------------------------------------------------

    def ask(self, actor: ActorId, question: bytes, *ends: bytes) -> bytes:
        """Return the answer of an actor at its gate, up to one of ``ends``; empty if none comes.

        It sleeps there, so it answers, however long it is kept from the processor.
        """
        answer = b""
        if not self._send(actor, question) or (gate := self._sockets.get(actor)) is None:
            return answer
        end = time.monotonic() + _ANSWERS
        gate.settimeout(0.1)
        while not (answer.endswith(ends) or self._conduct.is_late(end)):
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

    def ask_at_once(self) -> None:
        """Ask anew with the next look: an end of a Pipe may have been closed without a report."""
        self._asked_after = -1

    def ask_in_time(self) -> None:
        """Ask all who wait at a Pipe whether its other end was closed, if that may have changed.

        While nothing is reported, and nobody ends, they are asked more and more seldom: a process
        that answers is awake for a moment, and that all sleep is seen only where none was awake
        in between.
        """
        now = time.monotonic()
        if self._inbox.applied != self._asked_after:
            self._asked_after = self._inbox.applied
            self._asks_again, self._next_asks = _ASKS_AGAIN, now
        if now >= self._next_asks:
            self._next_asks = now + self._asks_again
            self._asks_again = min(2 * self._asks_again, _ASKS_SELDOM)
            self.look_for_closed_ends([actor.id for actor in self._recorder.actors])

    def look_for_closed_ends(self, actors: Iterable[ActorId]) -> bool:
        """Ask those who wait at a Pipe whether its other end was closed; return whether one was.

        (Both ends of a Queue's pipe are open in every process that has it.)
        """
        closed = False
        for actor in [self._recorder.actors[one] for one in actors]:
            operation = actor.pending
            if operation is None or operation.verb not in _AT_A_PIPE:
                continue
            if actor.stopped or actor.id in self._quiescence.free or self._recorder.can_go(actor):
                continue
            primitive = self._recorder.primitives.get(operation.primitive)
            if primitive is not None and primitive.kind != "Pipe":
                continue
            if self.ask(actor.id, wire.READY, b"y", b"n") != b"y":
                continue
            closed = True
            if operation.verb is Verb.WAIT_ANY:
                self._recorder.change(actor.id, pending=replace(operation, blocking=False))
            else:
                self._recorder.end_channel(operation.atom)
        return closed
