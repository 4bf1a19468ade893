"""What one state alone does not say: since when somebody holds it, who read what, who took last.

It is learnt from one state to the next.  Where steps in between were not seen, what may have
become wrong is forgotten rather than shown.
"""

from __future__ import annotations

from typing import NamedTuple

from syncsim.core.atoms import Cell, Semaphore
from syncsim.core.operation import Verb
from syncsim.core.schedule import Grain
from syncsim.core.state import Primitive, State

_MOVES = (Verb.READ, Verb.WRITE, Verb.RECEIVE)


class Taken(NamedTuple):
    """An item that has just left a queue, and who has it."""

    actor: int
    label: str


class Memory:
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

    def look(self, state: State) -> bool:
        """See the next state; whether it is the very next one."""
        old = self.state
        if state.n < old.n:
            self.__dict__.update(Memory().__dict__)
            old = self.state
        if state is old:
            return False
        close = state.n - old.n <= 1
        self._holders(old, state, close)
        if state.n != old.n:
            self.taken.clear()
        moved = [
            (a, b) for a, b in zip(old.actors, state.actors, strict=False) if b.steps > a.steps
        ]
        if not close:
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
        self.state = state
        return close and state.n > old.n

    def _holders(self, old: State, state: State, close: bool) -> None:
        kept: dict[tuple[str, int], int] = {}
        for primitive in state.primitives.values():
            for role, name in primitive.parts.items():
                atom = state.atoms.get(name)
                if role == "slots" or not isinstance(atom, Semaphore) or not atom.holders:
                    continue
                before = old.atoms.get(name)
                for holder in set(atom.holders):
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
        if "value" in primitive.parts:
            if primitive.sort not in ("Value", "RawValue") and primitive.kind != "Array":
                return  # a part of it was read
            cell = old.atoms.get(primitive.parts["value"])
            reads = self.reads.setdefault(primitive.id, {})
            if method == "get" and isinstance(cell, Cell):
                reads[actor] = cell.value
            elif method == "set":
                reads.pop(actor, None)
        elif "items" in primitive.parts:
            before = old.channel(primitive).items
            after = state.channel(primitive).items
            if before and (not after or after[0].number != before[0].number):
                self.taken[primitive.id] = Taken(actor, before[0].label)
