"""The primitives made of semaphores alone: which parts they have, which calls they offer."""

from __future__ import annotations

from typing import Any

from syncsim.core.kinds import MADE_OF_SEMAPHORES, SINGLE_SEMAPHORES, Role
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes.calls import introduce, mark
from syncsim.instrument.probes.library import synchronize
from syncsim.instrument.probes.semlock import RealSemLock, condition_parts, part
from syncsim.instrument.probes.tracebacks import unseen


def install(gate: Gate) -> None:
    """Introduces the classes of ``multiprocessing.synchronize``."""
    for kind in SINGLE_SEMAPHORES:
        _introduce_single(gate, kind.name, *kind.roles)
    if hasattr(synchronize.SemLock, "locked"):  # from 3.14 on
        mark(gate, synchronize.SemLock, "locked", name="Lock.locked")
    introduce(
        gate,
        synchronize.Condition,
        lambda condition: f"condition {condition._wait_semaphore._semlock.key}",
        condition_parts,
    )
    introduce(
        gate,
        synchronize.Event,
        lambda event: f"event {event._flag._semlock.key}",
        lambda event: [part(Role.FLAG, event._flag), *condition_parts(event._cond)],
    )
    introduce(
        gate,
        synchronize.Barrier,
        lambda barrier: f"barrier {barrier._cond._wait_semaphore._semlock.key}",
        lambda barrier: condition_parts(barrier._cond),
        lambda barrier: barrier._parties,
    )
    for kind in MADE_OF_SEMAPHORES:
        for method in kind.marked:
            mark(gate, getattr(synchronize, kind.name), method)
    for name in ("_state", "_count"):
        setattr(synchronize.Barrier, name, _looked_at(gate, getattr(synchronize.Barrier, name)))


def _introduce_single(gate: Gate, name: str, role: Role) -> None:
    capacity = _permits if role is Role.PERMITS else _unbounded
    cls = getattr(synchronize, name)
    introduce(gate, cls, _own_key, lambda self: [part(role, self)], capacity)


def _looked_at(gate: Gate, memory: Any) -> property:
    """A number that a Barrier keeps in memory: to read it without the lock is a step."""

    @unseen
    def get(self: Any) -> Any:
        if not gate.applies() or gate.here.call is not None:
            return memory.fget(self)
        lock = self._cond._lock._semlock.key
        return gate.take(Verb.READ, lock, lambda: memory.fget(self), "Barrier.read")

    return property(get, memory.fset)


def _own_key(lock: Any) -> str:
    key: str = lock._semlock.key
    return key


def _unbounded(lock: Any) -> None:
    """Return that there is no capacity: only one can have it."""


def _permits(semaphore: Any) -> int | None:
    return RealSemLock._get_value(semaphore._semlock) or None
