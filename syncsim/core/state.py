"""The state of a run: every process and every atom after n steps, immutable.

Source of the rule that makes this enough: a process is deterministic, so what it has
observed is what it is.  ``Actor.observed`` is a hash of the results it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from syncsim.core.atoms import ActorId, Atom, Channel, Semaphore
from syncsim.core.enabled import would_block
from syncsim.core.kinds import MANAGED, Kind, Role, kind_named
from syncsim.core.operation import Operation, Site
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.whereabouts import Whereabouts
from syncsim.core.work import Work


class Life(StrEnum):
    """The stages of the life of a process."""

    STARTING = "starting"  # its parent has started it; it has not reported yet
    ALIVE = "alive"
    ENDED = "ended"


class Actor(Struct, frozen=True, gc=False):
    """One process (or a thread inside one that uses primitives).

    ``pending`` is the operation it has announced and waits to make; without one it is
    running between operations.  ``since`` is the step at which it began to wait there.
    ``call`` is the compound call it is inside of, if any.  ``exitcode`` is negative for
    a signal.  ``reaped`` means its parent has taken notice of its end (joined it).
    ``reaped_by`` is who has done so.  ``method`` is how it was started: ``fork``, ``spawn`` or
    ``forkserver``.
    ``terminated`` means the program itself ended it (``terminate``, ``kill``, a daemon at exit),
    ``killed`` how the person did, or told it to end.  ``stopped`` means a signal has halted it
    until another one continues it.  ``asleep_on`` is, of one that has ended, the primitive on
    which it slept: it is counted there among those to be woken, and never wakes.
    ``is_server`` means it is the server of a manager: it answers calls, and does nothing else.
    ``error`` is the uncaught exception, as ``Type: message``.  ``outside`` means that it does
    something that we do not see, and ``whereabouts`` what that is, where it is known; ``left``
    says where it left our view for good: it became another program there.  ``called`` are the calls
    by which it has forked by itself, or has started or become another program.
    ``library`` marks a thread that is not the program's but the library's: the feeder of a queue.
    Without a pending operation it rests, until its process puts something or somebody makes room
    in the pipe.
    """

    id: ActorId
    name: str
    pid: int
    parent: ActorId | None = None
    daemon: bool = False
    thread: str = ""
    life: Life = Life.STARTING
    pending: Operation | None = None
    call: str = ""
    since: int = 0
    steps: int = 0
    exitcode: int | None = None
    reaped: bool = False
    reaped_by: ActorId | None = None
    method: str = ""
    terminated: bool = False
    killed: Move = Move.GO
    stopped: bool = False
    asleep_on: str = ""
    error: str = ""
    error_site: str = ""
    is_assertion: bool = False
    outside: bool = False
    whereabouts: Whereabouts | None = None
    is_server: bool = False
    observed: int = 0
    library: bool = False
    left: str = ""
    called: tuple[str, ...] = ()

    @property
    def is_main(self) -> bool:
        """The actor is the process in which the program began."""
        return self.id == 0

    @property
    def rests(self) -> bool:
        """The actor is a feeder with nothing to do, or in the middle of sending."""
        return self.library and self.pending is None and not self.ended

    @property
    def ended(self) -> bool:
        """The actor's life is over."""
        return self.life is Life.ENDED

    @property
    def site(self) -> Site | None:
        """Where in the program it stands, as far as that is known."""
        if self.pending is not None:
            return self.pending.site
        return self.whereabouts.site if self.outside and self.whereabouts is not None else None

    @property
    def serves(self) -> bool:
        """The actor is a server that waits to be asked, and does nothing by itself."""
        seen = self.outside and self.whereabouts is not None and self.whereabouts.serves
        return self.is_server or seen

    @property
    def failed(self) -> bool:
        """The actor ended by an uncaught exception, or by a signal that nobody here sent."""
        meant = self.terminated or bool(self.killed)
        return bool(self.error) or (self.signalled and not meant)

    @property
    def was_killed(self) -> bool:
        """A signal that the person sent has ended the actor."""
        return bool(self.killed) and self.signalled

    @property
    def signalled(self) -> bool:
        """A signal ended the actor."""
        return self.exitcode is not None and self.exitcode < 0


class Primitive(Struct, frozen=True):
    """A thing that processes synchronize on, as the program created it.

    ``kind`` is its class (``Lock``, ``Queue``); ``name`` what the source calls it; ``parts``
    are its atoms by role.  ``capacity`` is how many units or items it can have at the most,
    None without bound: the permits of a Semaphore, the ``maxsize`` of a Queue, the parties
    of a Barrier.
    """

    id: str
    kind: str
    name: str
    parts: Mapping[str, str]
    capacity: int | None = None
    file: str = ""
    line: int = 0
    creator: ActorId = 0

    @property
    def sort(self) -> str:
        """The kind without who keeps it: a ``Manager Lock`` is a ``Lock`` kept by a manager."""
        return self.kind.removeprefix(MANAGED)

    @property
    def traits(self) -> Kind:
        """The row of the primitive in the table of kinds."""
        return kind_named(self.kind)

    @property
    def is_managed(self) -> bool:
        """The primitive is kept by the server of a manager."""
        return self.kind.startswith(MANAGED)


class State(Struct, frozen=True):
    """Everything after ``n`` steps.  The mappings are never changed once they are here."""

    n: int = 0
    actors: tuple[Actor, ...] = ()
    atoms: Mapping[str, Atom] = {}
    primitives: Mapping[str, Primitive] = {}
    #: Conditions (by id) that were notified while nobody waited, and the step of the last time.
    lost_notifications: Mapping[str, int] = {}
    #: The atoms that have vanished with the server of a manager: nobody waits there any longer.
    gone: frozenset[str] = frozenset()
    #: At what size the next step is made.
    grain: Grain = Grain.CALL

    def semaphore(self, primitive: Primitive, role: str = Role.LOCK) -> Semaphore:
        """Return the semaphore in that role; raises KeyError for a role it does not have."""
        atom = self.atoms[primitive.parts[role]]
        assert isinstance(atom, Semaphore)
        return atom

    def channel(self, primitive: Primitive) -> Channel:
        """Return the pipe of a Queue or a Pipe."""
        atom = self.atoms[primitive.parts[Role.ITEMS]]
        assert isinstance(atom, Channel)
        return atom

    def work(self, primitive: Primitive) -> Work | None:
        """Return the tasks of a Pool or an executor; None for everything else."""
        atom = self.atoms.get(primitive.parts.get(Role.WORK, ""))
        return atom if isinstance(atom, Work) else None

    def enabled(self, actor: Actor) -> bool:
        """Return whether the actor may make its pending operation now without waiting in it."""
        if actor.pending is None or actor.ended or actor.stopped:
            return False
        return not self.blocked(actor)

    def goes_on_beside(self, stuck: Sequence[ActorId]) -> bool:
        """Return whether somebody goes on who is none of those."""
        return any(
            not (actor.ended or actor.serves or actor.rests or actor.id in stuck)
            for actor in self.actors
        )

    def blocked(self, actor: Actor) -> bool:
        """Return whether the pending operation would block now, also that of a stopped actor."""
        operation = actor.pending
        if operation is None or actor.ended:
            return False
        return would_block(operation, actor.id, self.atoms, self.gone, self._has_ended)

    def _has_ended(self, pid: str) -> bool | None:
        target = self.by_pid(pid)
        return None if target is None else target.ended

    def by_pid(self, pid: str) -> Actor | None:
        """Return the process with that pid (as text); the newest, if the pid has come again."""
        for actor in reversed(self.actors):
            if str(actor.pid) == pid and not actor.thread:
                return actor
        return None

    def choices(self) -> tuple[Choice, ...]:
        """Return what a scheduler may pick, by actor; a timeout only where the call would block.

        (What a person may do besides are ``faults``.)
        """
        choices = []
        for actor in self.actors:
            if actor.pending is None or actor.ended or actor.stopped:
                continue
            if not self.blocked(actor):
                choices.append(Choice(actor.id, grain=self.grain))
            elif actor.pending.can_time_out:
                choices.append(Choice(actor.id, Move.TIME_OUT, self.grain))
        return tuple(choices)

    def holdings(self, actor: Actor) -> tuple[Primitive, ...]:
        """Return the primitives of which the actor holds a unit (a lock, a permit).

        A worker that waits for a task has its turn there, which is no possession until it dies.
        """
        return tuple(
            primitive
            for primitive in self.primitives.values()
            if (actor.ended or Role.WORK not in primitive.parts)
            and any(actor.id in self.holders(primitive, role) for role in primitive.parts)
        )

    def holders(self, primitive: Primitive, role: str = Role.LOCK) -> tuple[ActorId, ...]:
        """Return who holds the part in that role, oldest first; nobody where it cannot be held.

        The counting semaphore inside a Queue is no possession of anybody.
        """
        atom = self.atoms.get(primitive.parts[role])
        if not isinstance(atom, Semaphore) or role == Role.SLOTS:
            return ()
        return atom.holders

    def waiting(self, primitive: Primitive, *roles: str) -> tuple[Actor, ...]:
        """Return who waits at the primitive (in those roles, or in any), longest first."""
        line = [
            actor
            for actor in self.actors
            if actor.pending is not None
            and actor.pending.primitive == primitive.id
            and (not roles or actor.pending.role in roles)
            and self.blocked(actor)
        ]
        return tuple(sorted(line, key=lambda actor: actor.since))
