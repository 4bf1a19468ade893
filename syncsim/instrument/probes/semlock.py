"""The one wrapped type: ``_multiprocessing.SemLock``, under every lock there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncsim.core.kinds import Role
from syncsim.core.operation import RELEASE, Verb
from syncsim.instrument.probes.library import c_module, synchronize
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.tracebacks import without_ours
from syncsim.wire import LinesUp

if TYPE_CHECKING:
    from syncsim.instrument.gate import Gate

RealSemLock: Any = c_module.SemLock


class SemLock(RealSemLock):  # type: ignore[misc]
    """CPython's own SemLock, through the gate.  ``key`` names it in every process of the run.

    One that is ``hidden`` (only feeder threads share it) is ``watched`` under the X-ray alone: from
    an acquire on until it is given back.
    """

    __slots__ = ("_acquire", "_release", "hidden", "key", "watched")
    gate: Gate

    def __new__(cls, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> SemLock:
        """Do as the real one does (which forgets the name when it unlinks at once)."""
        self: SemLock = RealSemLock.__new__(cls, kind, value, maxvalue, name, unlink)
        self._bind(name)
        return self

    @classmethod
    def _rebuild(cls, handle: int, kind: int, maxvalue: int, name: str) -> SemLock:
        self: SemLock = super()._rebuild(handle, kind, maxvalue, name)
        self._bind(name)
        return self

    def _bind(self, name: str) -> None:
        self.key = name
        self.hidden = False
        self.watched = True
        self._acquire = super().acquire
        self._release = super().release

    def hide(self) -> None:
        """Only feeder threads share it."""
        self.hidden = True
        self.watched = False

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Do as the real one does."""
        gate = self.gate
        try:
            if self.hidden:
                self.watched = gate.xrayed
                if not self.watched and gate.shut and gate.applies():
                    gate.write(LinesUp(gate.pid, self.key))
            if not self.watched or not gate.applies():
                return self._acquire(block, timeout)  # type: ignore[no-any-return]
            return gate.acquire(self.key, self._acquire, block, timeout)
        except BaseException as error:
            error.__traceback__ = without_ours(error.__traceback__)
            raise

    def release(self) -> None:
        """Do as the real one does."""
        gate = self.gate
        try:
            told = self.watched and gate.applies() and gate.give(RELEASE, self.key)
            try:
                self._release()
            except (AssertionError, ValueError) as error:
                if told:
                    gate.refused(RELEASE, self.key, error)
                raise
        except BaseException as error:
            error.__traceback__ = without_ours(error.__traceback__)
            raise

    __enter__ = acquire

    def __exit__(self, *args: object) -> None:
        self.release()

    def _get_value(self) -> int:
        return self._look(super()._get_value)  # type: ignore[no-any-return]

    def _is_zero(self) -> bool:
        return self._look(super()._is_zero)  # type: ignore[no-any-return]

    def _look(self, real: Callable[[], Any]) -> Any:
        """To look at the value is an operation where the program does it, or a call of its."""
        gate = self.gate
        if not gate.applies():
            return real()
        if gate.here.call is None and gate.code.is_asked_by_library(2):
            return real()
        return gate.take(Verb.VALUE, self.key, real)


def part(role: str, lock: Any) -> Part:
    """The semaphore of a lock, as part of a primitive."""
    semaphore = lock._semlock
    recursive = semaphore.kind == synchronize.RECURSIVE_MUTEX
    return Part(
        role,
        semaphore.key,
        "recursive" if recursive else "semaphore",
        RealSemLock._get_value(semaphore),
        semaphore.maxvalue,
        address=semaphore.handle,
    )


def condition_parts(condition: Any) -> list[Part]:
    """The four semaphores of which a Condition is made."""
    return [
        part(Role.LOCK, condition._lock),
        part(Role.SLEEPING, condition._sleeping_count),
        part(Role.WOKEN, condition._woken_count),
        part(Role.WAIT, condition._wait_semaphore),
    ]


def install(gate: Gate) -> None:
    """Put our SemLock in the place of the real one."""
    SemLock.gate = gate
    c_module.SemLock = SemLock
