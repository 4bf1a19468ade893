"""The primitives made of semaphores alone: which parts they have, which calls they offer."""

from __future__ import annotations

from typing import Any

from syncsim.real.gate import Gate
from syncsim.real.probes.calls import introduce, mark
from syncsim.real.probes.library import synchronize
from syncsim.real.probes.semlock import RealSemLock, condition_parts, part


def install(gate: Gate) -> None:
    """Introduces the classes of ``multiprocessing.synchronize``."""
    for lock in (synchronize.Lock, synchronize.RLock):
        introduce(gate, lock, _own_key, lambda self: [part("lock", self)])
    for semaphore in (synchronize.Semaphore, synchronize.BoundedSemaphore):
        introduce(gate, semaphore, _own_key, lambda self: [part("permits", self)], _permits)
    mark(gate, synchronize.Semaphore, "get_value")
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
        lambda event: [part("flag", event._flag), *condition_parts(event._cond)],
    )
    introduce(
        gate,
        synchronize.Barrier,
        lambda barrier: f"barrier {barrier._cond._wait_semaphore._semlock.key}",
        lambda barrier: condition_parts(barrier._cond),
        lambda barrier: barrier._parties,
    )
    for cls, methods in (
        (synchronize.Condition, ("wait", "wait_for", "notify", "notify_all")),
        (synchronize.Event, ("is_set", "set", "clear", "wait")),
        (synchronize.Barrier, ("wait", "reset", "abort")),
    ):
        for method in methods:
            mark(gate, cls, method)


def _own_key(lock: Any) -> str:
    key: str = lock._semlock.key
    return key


def _permits(semaphore: Any) -> int | None:
    return RealSemLock._get_value(semaphore._semlock) or None
