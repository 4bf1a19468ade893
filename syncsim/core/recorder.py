"""The recorder: applies what happened, in order, and gives the state and the steps.

Both worlds write their events here.  One event costs a few microseconds; a ``State`` is
made only when one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Atom, Block, Cell, Channel, Semaphore, Sleepers
from syncsim.core.enabled import would_block
from syncsim.core.faults import WORDS
from syncsim.core.kinds import MANAGED, Role
from syncsim.core.operation import (
    ACQUIRE,
    POLL,
    PUT,
    RECEIVE,
    RELEASE,
    SEND,
    SENT,
    Operation,
    Site,
    Verb,
)
from syncsim.core.outcomes import Outcome
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.core.steps import Step
from syncsim.core.work import TaskOutcome, Work


class DivergenceError(Exception):
    """The real primitive did something else than its model says: an error of ours."""


class Recorder:
    """A run as it happens.

    ``on_step`` is called for each step: when its call is complete, or stops to wait in the
    middle; by the grain of the atoms for each operation.
    """

    def __init__(self, on_step: Callable[[Step], None]) -> None:
        self.n = 0
        self.actors: list[Actor] = []
        self.atoms: dict[str, Atom] = {}
        self.primitives: dict[str, Primitive] = {}
        #: The atoms that have vanished with the server that kept them: nobody waits there.
        self.gone: frozenset[str] = frozenset()
        self._unheard: dict[str, int] = {}
        self._by_pid: dict[str, ActorId] = {}
        self._on_step = on_step
        self._state: State | None = None
        self._grain = Grain.CALL
        # The last operation of the call that an actor is in, with the call's detail; and of whom
        # a step is still to be told.
        self._underway: dict[ActorId, Operation] = {}
        self._untold: set[ActorId] = set()
        self._woke: set[ActorId] = set()
        #: Who is counted among the sleepers of which primitive: before it sleeps, and until it says
        #: that it is awake.
        self._counted: dict[ActorId, str] = {}
        self._feeding: set[str] = set()
        self._waited_from: dict[ActorId, int] = {}
        self._last_site: dict[ActorId, Site] = {}
        # How many steps each actor has made and what it has observed: in a free run these alone
        # change at most operations, so they enter into the actor when a state is made.
        self._steps: list[int] = []
        self._observed: list[int] = []

    @property
    def state(self) -> State:
        """The state now."""
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
                lost_notifications=dict(self._unheard),
                gone=self.gone,
                grain=self._grain,
            )
        return self._state

    @property
    def grain(self) -> Grain:
        """At what size steps are made and told from now on."""
        return self._grain

    @grain.setter
    def grain(self, grain: Grain) -> None:
        self._grain = grain
        self._state = None

    def add(self, actor: Actor) -> None:
        """A new actor; its id must be the next one."""
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
        """A new primitive and the atoms that come with it.

        One with the id of an older one takes its place: that one is gone.  A lock may be there
        already (a Condition is made of one that is given).  Pipes and cells are always new.
        """
        gone = self.primitives.pop(primitive.id, None)
        if gone is not None:
            kept = {atom for other in self.primitives.values() for atom in other.parts.values()}
            for name in set(gone.parts.values()) - kept:
                self.atoms.pop(name, None)
        self.primitives[primitive.id] = primitive
        for name, atom in atoms.items():
            if name not in self.atoms or not isinstance(atom, Semaphore):
                self._set(name, atom)
        self._state = None

    @property
    def feeding(self) -> set[str]:
        """The channels of which something put is not wholly in the pipe yet."""
        return self._feeding

    def can_go(self, actor: Actor) -> bool:
        """Whether the actor's pending operation would not block now."""
        if actor.pending is None or actor.stopped:
            return False
        return self.would_go(actor.pending, actor.id)

    def would_go(self, operation: Operation, actor: ActorId) -> bool:
        """Whether the operation would not block that actor now."""
        return not would_block(operation, actor, self.atoms, self.gone, self._has_ended)

    def by_pid(self, pid: int) -> Actor | None:
        """The process with that pid; the newest, should the pid have come again."""
        actor = self._by_pid.get(str(pid))
        return None if actor is None else self.actors[actor]

    def last_site(self, actor: ActorId) -> Site | None:
        """Where in the program the actor made its last step."""
        return self._last_site.get(actor)

    def name_of(self, primitive: str) -> str:
        """The name of the primitive with that id; empty if there is none."""
        known = self.primitives.get(primitive)
        return known.name if known else ""

    def _has_ended(self, pid: str) -> bool | None:
        target = self._by_pid.get(pid)
        return None if target is None else self.actors[target].ended

    def would_take(self, actor: ActorId, operation: Operation) -> bool:
        """Whether the acquire would be answered by True now."""
        atom = self.atoms.get(operation.atom)
        return atom is None or atom.apply(operation, actor)[1] != "False"

    def choices(self) -> tuple[Choice, ...]:
        """As ``State.choices``, without making a state."""
        # Asked for at every step of a run, so without detours; who has ended has nothing pending.
        found = []
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
                found.append(Choice(actor.id, grain=grain))
            elif operation.can_time_out:
                found.append(Choice(actor.id, Move.TIME_OUT, grain))
        return tuple(found)

    def announce(self, actor: ActorId, operation: Operation) -> None:
        """The actor has reached an operation and has not made it yet."""
        since = self.n
        self.change(actor, pending=operation, since=since, outside=False, left="")
        if operation.verb is not Verb.AWAIT:
            self.stops(actor)
        self._waited_from[actor] = since

    def waits_from_now(self, actor: ActorId) -> None:
        """The actor counts as having reached its operation only now."""
        if self.actors[actor].pending is not None and self._waited_from[actor] != self.n:
            self.change(actor, since=self.n)
            self._waited_from[actor] = self.n

    def stops(self, actor: ActorId) -> None:
        """Tells of the call that the actor is in the middle of, should it have to wait there.

        (Of an ``AWAIT`` that is asked once what helps it unseen is at rest.)
        """
        operation = self.actors[actor].pending
        if operation is None or not operation.compound or actor not in self._untold:
            return
        if not self.can_go(self.actors[actor]):
            woken = operation.role == Role.LOCK and self._underway[actor].role in (
                Role.WOKEN,
                Role.WAIT,
            )
            self._finish(actor, (Outcome.AWAKE if woken else Outcome.WAITS).value, complete=False)

    def effect(
        self, actor: ActorId, operation: Operation, result: str = "", *, believe: bool = False
    ) -> str:
        """The operation took effect.

        ``result`` is what really came of it, empty where the one who reports does not know; the
        answer is the result that the model gives.  Raises ``DivergenceError`` where an acquire
        differs, unless we are to ``believe`` it (somebody unseen may have released).
        """
        # (Every operation of a free run comes by here: it is written to be quick.)
        verb = operation.verb
        name = operation.atom
        if verb is Verb.SUBMIT:
            self.atoms[name] = TaskOutcome()
        atom = self.atoms.get(name)
        modelled = result or ""
        if verb is ACQUIRE or verb is Verb.AWAIT:
            failed = result == "False"
        else:
            failed = _is_error(verb, result)
        if atom is not None and not failed:
            after, modelled = atom.apply(operation, self._owner(actor, operation))
            if isinstance(atom, Semaphore):
                if believe and verb is ACQUIRE and "True" == result != modelled:
                    # A stranger has given it back.
                    after, modelled = atom.released().apply(operation, actor)
                elif verb is RELEASE and result == "None" != modelled:
                    # It is refused, by the model: whether it really is, a record will say at
                    # once.  (Who has taken the missing unit may not have been heard yet.)
                    after, result = atom.given_anyway(), modelled
            if verb is ACQUIRE and result and result != modelled:
                raise DivergenceError(
                    f"{self.actors[actor].name} got {result} from {operation.call}, but by "
                    f"its model it is {modelled} ({atom})"
                )
            if isinstance(atom, Semaphore):
                self.atoms[name] = after
            else:
                self._set(name, after)
            if result and verb is not RECEIVE and verb is not POLL:
                modelled = result
        if verb is RELEASE:
            role = operation.role
            if role == "wait":
                self._woke.add(actor)
            elif role == "sleeping":
                self._counted[actor] = operation.primitive
            elif role == "woken":
                self._counted.pop(actor, None)
        who = self.actors[actor]
        compound = operation.compound
        call = operation.call if compound else ""
        if who.pending is not None or who.outside or who.call != call:
            self.actors[actor] = replace(who, pending=None, outside=False, call=call)
        self._observed[actor] = hash((self._observed[actor], verb, name, modelled))
        self._state = None
        if not compound:
            if verb is Verb.CALL:
                self._mind_notice(actor, operation)
            self._steps[actor] += 1
            self._tell(operation, who, modelled, complete=True)
            return modelled
        before = self._underway.get(actor)
        if before is not None and before.detail and not operation.detail:
            operation = replace(operation, detail=before.detail)
        self._underway[actor] = operation
        if self._grain is Grain.CALL:
            self._untold.add(actor)
        else:
            self._untold.discard(actor)
            self._steps[actor] += 1
            self._tell(operation, who, modelled, complete=False, inner=True)
        return modelled

    def _owner(self, actor: ActorId, operation: Operation) -> ActorId:
        """For whom the operation counts.

        What a thread puts is its process's to deliver; a feeder delivers it for its process.
        """
        verb = operation.verb
        if verb is PUT or verb is SEND or verb is SENT:
            who = self.actors[actor]
            if who.thread and who.parent is not None and (verb is PUT or who.library):
                return who.parent
        return actor

    def refused(self, actor: ActorId, operation: Operation, result: str) -> None:
        """What the actor has just given it could not give: its call raises ``result``."""
        atom = self.atoms.get(operation.atom)
        if not isinstance(atom, Semaphore):
            return
        self._set(operation.atom, atom.not_given())
        if atom.value <= atom.maximum and not atom.recursive:  # the model had foretold nothing
            self._tell(operation, self.actors[actor], result, complete=not operation.compound)

    def move(self, actor: ActorId, operation: Operation, result: str = "") -> None:
        """Something behind the scenes took effect for the actor: no step of its own."""
        atom = self.atoms.get(operation.atom)
        if atom is None and operation.verb is Verb.SETTLE and operation.detail == "0":
            atom = TaskOutcome()  # of which nothing is there yet
        if atom is not None and result != "False":
            self._set(operation.atom, atom.apply(operation, self._owner(actor, operation))[0])
        underway = self._underway.get(actor)
        if operation.verb is SEND and underway is not None and not underway.detail:
            # What is sent is what the call is about.
            self._underway[actor] = replace(underway, detail=operation.detail)

    def hold(self, lock: str, actor: ActorId | None) -> None:
        """The actor, or nobody, holds the lock: it was taken or given back unseen."""
        atom = self.atoms.get(lock)
        if isinstance(atom, Semaphore):
            holders = () if actor is None else (actor,)
            self._set(lock, replace(atom, value=1 - len(holders), holders=holders))

    def send(self, actor: ActorId, channel: str) -> None:
        """The feeder of the actor has moved its next item into the pipe."""
        atom = self.atoms[channel]
        assert isinstance(atom, Channel)
        for verb in (Verb.SEND, Verb.SENT):
            atom = atom.apply(Operation(verb, channel), actor)[0]
        self._set(channel, atom)

    def drop(self, channel: str, actor: ActorId) -> None:
        """The feeder of the actor has dropped an item that could not be sent."""
        atom = self.atoms[channel]
        assert isinstance(atom, Channel)
        self._set(channel, atom.without_first(actor))

    def wake(self, name: str, actor: ActorId, by: ActorId | None) -> None:
        """The sleeper was woken; ``by`` whose call, where that is known."""
        atom = self.atoms.get(name)
        if isinstance(atom, Sleepers):
            self._set(name, atom.wake(actor))
        if by is not None:
            self._woke.add(by)

    def show(self, name: str, text: str) -> None:
        """What is in the cell, as its keeper tells; by the only one who calls it just now."""
        atom = self.atoms.get(name)
        if isinstance(atom, Cell) and atom.value != text:
            callers = self.callers(name)
            writer = callers[0] if len(callers) == 1 else None
            self._set(name, Cell(value=text, previous=atom.value, writer=writer))

    def callers(self, *names: str) -> list[ActorId]:
        """Whose operation on one of these atoms is under way."""
        return [a.id for a in self.actors if a.pending is not None and a.pending.atom in names]

    def vanish(self, primitives: Iterable[str]) -> None:
        """The server that kept these primitives has ended: who waits there hears of that."""
        known = (self.primitives[one] for one in primitives if one in self.primitives)
        self.gone |= {atom for primitive in known for atom in primitive.parts.values()}
        self._state = None

    def end_channel(self, channel: str) -> None:
        """Nobody can send through the channel any more."""
        atom = self.atoms.get(channel)
        if isinstance(atom, Channel):
            self._set(channel, replace(atom, ended=True))

    def hire(self, work: str, worker: ActorId) -> None:
        """The actor is a worker of that pool."""
        atom = self.atoms.get(work)
        if isinstance(atom, Work):
            self._set(work, atom.hired(worker))

    def works_for(self, actor: ActorId) -> tuple[str, ...]:
        """The work at which the actor is a worker."""
        return tuple(
            name
            for name, atom in self.atoms.items()
            if isinstance(atom, Work) and actor in atom.workers
        )

    def settle(self, outcome: str) -> None:
        """Nobody need wait for that any more."""
        self.atoms.pop(outcome, None)
        self._state = None

    def _set(self, name: str, atom: Atom) -> None:
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
        """The child was forked: what its parent has open is open in it, too."""
        for name, atom in list(self.atoms.items()):
            if isinstance(atom, Block) and parent in atom.open_in:
                self._set(name, replace(atom, open_in=(*atom.open_in, child)))

    def back(self, actor: ActorId, result: str) -> None:
        """The compound call of the actor has returned (or raised, then named by ``result``)."""
        operation = self._underway.get(actor)
        if operation is None:
            return
        self._mind_notice(actor, operation)
        if self.actors[actor].call:
            self.change(actor, call="")
        if actor in self._untold:
            self._finish(actor, result, complete=True)
        else:
            del self._underway[actor]

    def _mind_notice(self, actor: ActorId, operation: Operation) -> None:
        """Keeps in mind a notification that nobody has heard."""
        call = operation.call.removeprefix(MANAGED)
        notifies = call in ("Condition.notify", "Condition.notify_all")
        if notifies and actor not in self._woke and operation.primitive in self.primitives:
            told = not operation.compound or actor in self._untold
            self._unheard[operation.primitive] = self.n + told
        self._woke.discard(actor)

    def end(self, actor: ActorId, exitcode: int | None) -> None:
        """The process is gone."""
        self._underway.pop(actor, None)
        self._untold.discard(actor)
        for name, atom in list(self.atoms.items()):
            if isinstance(atom, Block) and actor in atom.open_in:
                self._set(name, atom.without(actor))
        operation = self.actors[actor].pending
        asleep_on = self._counted.pop(actor, "")
        if operation is not None and operation.role == "wait":
            asleep_on = operation.primitive
        for name in self.works_for(actor):
            work = self.atoms[name]
            assert isinstance(work, Work)
            self._set(name, work.left(actor))
        for name in tuple(self._feeding):
            channel = self.atoms[name]
            assert isinstance(channel, Channel)
            self._set(name, channel.torn_by(actor))
        self.change(
            actor,
            life=Life.ENDED,
            exitcode=exitcode,
            pending=None,
            call="",
            outside=False,
            stopped=False,
            asleep_on=asleep_on,
        )

    def stop(self, actor: ActorId, *, stopped: bool = True) -> None:
        """The process of the actor was stopped (or continued), and its threads with it."""
        pid = self.actors[actor].pid
        for one in self.actors:
            if one.pid == pid and not one.ended:
                self.change(one.id, stopped=stopped)

    def fault(self, actor: ActorId, move: Move) -> None:
        """The person has done that to the process: a step, although no call of its own."""
        if move in (Move.STOP, Move.CONTINUE):
            self.stop(actor, stopped=move is Move.STOP)
        else:
            self.change(actor, killed=move)
        who = self.actors[actor]
        word = WORDS[move].word
        self.n += 1
        self._state = None
        self._on_step(
            Step(
                self.n, who.id, who.name, who.pid, word, word, "", "", "None", "", 0, "", "",
                complete=True, waited=0, move=move,
            )
        )  # fmt: skip

    def leave(self, actor: ActorId, site: Site | None) -> None:
        """The actor became another program there: nothing more is heard of it until it ends."""
        where = f" at {site.file.rpartition('/')[2]}, line {site.line}" if site else ""
        self.change(actor, outside=True, left=f"left our view{where}")

    def _finish(self, actor: ActorId, result: str, *, complete: bool) -> None:
        operation = self._underway.pop(actor)
        self._untold.discard(actor)
        self._steps[actor] += 1
        self._state = None
        self._tell(operation, self.actors[actor], result, complete=complete)

    def _tell(
        self,
        operation: Operation,
        who: Actor,
        result: str,
        *,
        complete: bool,
        inner: bool = False,
    ) -> None:
        self.n += 1
        primitive = self.primitives.get(operation.primitive)
        site = operation.site
        if site is not None:
            self._last_site[who.id] = site
        self._on_step(
            Step(
                self.n,
                who.id,
                who.name,
                who.pid,
                operation.call,
                operation.method,
                primitive.name if primitive else "",
                primitive.kind if primitive else "",
                result,
                site.file if site else "",
                site.line if site else 0,
                site.function if site else "",
                operation.detail,
                complete,
                max(0, self.n - 1 - self._waited_from.get(who.id, self.n)),
                _of_atom(operation) if inner or who.library else "",
            )
        )


def _is_error(verb: Verb, result: str) -> bool:
    """Whether a block of shared memory could not be opened, closed or unlinked."""
    return verb in (Verb.OPEN, Verb.CLOSE, Verb.UNLINK) and result.endswith("Error")


def _of_atom(operation: Operation) -> str:
    tries = operation.verb is Verb.ACQUIRE and not operation.blocking
    return f"{'try' if tries else operation.verb} {operation.role}".rstrip()
