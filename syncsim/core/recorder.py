"""The recorder: applies what happened, in order, and gives the state and the steps.

Both worlds write their events here.  One event costs a few microseconds.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Semaphore, Sleepers
from syncsim.core.enabled import permits
from syncsim.core.faults import WORDS
from syncsim.core.kinds import MANAGED, Role
from syncsim.core.mutable_state import MutableState
from syncsim.core.operation import (
    ACQUIRE,
    NO,
    NOTHING,
    POLL,
    PUT,
    RECEIVE,
    RELEASE,
    SEND,
    SENT,
    YES,
    Operation,
    Site,
    Verb,
)
from syncsim.core.outcomes import Outcome, names_exception
from syncsim.core.schedule import Grain, Move
from syncsim.core.state import Actor, Life
from syncsim.core.steps import Step
from syncsim.core.work import TaskOutcome

_NOTIFIES = frozenset(("Condition.notify", "Condition.notify_all"))
#: Operations on a block of shared memory, which raise where they cannot be.
_ON_BLOCKS = frozenset((Verb.OPEN, Verb.CLOSE, Verb.UNLINK))
# (Up to Python 3.11 a member of an enum is looked up by the metaclass, each time.)
_WAIT, _SLEEPING, _WOKEN = Role.WAIT, Role.SLEEPING, Role.WOKEN


class DivergenceError(Exception):
    """The real primitive did something else than its model says: an error of ours."""


class Recorder(MutableState):
    """A run as it happens: operations take effect, and make steps.

    ``on_step`` is called for each step: when its call is complete, or stops to wait in the
    middle; by the grain of the atoms for each operation.
    """

    def __init__(self, on_step: Callable[[Step], None]) -> None:
        super().__init__()
        self._on_step = on_step
        # The last operation of the call that an actor is in, with the call's detail; and those of
        # whom a step is still to be told.
        self._underway: dict[ActorId, Operation] = {}
        self._untold: set[ActorId] = set()
        self._woke: set[ActorId] = set()
        #: Who is counted among the sleepers of which primitive: before it sleeps, and until it says
        #: that it is awake.
        self._counted: dict[ActorId, str] = {}
        self._waited_from: dict[ActorId, int] = {}
        self._last_site: dict[ActorId, Site] = {}

    def last_site(self, actor: ActorId) -> Site | None:
        """Return where in the program the actor made its last step."""
        return self._last_site.get(actor)

    def would_take(self, actor: ActorId, operation: Operation) -> bool:
        """Return whether the acquire would be answered by True now."""
        atom = self.atoms.get(operation.atom)
        return not isinstance(atom, Semaphore) or permits(atom, actor)

    def announce(self, actor: ActorId, operation: Operation) -> None:
        """Set the operation that the actor has reached and has not made yet."""
        since = self.n
        self.change(actor, pending=operation, since=since, outside=False, left="")
        if operation.verb is not Verb.AWAIT:
            self.stops(actor)
        self._waited_from[actor] = since

    def waits_from_now(self, actor: ActorId) -> None:
        """Count the actor as having reached its operation only now."""
        if self.actors[actor].pending is not None and self._waited_from[actor] != self.n:
            self.change(actor, since=self.n)
            self._waited_from[actor] = self.n

    def stops(self, actor: ActorId) -> None:
        """Tell of the call that the actor is in the middle of, should it have to wait there.

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
        """Let the operation take effect, and return its result.

        ``result`` is what really came of it, empty where the one who reports does not know: then
        it is the model's.  Raises ``DivergenceError`` where an acquire differs, unless we are to
        ``believe`` it (somebody unseen may have released).
        """
        # (Every operation of a free run comes by here: it is written to be quick.)
        verb, name = operation.verb, operation.atom
        if verb is Verb.SUBMIT:
            self.atoms[name] = TaskOutcome()
        atom = self.atoms.get(name)
        if atom is None or _has_failed(operation, result):
            modelled = result or ""
        elif isinstance(atom, Semaphore):
            modelled = self._apply_to_semaphore(atom, operation, actor, result, believe)
        else:
            after, modelled = atom.apply(operation, self._owner(actor, operation))
            self.set_atom(name, after)
            if result and verb is not RECEIVE and verb is not POLL:
                modelled = result
        if verb is RELEASE:
            self._count_sleepers(actor, operation)
        before = self.actors[actor]
        call = operation.call if operation.compound else ""
        if before.pending is not None or before.outside or before.call != call:
            self.actors[actor] = replace(before, pending=None, outside=False, call=call)
        self._observed[actor] = hash((self._observed[actor], verb, name, modelled))
        self._state = None
        if operation.compound:
            self._go_on(before, operation, modelled)
            return modelled
        if verb is Verb.CALL:
            self._mind_notification(actor, operation)
        self._steps[actor] += 1
        self._tell(operation, before, modelled, complete=True)
        return modelled

    def _apply_to_semaphore(
        self, atom: Semaphore, operation: Operation, actor: ActorId, result: str, believe: bool
    ) -> str:
        """Apply the operation to the semaphore, and return the result."""
        after, modelled = atom.apply(operation, actor)
        if result and result != modelled:
            verb = operation.verb
            if verb is ACQUIRE:
                if believe and result == YES:  # somebody who is not seen has given it back
                    after, modelled = atom.released().apply(operation, actor)
                if result != modelled:
                    raise DivergenceError(
                        f"{self.actors[actor].name} got {result} from {operation.call}, but by "
                        f"its model it is {modelled} ({atom})"
                    )
            elif verb is RELEASE and result == NOTHING:
                # It is refused, by the model: whether it really is, a record will say at
                # once.  (Who has taken the missing unit may not have been heard yet.)
                after, result = atom.given_anyway(), modelled
        self.atoms[operation.atom] = after
        return result or modelled

    def _count_sleepers(self, actor: ActorId, operation: Operation) -> None:
        """Follow who is counted among the sleepers of a Condition, by its releases."""
        role = operation.role
        if role == _WAIT:
            self._woke.add(actor)
        elif role == _SLEEPING:
            self._counted[actor] = operation.primitive
        elif role == _WOKEN:
            self._counted.pop(actor, None)

    def _go_on(self, who: Actor, operation: Operation, result: str) -> None:
        """Keep the operation as the last one of its call; by the grain of the atoms, tell of it."""
        actor = who.id
        last = self._underway.get(actor)
        if last is not None and last.detail and not operation.detail:
            operation = replace(operation, detail=last.detail)
        self._underway[actor] = operation
        if self._grain is Grain.CALL:
            self._untold.add(actor)
        else:
            self._untold.discard(actor)
            self._steps[actor] += 1
            self._tell(operation, who, result, complete=False, inner=True)

    def _owner(self, actor: ActorId, operation: Operation) -> ActorId:
        """Return the actor for whom the operation counts.

        What a thread puts is its process's to deliver; a feeder delivers it for its process.
        """
        verb = operation.verb
        if verb is PUT or verb is SEND or verb is SENT:
            thread = self.actors[actor]
            if thread.thread and thread.parent is not None and (verb is PUT or thread.library):
                return thread.parent
        return actor

    def refused(self, actor: ActorId, operation: Operation, result: str) -> None:
        """Take back what the actor has just given: its call raises ``result``."""
        atom = self.atoms.get(operation.atom)
        if not isinstance(atom, Semaphore):
            return
        self.set_atom(operation.atom, atom.not_given())
        if atom.value <= atom.maximum and not atom.recursive:  # the model had foretold nothing
            self._tell(operation, self.actors[actor], result, complete=not operation.compound)

    def move(self, actor: ActorId, operation: Operation, result: str = "") -> None:
        """Let an operation behind the scenes take effect for the actor: no step of its own."""
        atom = self.atoms.get(operation.atom)
        if atom is None and operation.verb is Verb.SETTLE and operation.detail == "0":
            atom = TaskOutcome()  # of which nothing is there yet
        if atom is not None and result != NO:
            self.set_atom(operation.atom, atom.apply(operation, self._owner(actor, operation))[0])
        underway = self._underway.get(actor)
        if operation.verb is SEND and underway is not None and not underway.detail:
            # What is sent is what the call is about.
            self._underway[actor] = replace(underway, detail=operation.detail)

    def wake(self, name: str, actor: ActorId, by: ActorId | None) -> None:
        """Wake the sleeper, by the call of ``by`` where that is known."""
        atom = self.atoms.get(name)
        if isinstance(atom, Sleepers):
            self.set_atom(name, atom.wake(actor))
        if by is not None:
            self._woke.add(by)

    def back(self, actor: ActorId, result: str) -> None:
        """End the compound call of the actor, which returned or raised ``result``."""
        operation = self._underway.get(actor)
        if operation is None:
            return
        self._mind_notification(actor, operation)
        if self.actors[actor].call:
            self.change(actor, call="")
        if actor in self._untold:
            self._finish(actor, result, complete=True)
        else:
            del self._underway[actor]

    def _mind_notification(self, actor: ActorId, operation: Operation) -> None:
        """Keep in mind a notification that nobody has heard."""
        notifies = operation.call.removeprefix(MANAGED) in _NOTIFIES
        if notifies and actor not in self._woke and operation.primitive in self.primitives:
            makes_step = not operation.compound or actor in self._untold
            self._lost_notifications[operation.primitive] = self.n + makes_step
        self._woke.discard(actor)

    def end(self, actor: ActorId, exitcode: int | None) -> None:
        """End the process or thread."""
        self._underway.pop(actor, None)
        self._untold.discard(actor)
        operation = self.actors[actor].pending
        asleep_on = self._counted.pop(actor, "")
        if operation is not None and operation.role == Role.WAIT:
            asleep_on = operation.primitive
        self.leave_atoms(actor)
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

    def fault(self, actor: ActorId, move: Move) -> None:
        """Apply what the person does to the process: a step, although no call of its own."""
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
        """Lose sight of an actor that became another program there, until it ends."""
        where = f" at {site.file.rpartition('/')[2]}, line {site.line}" if site else ""
        self.change(actor, outside=True, left=f"left our view{where}")

    def _finish(self, actor: ActorId, result: str, *, complete: bool) -> None:
        operation = self._underway.pop(actor)
        self._untold.discard(actor)
        self._steps[actor] += 1
        self._state = None
        self._tell(operation, self.actors[actor], result, complete=complete)

    def _tell(
        self, operation: Operation, who: Actor, result: str, *, complete: bool, inner: bool = False
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


def _has_failed(operation: Operation, result: str) -> bool:
    """Return whether the operation has not taken effect: it was in vain, or it raised."""
    verb = operation.verb
    if verb is ACQUIRE or verb is Verb.AWAIT:
        return result == NO
    return verb in _ON_BLOCKS and names_exception(operation.call, result)


def _of_atom(operation: Operation) -> str:
    tries = operation.verb is Verb.ACQUIRE and not operation.blocking
    return f"{'try' if tries else operation.verb} {operation.role}".rstrip()
