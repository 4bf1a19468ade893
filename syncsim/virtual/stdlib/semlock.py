"""A virtual ``_multiprocessing.SemLock``: CPython's own ``synchronize.py`` runs over it."""

from __future__ import annotations

import sys
from typing import Any

from syncsim.core.atoms import SEM_VALUE_MAX, Semaphore
from syncsim.core.kinds import Role
from syncsim.core.operation import Verb
from syncsim.program.ownership import is_library
from syncsim.virtual.process.body import here

_RECURSIVE = 0
_ERRORS = {
    "ValueError": ValueError("semaphore or lock released too many times"),
    "AssertionError": AssertionError("attempt to release recursive lock not owned by thread"),
}


class SemLock:
    """A ``SemLock`` like the real one (``Modules/_multiprocessing/semaphore.c``).

    Its value is that of the system; how often *this* process has taken it knows the process itself.
    """

    _syncsim_shared = True
    SEM_VALUE_MAX = SEM_VALUE_MAX

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        self.kind = kind
        self.maxvalue = maxvalue
        self.name = None
        self.handle = 0
        self.value = value
        self.key = here().new_atom()
        # How often a process has it is asked of a lock alone.  Of a semaphore that one takes and
        # another gives, the number would never come back to what it was.
        self.counted = kind == _RECURSIVE or maxvalue == 1

    def _syncsim_key(self) -> str:
        return self.key

    @property
    def atom(self) -> Semaphore:
        """Return the atom that it begins as."""
        return Semaphore(self.value, self.maxvalue, self.kind == _RECURSIVE, self.value > 0)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Do as the real one does."""
        body = here()
        if timeout is not None and timeout <= 0:
            block = False
        got: bool = body.operate(
            Verb.ACQUIRE, self.key, block=bool(block), timeout=timeout if block else None
        )
        if got:
            self._add(1)
        elif timeout is not None and block:
            body.waited(timeout)
        return got

    def release(self) -> None:
        """Do as the real one does; raise what it raises."""
        body = here()
        error = body.operate(Verb.RELEASE, self.key)
        if error is not None:
            raise type(_ERRORS[error])(*_ERRORS[error].args)
        self._add(-1)

    def _add(self, units: int) -> None:
        if self.counted:
            counts = here().state.counts
            counts[self.key] = counts.get(self.key, 0) + units

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *args: object) -> None:
        self.release()

    def _count(self) -> int:
        return max(0, here().state.counts.get(self.key, 0))

    def _is_mine(self) -> bool:
        return self._count() > 0

    def _get_value(self) -> int:
        return self._look()

    def _is_zero(self) -> bool:
        return self._look() == 0

    def _look(self) -> int:
        body = here()
        # The library looks where that is no step; the program itself may wait by it.
        silent = body.state.call is None and is_library(sys._getframe(2).f_code)
        value: int = body.operate(Verb.VALUE, self.key, silent=silent)
        return value

    def _after_fork(self) -> None:
        here().state.counts.pop(self.key, None)


def part(lock: Any) -> tuple[str, Semaphore, None]:
    """The semaphore of a lock, as a part of a primitive."""
    semaphore: SemLock = lock._semlock
    return semaphore.key, semaphore.atom, None


def permits(semaphore: Any) -> tuple[str, Semaphore, None]:
    """The semaphore of what may be taken by one and given by another: nobody asks who has it."""
    semaphore._semlock.counted = False
    return part(semaphore)


def condition_parts(condition: Any) -> dict[str, tuple[str, Semaphore, None]]:
    """The four semaphores of which a Condition is made."""
    condition._lock._semlock.counted = True
    return {
        Role.LOCK: part(condition._lock),
        Role.SLEEPING: part(condition._sleeping_count),
        Role.WOKEN: part(condition._woken_count),
        Role.WAIT: part(condition._wait_semaphore),
    }
