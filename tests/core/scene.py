"""A run that is told by hand: a recorder, some processes and primitives, and what they do."""

from __future__ import annotations

from msgspec.structs import replace

from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.deadlock.verdict import Diagnosis, diagnose
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.core.steps import Step

FIRST_PID = 1000
MOST = 2**31 - 1


class Scene:
    """Processes by name, the first of them the parent of the others."""

    def __init__(self, *names: str) -> None:
        self.steps: list[Step] = []
        self.recorder = Recorder(self.steps.append)
        for name in names:
            self.born(name, parent=0 if self.recorder.actors else None)

    @property
    def state(self) -> State:
        return self.recorder.state

    @property
    def diagnosis(self) -> Diagnosis:
        return diagnose(self.state)

    def actor(self, name: str) -> Actor:
        return next(actor for actor in self.recorder.state.actors if actor.name == name)

    def born(self, name: str, parent: int | None = 0, **fields: object) -> Actor:
        number = len(self.recorder.actors)
        actor = Actor(number, name, FIRST_PID + number, parent=parent, life=Life.ALIVE)
        self.recorder.add(replace(actor, **fields))
        return self.recorder.actors[number]

    # -- primitives ----------------------------------------------------------------------

    def make(
        self, kind: str, name: str, atoms: dict[str, Atom], capacity: int | None = None
    ) -> Primitive:
        parts = {role: f"{name}/{role}" for role in atoms}
        primitive = Primitive(f"{kind} {name}", kind, name, parts, capacity)
        self.recorder.create(primitive, {f"{name}/{role}": atom for role, atom in atoms.items()})
        return primitive

    def lock(self, name: str) -> Primitive:
        return self.make("Lock", name, {"lock": Semaphore(1, 1)})

    def rlock(self, name: str) -> Primitive:
        return self.make("RLock", name, {"lock": Semaphore(1, 1, recursive=True)})

    def semaphore(self, name: str, value: int) -> Primitive:
        permits = Semaphore(value, MOST, resource=value > 0)
        return self.make("Semaphore", name, {"permits": permits}, value)

    def condition(self, name: str, kind: str = "Condition") -> Primitive:
        signal = Semaphore(0, MOST, resource=False)
        lock = Semaphore(1, 1, recursive=kind == "Condition")
        own = {"flag": signal} if kind == "Event" else {}
        return self.make(
            kind, name, {**own, "lock": lock, "sleeping": signal, "woken": signal, "wait": signal}
        )

    def queue(self, name: str, size: int = 0, kind: str = "Queue") -> Primitive:
        atoms: dict[str, Atom] = {
            "slots": Semaphore(size or MOST, size or MOST),
            "items": Channel(),
            "get lock": Semaphore(1, 1),
            "put lock": Semaphore(1, 1),
        }
        return self.make(kind, name, atoms, size or None)

    def value(self, name: str, text: str = "0") -> Primitive:
        lock = Semaphore(1, 1, recursive=True)
        return self.make("Value", name, {"value": Cell(text), "lock": lock})

    # -- what happens --------------------------------------------------------------------

    def wants(self, who: str, operation: Operation) -> None:
        """Announces it, and has not made it yet."""
        self.recorder.announce(self.actor(who).id, operation)

    def does(self, who: str, operation: Operation, result: str | None = None) -> str:
        """Announces it and makes it."""
        actor = self.actor(who).id
        self.recorder.announce(actor, operation)
        return self.recorder.effect(actor, operation, result)

    def takes(self, who: str, primitive: Primitive) -> str:
        return self.does(who, acquire(primitive))

    def gives(self, who: str, primitive: Primitive) -> str:
        return self.does(who, release(primitive))

    def waits(self, who: str, primitive: Primitive, timeout: float | None = None) -> None:
        """Has reached an acquire and stands there."""
        self.wants(who, acquire(primitive, timeout=timeout))

    def joins(self, who: str, target: str) -> None:
        """Has reached the join of that process."""
        self.wants(who, join(self.actor(target)))

    def ends(self, who: str, exitcode: int | None = 0, *, reaped: bool = True) -> None:
        """The process is gone, and its parent knows."""
        actor = self.actor(who).id
        self.recorder.end(actor, exitcode)
        self.recorder.change(actor, reaped=reaped)

    def sleeps_on(self, who: str, condition: Primitive) -> None:
        """Is inside ``Condition.wait`` and waits to be woken."""
        self.wants(who, act(condition, Verb.ACQUIRE, "wait", "wait", compound=True))

    def notifies(self, who: str, condition: Primitive, *, wakes: bool) -> None:
        """Calls ``Condition.notify``; nobody is woken unless told so."""
        look = act(condition, Verb.VALUE, "sleeping", "notify", compound=True)
        self.does(who, look, "0")
        if wakes:
            self.does(who, act(condition, Verb.RELEASE, "wait", "notify", compound=True))
        self.recorder.back(self.actor(who).id, "None")


def act(
    primitive: Primitive,
    verb: Verb,
    role: str,
    call: str = "",
    *,
    compound: bool = False,
    timeout: float | None = None,
    blocking: bool = True,
    detail: str = "",
    site: Site | None = None,
) -> Operation:
    """An operation on the part of a primitive that has this role."""
    return Operation(
        verb=verb,
        atom=primitive.parts[role],
        call=f"{primitive.kind}.{call or verb}",
        primitive=primitive.id,
        role=role,
        site=site,
        compound=compound,
        timeout=timeout,
        blocking=blocking,
        detail=detail,
    )


def acquire(primitive: Primitive, timeout: float | None = None) -> Operation:
    """The acquire of a lock or of a permit."""
    role = "permits" if "permits" in primitive.parts else "lock"
    return act(primitive, Verb.ACQUIRE, role, timeout=timeout)


def release(primitive: Primitive) -> Operation:
    """The release of a lock or of a permit."""
    role = "permits" if "permits" in primitive.parts else "lock"
    return act(primitive, Verb.RELEASE, role)


def join(target: Actor) -> Operation:
    """The join of that process."""
    return Operation(Verb.JOIN, str(target.pid), call="Process.join", detail=target.name)


def philosophers(*names: str) -> Scene:
    """Each holds the fork of his number and waits for the next one's; main joins the first."""
    scene = Scene("main", *names)
    forks = [scene.lock(f"forks[{n}]") for n in range(len(names))]
    for name, fork in zip(names, forks, strict=True):
        scene.takes(name, fork)
    for n, name in enumerate(names):
        scene.waits(name, forks[(n + 1) % len(names)])
    scene.joins("main", names[0])
    return scene
