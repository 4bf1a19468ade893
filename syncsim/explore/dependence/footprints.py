"""Footprints of operations on real processes, in the words of ``relation``.

Locks, semaphores, pipes and cells conflict as their rules say.  Of what has rules of its own (a
Pool, what a manager keeps, blocks of shared memory, sockets among those waited for) only this is
said: the order of any two operations on it matters.  Each such operation is *fickle*: it may not
be possible in another order, and the search tries that before it relies on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from syncsim.core.atoms import ActorId, Atom, Cell, Channel, Semaphore
from syncsim.core.kinds import MANAGED, Role
from syncsim.core.operation import Operation, Verb
from syncsim.core.schedule import Grain
from syncsim.core.state import State
from syncsim.explore.dependence.relation import (
    ASK,
    CLOSE_READER,
    CLOSE_WRITER,
    EMPTY,
    EXIT,
    JOIN,
    KILL,
    KIND_OF,
    KIND_OF_PENDING,
    POLL,
    READ,
    SEND,
    STEADY,
    WRITE,
    Outcome,
    Touch,
    life,
    may_turn_out_otherwise,
)

#: What nobody else can tell.
_ALONE = frozenset((Verb.START, Verb.SLEEP, Verb.OUTPUT))
_OF_BLOCKS = frozenset((Verb.OPEN, Verb.CLOSE, Verb.UNLINK))


class Grant(NamedTuple):
    """One operation that was let go: whose, and the state before."""

    actor: ActorId
    operation: Operation
    times_out: bool
    state: State


class Names:
    """Numbers for what there is, the same in every execution of the program."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        #: Who has started which process, by their numbers.
        self.parents: dict[int, int] = {}

    def number(self, *key: object) -> int:
        """The number of that."""
        return self._numbers.setdefault(key, len(self._numbers) + 1)


class Toucher:
    """Says what operations touch.

    ``key_of`` names an atom or a primitive the same in every execution; ``number_of`` numbers
    processes like that.
    """

    def __init__(
        self, names: Names, key_of: Callable[[str], object], number_of: Callable[[ActorId], int]
    ) -> None:
        self._names = names
        self._key_of = key_of
        self._number_of = number_of
        self._own: set[int] = set()

    def fickle(self, touches: Sequence[Touch]) -> bool:
        """Return whether a step with those touches may turn out otherwise in another order."""
        kinds = [t.kind for t in touches if t.kind not in STEADY and t.kind != JOIN]
        own = any(touch.kind == WRITE and touch.thing in self._own for touch in touches)
        return own or may_turn_out_otherwise(kinds)

    def _thing(self, name: str) -> int:
        return self._names.number(self._key_of(name))

    def _whole(self, *key: object, kind: int = WRITE) -> Touch:
        """Something whose rules are its own."""
        number = self._names.number(*key)
        self._own.add(number)
        return Touch(number, kind, 0)

    def _served(self, name: str) -> Touch:
        return self._whole("served", self._key_of(name))

    def _life(self, actor: ActorId) -> int:
        return life(self._number_of(actor))

    def touches(self, grant: Grant, *, first: bool) -> list[Touch]:
        """Return what the operation touches.  Only the ``first`` of a step is waited for."""
        actor, operation, _, state = grant
        verb, who = operation.verb, state.actors[actor]
        found = []
        if any(one.pid == who.pid and one.thread and not one.library for one in state.actors):
            # Threads share memory, which is not seen.
            process = state.by_pid(str(who.pid))
            owner = process.id if process is not None else actor
            found.append(self._whole("memory", self._number_of(owner)))
        if who.library:
            # A feeder does what its process has put: each after the other.
            found.append(self._buffer(actor if who.parent is None else who.parent))
        if verb not in _ALONE:
            found += self._of_operation(grant, first=first)
        return found

    def _of_operation(self, grant: Grant, *, first: bool) -> list[Touch]:
        """Return what the operation touches by its verb, or by its primitive and its atom."""
        actor, operation, times_out, state = grant
        verb = operation.verb
        if verb is Verb.EXIT:
            return self._of_exit(actor, state)
        if verb in (Verb.JOIN, Verb.ALIVE, Verb.TERMINATE):
            return self._of_a_life(operation, state)
        primitive = state.primitives.get(operation.primitive)
        if primitive is not None and Role.WORK in primitive.parts:
            return self._of_a_pool(operation, primitive.id)
        if primitive is not None and primitive.kind.startswith(MANAGED):
            return [self._served(primitive.id), self._served(operation.atom)]
        if verb is Verb.WAIT_ANY:
            return self._of_several(operation, state)
        atom = state.atoms.get(operation.atom)
        if isinstance(atom, Semaphore):
            return self._of_a_semaphore(actor, operation, atom, first=first, misses=times_out)
        if isinstance(atom, Cell):
            kind = WRITE if verb is Verb.WRITE else READ
            return [Touch(self._thing(operation.atom), kind, 0)]
        if isinstance(atom, Channel):
            return self._of_a_channel(actor, operation, atom, state, first=first)
        unknown = [self._whole("what is not known")]
        if verb in _OF_BLOCKS and operation.atom:
            unknown.append(self._whole("block", self._key_of(operation.atom)))
        return unknown

    def _of_exit(self, actor: ActorId, state: State) -> list[Touch]:
        """Return the touches of an end, and of the joins before it.

        A process waits for its children as it ends, also where it found them ended past its gate.
        """
        joins = [
            Touch(self._life(child.id), JOIN, 1)
            for child in state.actors
            if child.parent == actor and child.ended and not child.thread
        ]
        return [Touch(self._life(actor), EXIT, 0), *joins, *self._ends(state)]

    def _ends(self, state: State) -> list[Touch]:
        """A process that ends closes its ends of the pipes; which it had is not known."""
        return [
            Touch(self._thing(atom), kind, 0)
            for primitive in state.primitives.values()
            if primitive.kind == "Pipe"
            for atom in primitive.parts.values()
            for kind in (CLOSE_READER, CLOSE_WRITER)
        ]

    def _of_a_life(self, operation: Operation, state: State) -> list[Touch]:
        target = state.by_pid(operation.atom)
        if target is None:
            return [self._whole("what is not known")]
        life = self._life(target.id)
        if operation.verb is Verb.TERMINATE:
            return [Touch(life, KILL, 0), *self._ends(state)]
        if operation.verb is Verb.JOIN and not operation.can_time_out:
            return [Touch(life, JOIN, 1)]
        return [Touch(life, ASK, 0)]

    def _of_a_pool(self, operation: Operation, pool: str) -> list[Touch]:
        """Tasks go one way and results another; who ends it is about both."""
        tasks = self._whole("tasks", self._key_of(pool))
        results = self._whole("results", self._key_of(pool))
        if operation.verb is Verb.SUBMIT or operation.call.endswith(".get"):
            return [tasks]
        if operation.call.endswith(".put"):
            return [results]
        if operation.verb is Verb.AWAIT and not operation.role:
            return [results]
        return [tasks, results]

    def _of_several(self, operation: Operation, state: State) -> list[Touch]:
        found = []
        for name in operation.atom.split("\n")[1:]:
            atom = state.atoms.get(name)
            if isinstance(atom, Channel):
                kind = POLL if atom.items or atom.ended else EMPTY
                found.append(Touch(self._thing(name), kind, atom.sent + 1))
            elif name.isdigit() and (target := state.by_pid(name)) is not None:
                found.append(Touch(self._life(target.id), ASK, 0))
            else:
                found.append(self._whole("what is not known"))
        return found

    def _of_a_semaphore(
        self, actor: ActorId, operation: Operation, atom: Semaphore, *, first: bool, misses: bool
    ) -> list[Touch]:
        if atom.is_private(operation.verb, actor):
            return []
        outcome = Outcome(
            tried=not first or not operation.blocking or operation.can_time_out,
            done=not misses and atom.apply(operation, actor)[1] in ("True", "None"),
            bounded=atom.is_bounded,
            units=atom.value,
        )
        kind = KIND_OF[operation.verb](outcome)
        return [Touch(self._thing(operation.atom), kind, atom.value)]

    def _buffer(self, process: ActorId) -> Touch:
        return self._whole("buffers", self._number_of(process))

    def _of_a_channel(
        self,
        actor: ActorId,
        operation: Operation,
        atom: Channel,
        state: State,
        *,
        first: bool,
    ) -> list[Touch]:
        verb = operation.verb
        thing = self._thing(operation.atom)
        found: list[Touch] = []
        process = state.by_pid(str(state.actors[actor].pid))
        owner = process.id if process is not None else actor
        following = atom.items[0].number if atom.items else atom.sent + 1
        # A full pipe: who receives lets others go on.
        room = WRITE if atom.sending or atom.buffered else READ
        found.append(self._whole("room", self._key_of(operation.atom), kind=room))
        if verb is Verb.PUT and state.grain is Grain.CALL:  # its feeder sends at once
            found.append(Touch(thing, SEND, atom.sent + len(atom.buffered) + 1))
        elif verb is Verb.PUT:
            found.append(self._buffer(owner))
        elif verb is Verb.SEND:
            found.append(Touch(thing, SEND, atom.sent + 1))
        elif verb is Verb.RECEIVE or verb is Verb.POLL:
            message = bool(atom.items) or (verb is Verb.POLL and atom.ended)
            tried = not operation.blocking or operation.can_time_out
            kind = KIND_OF[verb](Outcome(tried, message))
            if verb is Verb.RECEIVE and not first and operation.blocking:
                found.append(Touch(thing, POLL, following))  # the call would have come so far
            found.append(Touch(thing, kind, following))
        elif state.grain is Grain.ATOM:  # a flush: its feeder has sent all
            found.append(self._buffer(owner))
        return found

    def pending(self, actor: ActorId, state: State) -> tuple[Touch, ...]:
        """Return what the actor would touch if it could do what it waits for."""
        operation = state.actors[actor].pending
        if operation is None:
            return ()
        primitive = state.primitives.get(operation.primitive)
        known = primitive is None or not (
            Role.WORK in primitive.parts or primitive.kind.startswith(MANAGED)
        )
        kind = KIND_OF_PENDING.get(operation.verb)
        atom: Atom | None = state.atoms.get(operation.atom)
        if known and kind is not None and isinstance(atom, Semaphore | Channel):
            return (Touch(self._thing(operation.atom), kind, -1),)
        if operation.verb is Verb.JOIN:
            return ()
        return tuple(self.touches(Grant(actor, operation, False, state), first=True))
