"""Memory of earlier states: since when a primitive is held, who read what, who took last.

It is learnt from one state to the next.  Where steps in between were not seen, what may have
become wrong is forgotten rather than shown.
"""

from __future__ import annotations

from typing import NamedTuple

from syncsim.core.atoms import Cell, Channel, Item, Semaphore
from syncsim.core.kinds import LANES, Family, Role
from syncsim.core.operation import Verb
from syncsim.core.schedule import Grain
from syncsim.core.state import Actor, Primitive, State

_MOVES = (Verb.READ, Verb.WRITE, Verb.RECEIVE)


class Taken(NamedTuple):
    """An item that has just left a queue, or one lane of a pipe, and who has it."""

    actor: int
    label: str
    role: str
    number: int

    @property
    def key(self) -> str:
        """The label of the item as long as it lay there."""
        return f"{self.role}-{self.number}"


class Recollection:
    """The past of the primitives, as far as it is drawn."""

    def __init__(self) -> None:
        self.state = State()
        #: (primitive, actor) → the step at which the actor got its oldest unit.
        self.since: dict[tuple[str, int], int] = {}
        #: Value → actor → what it read last and has not written since.
        self.reads: dict[str, dict[int, str]] = {}
        #: Queue → the item taken in the last step.
        self.taken: dict[str, Taken] = {}
        #: Queue → the widest item seen, in cells.
        self.widest: dict[str, int] = {}
        #: (Pipe, end) → who used that end last; end 0 sends ``items``, end 1 sends them back.
        self.ends: dict[tuple[str, int], int] = {}
        #: Barrier → who arrived last and opened it, and in which step; until all have gone on.
        self.opened: dict[str, tuple[int, int]] = {}
        #: Event → who has set it, as long as it is set.
        self.setter: dict[str, int] = {}
        #: Event → who has gone on in the last step, because it is set.
        self.passed: dict[str, int] = {}

    def look(self, state: State) -> bool:
        """See the next state; whether it is the very next one."""
        old = self.state
        if state.n < old.n:
            self.__dict__.update(Recollection().__dict__)
            old = self.state
        if state is old:
            return False
        close = state.n - old.n <= 1
        self._holders(old, state, close)
        if state.n != old.n:
            self.taken.clear()
            self.passed.clear()
        self._see_ends(state)
        moved = [
            (a, b) for a, b in zip(old.actors, state.actors, strict=False) if b.steps > a.steps
        ]
        if not close:
            self.setter.clear()
            self.opened.clear()
            for reads in self.reads.values():
                for before, _ in moved:
                    reads.pop(before.id, None)
        else:
            for before, _ in moved:
                if before.pending is not None:
                    primitive = state.primitives.get(before.pending.primitive)
                    # By atom a call has many steps, of which one reads or writes.
                    inner = before.pending.compound and state.grain is Grain.ATOM
                    if primitive is not None and not (inner and before.pending.verb not in _MOVES):
                        self._call(old, state, primitive, before.id, before.pending.call)
        self._forget_what_is_over(state)
        self.state = state
        return close and state.n > old.n

    def _see_ends(self, state: State) -> None:
        for actor in state.actors:
            operation = actor.pending
            if operation is None or operation.role not in LANES:
                continue
            primitive = state.primitives.get(operation.primitive)
            if primitive is not None and primitive.traits.family is Family.PIPE:
                sends = operation.verb in (Verb.SEND, Verb.SENT)
                end = 0 if sends == (operation.role == Role.ITEMS) else 1
                self.ends[primitive.id, end] = actor.id

    def _holders(self, old: State, state: State, close: bool) -> None:
        kept: dict[tuple[str, int], int] = {}
        for primitive in state.primitives.values():
            for role, name in primitive.parts.items():
                holders = state.holders(primitive, role)
                if not holders:
                    continue
                before = old.atoms.get(name)
                for holder in set(holders):
                    key = (primitive.id, holder)
                    held = isinstance(before, Semaphore) and holder in before.holders
                    if not held and close:
                        kept[key] = state.n
                    elif (
                        held
                        and key in self.since
                        and (close or old.actors[holder].steps == state.actors[holder].steps)
                    ):
                        kept[key] = self.since[key]
        self.since = kept

    def _call(self, old: State, state: State, primitive: Primitive, actor: int, call: str) -> None:
        method = call.rpartition(".")[2]
        if Role.VALUE in primitive.parts:
            if not primitive.traits.is_read_whole:
                return  # a part of it was read
            cell = old.atoms.get(primitive.parts[Role.VALUE])
            reads = self.reads.setdefault(primitive.id, {})
            if method == "get" and isinstance(cell, Cell):
                reads[actor] = cell.value
            elif method == "set":
                reads.pop(actor, None)
        elif Role.ITEMS in primitive.parts:
            for role in LANES:
                before, after = _items(old, primitive, role), _items(state, primitive, role)
                if before and (not after or after[0].number != before[0].number):
                    self.taken[primitive.id] = Taken(actor, before[0].label, role, before[0].number)
        elif primitive.traits.family is Family.EVENT:
            self._event(state, primitive, actor, method)
        elif primitive.traits.family is Family.BARRIER and method == "wait":
            others = [a for a in old.waiting(primitive, Role.WAIT) if a.id != actor]
            if len(others) + 1 == primitive.capacity and not state.waiting(primitive, Role.WAIT):
                self.opened[primitive.id] = (actor, state.n)

    def _forget_what_is_over(self, state: State) -> None:
        for name, (_, n) in list(self.opened.items()):
            primitive = state.primitives.get(name)
            if primitive is None or (n != state.n and not going_on(state, primitive)):
                del self.opened[name]
        for name in list(self.setter):
            primitive = state.primitives.get(name)
            if primitive is None or not is_set(state, primitive):
                del self.setter[name]

    def _event(self, state: State, primitive: Primitive, actor: int, method: str) -> None:
        pending = state.actors[actor].pending
        if method == "set":
            self.setter[primitive.id] = actor
        elif method == "wait" and (pending is None or pending.primitive != primitive.id):
            self.passed[primitive.id] = actor


def is_set(state: State, event: Primitive) -> bool:
    """Return whether the flag of the event is up."""
    flag = state.atoms.get(event.parts.get(Role.FLAG) or event.parts[Role.VALUE])
    if isinstance(flag, Semaphore):
        return flag.value > 0
    return isinstance(flag, Cell) and flag.value == "set"


def going_on(state: State, barrier: Primitive) -> list[Actor]:
    """Return the actors that were at the barrier when it opened and have not gone on yet."""
    found = []
    for actor in state.actors:
        operation = actor.pending
        if operation is None or operation.primitive != barrier.id or actor.ended:
            continue
        awake = operation.role == Role.WAIT and state.enabled(actor)
        inside = operation.role == Role.WOKEN or (operation.role == Role.LOCK and bool(actor.call))
        if operation.call.endswith(".wait") and (awake or inside):
            found.append(actor)
    return found


def _items(state: State, primitive: Primitive, role: str) -> tuple[Item, ...]:
    channel = state.atoms.get(primitive.parts.get(role, ""))
    return channel.items if isinstance(channel, Channel) else ()
