"""Chance: random numbers, secrets, unique names.

Each comes from a source that draws the same whenever the process lives again; that it was asked is
noted, for no order of operations decides what it might have been.
"""

from __future__ import annotations

import random
import sys
import uuid
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

from syncsim.program.ownership import is_library
from syncsim.virtual.process.body import chances, here

#: What nobody can foresee, for a person.
NUMBERS = "random numbers without a seed"
#: How names are made that are unique; the number is their version, by RFC 9562.
_UNIQUE = {"uuid1": 1, "uuid4": 4, "uuid6": 6, "uuid7": 7, "uuid8": 8}


class Chance(random.Random):
    """A ``Random`` that without a seed draws the same in every run, and notes that."""

    def __init__(self, x: Any = None) -> None:
        super().__init__(x)

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Without one, that of all who have none."""
        self.seeded = a is not None
        super().seed(a if self.seeded else 0, version)

    def random(self) -> float:
        """The next one."""
        self._note()
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        """The next bits."""
        self._note()
        return super().getrandbits(k)

    def _note(self) -> None:
        if not self.seeded:
            chances.add(NUMBERS)

    def __reduce__(self) -> Any:
        return type(self), (), (self.seeded, self.getstate())

    def __setstate__(self, state: Any) -> None:
        self.seeded, inner = state
        self.setstate(inner)


class SystemChance(random.SystemRandom):
    """A ``SystemRandom``, which asks the operating system."""

    def random(self) -> float:
        """The next one."""
        return _system().random()

    def getrandbits(self, k: int, /) -> int:
        """The next bits."""
        return _system().getrandbits(k)

    def __reduce__(self) -> Any:
        return type(self), ()


def _system() -> random.Random:
    """Return what the operating system gives this process next."""
    chances.add(NUMBERS)
    body = here()
    body.state.drawn += 1
    return random.Random(f"{body.who.key} {body.state.drawn}")


def urandom(size: int, /) -> bytes:
    """Stand in for that of ``os``; the library's own keys are no chance for the program."""
    library = is_library(sys._getframe(1).f_code)
    return (random.Random(size) if library else _system()).randbytes(size)


def random_module() -> ModuleType:
    """``random`` for a process."""
    module = ModuleType("random")
    vars(module).update(vars(random), Random=Chance, SystemRandom=SystemChance)
    source = Chance()
    for name in dir(source):
        bound = getattr(source, name)
        if not name.startswith("_") and callable(bound) and hasattr(random, name):
            vars(module)[name] = bound
    return module


@lru_cache(maxsize=1)
def secrets_module() -> ModuleType:
    """``secrets``: CPython's own functions over another source."""
    import secrets  # only for who asks: it loads OpenSSL

    module, source = ModuleType("secrets"), SystemChance()
    names = vars(module)
    names.update(vars(secrets), SystemRandom=SystemChance, _sysrand=source)
    for name, value in vars(secrets).items():
        if isinstance(value, FunctionType) and value.__module__ == "secrets":
            names[name] = FunctionType(value.__code__, names, name, value.__defaults__)
        elif getattr(value, "__self__", None) is vars(secrets)["_sysrand"]:
            names[name] = getattr(source, value.__name__)
    return module


def uuid_module() -> ModuleType:
    """``uuid``, whose unique names are unique among those of this world."""
    module = ModuleType("uuid")
    vars(module).update(vars(uuid))

    def maker(version: int) -> Any:
        def make(*_: Any, **__: Any) -> uuid.UUID:
            number = _system().getrandbits(128) & ~(0xF << 76 | 0x3 << 62)
            return uuid.UUID(int=number | version << 76 | 0x2 << 62)

        return make

    for name, version in _UNIQUE.items():
        if hasattr(uuid, name):
            vars(module)[name] = maker(version)
    return module
