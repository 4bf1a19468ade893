"""The primitives made of semaphores alone: the private ``synchronize.py`` gets its marks."""

from __future__ import annotations

import functools
from typing import Any

from syncsim.core.atoms import Semaphore
from syncsim.core.kinds import MADE_OF_SEMAPHORES, SINGLE_SEMAPHORES, Role
from syncsim.core.operation import Verb
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.data_atoms import SharedMemory
from syncsim.virtual.process.body import here
from syncsim.virtual.stdlib.calls import introduce, mark
from syncsim.virtual.stdlib.semlock import condition_parts, part, permits


def install(synchronize: Any) -> None:
    """Mark the private classes, as ``instrument/probes/primitives`` does the real ones."""
    for kind in SINGLE_SEMAPHORES:
        if hasattr(synchronize, kind.name):  # not every Python has every class
            _introduce_single(getattr(synchronize, kind.name), *kind.roles)
    if hasattr(synchronize.SemLock, "locked"):  # from 3.14 on
        mark(synchronize.SemLock, "locked", name="Lock.locked")
    introduce(
        synchronize.Condition,
        lambda condition: f"condition {condition._wait_semaphore._semlock.key}",
        condition_parts,
    )
    introduce(
        synchronize.Event,
        lambda event: f"event {event._flag._semlock.key}",
        lambda event: {Role.FLAG: part(event._flag), **condition_parts(event._cond)},
    )
    introduce(
        synchronize.Barrier,
        lambda barrier: f"barrier {barrier._cond._wait_semaphore._semlock.key}",
        _barrier_parts,
        lambda barrier: barrier._parties,
    )
    for kind in MADE_OF_SEMAPHORES:
        if hasattr(synchronize, kind.name):
            for method in kind.marked:
                mark(getattr(synchronize, kind.name), method)
    synchronize.SemLock._syncsim_shared = True
    _refuse_others(synchronize.SemLock)


def _refuse_others(semlock: Any) -> None:
    """Refuse subclasses of ``SemLock`` that nothing introduces: they have no atom."""
    original = semlock.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        if not hasattr(type(self), "_syncsim_id"):
            raise NotVirtualError(f"{type(self).__name__}, a SemLock of the program's own")
        original(self, *args, **keywords)

    semlock.__init__ = init


def _introduce_single(cls: Any, role: Role) -> None:
    if role is Role.PERMITS:
        introduce(cls, _own_key, lambda self: {role: permits(self)}, _permits)
    else:
        introduce(cls, _own_key, lambda self: {role: part(self)})


def _own_key(lock: Any) -> str:
    key: str = lock._semlock.key
    return key


def _permits(semaphore: Any) -> int | None:
    return semaphore._semlock.value or None


class Wrapper:
    """In the place of ``heap.BufferWrapper``: the two numbers that a Barrier keeps in memory.

    Written, and mostly read, under its lock, where they are no steps.  ``n_waiting`` and
    ``broken`` read them without it.
    """

    _syncsim_shared = True

    def __init__(self, size: int) -> None:
        self.keys = [here().new_atom() for _ in range(size // 4)]

    def create_memoryview(self) -> Wrapper:
        """Itself."""
        return self

    def cast(self, form: str) -> Wrapper:
        """Itself."""
        return self

    def __getitem__(self, at: int) -> int:
        body = here()
        if body.state.silent:
            return 0
        value: int = body.operate(Verb.READ, self.keys[at], silent=body.state.call is not None)
        return value

    def __setitem__(self, at: int, value: int) -> None:
        body = here()
        if not body.state.silent:
            body.operate(Verb.WRITE, self.keys[at], payload=value, silent=True)


def _barrier_parts(barrier: Any) -> dict[str, Any]:
    parts: dict[str, Any] = dict(condition_parts(barrier._cond))
    for role, key in zip((Role.PHASE, Role.COUNT), barrier._wrapper.keys, strict=True):
        parts[role] = (key, Semaphore(0, 0), SharedMemory(0))
    return parts
