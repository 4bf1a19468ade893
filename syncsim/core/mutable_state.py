"""The state of a run while it changes; ``State`` is what it is at one moment.

A change costs a microsecond or two; a ``State`` is made only when one is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Atom, Block, Cell, Channel, Semaphore
from syncsim.core.enabled import would_block
from syncsim.core.operation import Operation, Verb
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.work import TaskOutcome, Work


class MutableState:
    """The actors, the primitives and the atoms of a run, and what happens to them unseen."""

    def __init__(self) -> None:
        self.n = 0
        self.actors: list[Actor] = []
        self.atoms: dict[str, Atom] = {}
        self.primitives: dict[str, Primitive] = {}
        #: The atoms that have vanished with the server that kept them: nobody waits there.
        self.gone: frozenset[str] = frozenset()
        self._lost_notifications: dict[str, int] = {}
        self._by_pid: dict[str, ActorId] = {}
        self._state: State | None = None
        self._grain = Grain.CALL
        self._feeding: set[str] = set()
        # How many steps each actor has made and what it has observed: in a free run these alone
        # change at most operations, so they enter into the actor when a state is made.
        self._steps: list[int] = []
        self._observed: list[int] = []

    @property
    def state(self) -> State:
        """The state now, as a value."""
        if self._state is None:
            for actor in self.actors:
                steps, observed = self._steps[actor.id], self._observed[actor.id]
                if observed != actor.observed or steps != actor.steps:
                    self.actors[actor.id] = replace(actor, steps=steps, observed=observed)
            self._state = State(
                n=self.n,
                actors=tuple(self.actors),
                atoms=dict(self.atoms),
                primitives=dict(self.primitives),
                lost_notifications=dict(self._lost_notifications),
                gone=self.gone,
                grain=self._grain,
            )
        return self._state

    @property
    def grain(self) -> Grain:
        """The size of the steps from now on."""
        return self._grain

    @grain.setter
    def grain(self, grain: Grain) -> None:
        self._grain = grain
        self._state = None

    def add(self, actor: Actor) -> None:
        """Add a new actor; its id must be the next one."""
        assert actor.id == len(self.actors)
        self.actors.append(actor)
        self._steps.append(actor.steps)
        self._observed.append(actor.observed)
        if not actor.thread:
            self._by_pid[str(actor.pid)] = actor.id
        self._state = None

    def change(self, actor: ActorId, **changes: object) -> Actor:
        """Set fields of an actor."""
        changed = replace(self.actors[actor], **changes)
        self.actors[actor] = changed
        self._state = None
        return changed

    def create(self, primitive: Primitive, atoms: dict[str, Atom]) -> None:
        """Add a new primitive and the atoms that come with it.

        One with the id of an older one takes its place: that one is gone.  A lock may be there
        already (a Condition is made of one that is given).  Pipes and cells are always new.
        """
        older = self.primitives.pop(primitive.id, None)
        if older is not None:
            in_use = {atom for other in self.primitives.values() for atom in other.parts.values()}
            for name in set(older.parts.values()) - in_use:
                self.atoms.pop(name, None)
        self.primitives[primitive.id] = primitive
        for name, atom in atoms.items():
            if name not in self.atoms or not isinstance(atom, Semaphore):
                self.set_atom(name, atom)
        self._state = None

    @property
    def feeding(self) -> set[str]:
        """The channels into which something was put that is not wholly in the pipe yet."""
        return self._feeding

    def can_go(self, actor: Actor) -> bool:
        """Return whether the actor's pending operation would not block now."""
        if actor.pending is None or actor.stopped:
            return False
        return self.would_go(actor.pending, actor.id)

    def would_go(self, operation: Operation, actor: ActorId) -> bool:
        """Return whether the operation would not block that actor now."""
        return not would_block(operation, actor, self.atoms, self.gone, self._has_ended)

    def by_pid(self, pid: int) -> Actor | None:
        """Return the process with that pid; the newest, should the pid have come again."""
        actor = self._by_pid.get(str(pid))
        return None if actor is None else self.actors[actor]

    def name_of(self, primitive: str) -> str:
        """Return the name of the primitive with that id; empty if there is none."""
        named = self.primitives.get(primitive)
        return named.name if named else ""

    def _has_ended(self, pid: str) -> bool | None:
        target = self._by_pid.get(pid)
        return None if target is None else self.actors[target].ended

    def choices(self) -> tuple[Choice, ...]:
        """Return the same as ``State.choices``, without making a state."""
        # Asked for at every step of a run, so without detours; who has ended has nothing pending.
        choices = []
        atoms, grain, gone = self.atoms, self._grain, self.gone
        for actor in self.actors:
            operation = actor.pending
            if operation is None or actor.stopped:
                continue
            atom = atoms.get(operation.atom)
            if atom is None or operation.atom in gone:
                goes = self.can_go(actor)
            else:
                goes = atom.enabled(operation, actor.id)
            if goes:
                choices.append(Choice(actor.id, grain=grain))
            elif operation.can_time_out:
                choices.append(Choice(actor.id, Move.TIME_OUT, grain))
        return tuple(choices)

    def callers(self, *names: str) -> list[ActorId]:
        """Return the actors whose operation on one of these atoms is under way."""
        return [a.id for a in self.actors if a.pending is not None and a.pending.atom in names]

    def hold(self, lock: str, actor: ActorId | None) -> None:
        """Make the actor, or nobody, the holder of a lock that was taken or given back unseen."""
        atom = self.atoms.get(lock)
        if isinstance(atom, Semaphore):
            holders = () if actor is None else (actor,)
            self.set_atom(lock, replace(atom, value=1 - len(holders), holders=holders))

    def send(self, actor: ActorId, channel: str) -> None:
        """Move the actor's next item into the pipe, as its feeder has done."""
        atom = self.atoms[channel]
        assert isinstance(atom, Channel)
        for verb in (Verb.SEND, Verb.SENT):
            atom = atom.apply(Operation(verb, channel), actor)[0]
        self.set_atom(channel, atom)

    def drop(self, channel: str, actor: ActorId) -> None:
        """Drop the actor's next item, which its feeder could not send."""
        atom = self.atoms[channel]
        assert isinstance(atom, Channel)
        self.set_atom(channel, atom.without_first(actor))

    def show(self, name: str, text: str) -> None:
        """Set the content of a cell, as its keeper reports it; its writer is its only caller."""
        atom = self.atoms.get(name)
        if isinstance(atom, Cell) and atom.value != text:
            callers = self.callers(name)
            writer = callers[0] if len(callers) == 1 else None
            self.set_atom(name, Cell(value=text, previous=atom.value, writer=writer))

    def vanish(self, primitives: Iterable[str]) -> None:
        """Let primitives vanish with the server that kept them: nobody waits there any more."""
        vanished = (self.primitives[name] for name in primitives if name in self.primitives)
        self.gone |= {atom for primitive in vanished for atom in primitive.parts.values()}
        self._state = None

    def end_channel(self, channel: str) -> None:
        """End the channel: nobody can send through it any more."""
        atom = self.atoms.get(channel)
        if isinstance(atom, Channel):
            self.set_atom(channel, replace(atom, ended=True))

    def hire(self, work: str, worker: ActorId) -> None:
        """Make the actor a worker of that pool."""
        atom = self.atoms.get(work)
        if isinstance(atom, Work):
            self.set_atom(work, atom.hired(worker))

    def works_for(self, actor: ActorId) -> tuple[str, ...]:
        """Return the names of the works at which the actor is a worker."""
        return tuple(
            name
            for name, atom in self.atoms.items()
            if isinstance(atom, Work) and actor in atom.workers
        )

    def settle(self, outcome: str) -> None:
        """Forget an outcome for which nobody need wait any more."""
        self.atoms.pop(outcome, None)
        self._state = None

    def set_atom(self, name: str, atom: Atom) -> None:
        """Replace an atom by its successor."""
        self._state = None
        if isinstance(atom, TaskOutcome) and atom.complete:
            # Nobody ever waits for it again: there may be very many of them.
            del self.atoms[name]
            return
        self.atoms[name] = atom
        if isinstance(atom, Channel):
            if atom.buffered or atom.sending:
                self._feeding.add(name)
            else:
                self._feeding.discard(name)

    def inherit(self, parent: ActorId, child: ActorId) -> None:
        """Open in a forked child what its parent has open."""
        for name, atom in list(self.atoms.items()):
            if isinstance(atom, Block) and parent in atom.open_in:
                self.set_atom(name, replace(atom, open_in=(*atom.open_in, child)))

    def stop(self, actor: ActorId, *, stopped: bool = True) -> None:
        """Stop (or continue) the process of the actor, and its threads with it."""
        pid = self.actors[actor].pid
        for thread in self.actors:
            if thread.pid == pid and not thread.ended:
                self.change(thread.id, stopped=stopped)

    def leave_atoms(self, actor: ActorId) -> None:
        """Apply the end of the actor to the blocks, the works and the pipes that it used."""
        for name, atom in list(self.atoms.items()):
            if isinstance(atom, Block) and actor in atom.open_in:
                self.set_atom(name, atom.without(actor))
            elif isinstance(atom, Work) and actor in atom.workers:
                self.set_atom(name, atom.left(actor))
        for name in tuple(self._feeding):
            channel = self.atoms[name]
            assert isinstance(channel, Channel)
            self.set_atom(name, channel.torn_by(actor))
