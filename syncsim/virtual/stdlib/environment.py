"""The environment of a process, and its ``sys``: its own, as its parent's were at its birth."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from types import ModuleType
from typing import Any

from syncsim.virtual.process.body import current, here


class Environment(MutableMapping[str, str]):
    """``os.environ``, of whichever process is running."""

    _syncsim_shared = True

    def __getitem__(self, name: str) -> str:
        return self._seen[_text(name)]

    def __setitem__(self, name: str, value: str) -> None:
        self._own()[_text(name)] = _text(value)

    def __delitem__(self, name: str) -> None:
        del self._own()[_text(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._seen))

    def __len__(self) -> int:
        return len(self._seen)

    def __repr__(self) -> str:
        return f"environ({self.copy()!r})"

    def __or__(self, other: Mapping[str, str]) -> dict[str, str]:
        return self.copy() | dict(other)

    def __ror__(self, other: Mapping[str, str]) -> dict[str, str]:
        return dict(other) | self.copy()

    def __ior__(self, other: Any) -> Environment:  # type: ignore[misc]
        self.update(other)
        return self

    def copy(self) -> dict[str, str]:
        """Return the environment as a dict."""
        return dict(self._seen)

    @property
    def _seen(self) -> Mapping[str, str]:
        changed = here().memory.environment
        return os.environ if changed is None else changed

    def _own(self) -> dict[str, str]:
        """Return the variables that the current process may change."""
        memory = here().memory
        if memory.environment is None:
            memory.environment = dict(os.environ)
        return memory.environment


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"str expected, not {type(value).__name__}")
    return value


#: What programs change without setting it anew.
_LISTS = ("argv", "path")


class Sys(ModuleType):
    """``sys``: what a process changes there, it changes for itself."""

    def __getattribute__(self, name: str) -> Any:
        if current() is None:
            return super().__getattribute__(name)
        own = _changed()
        if name in own and name != "__dict__":
            return own[name]
        value = super().__getattribute__(name)
        if name in _LISTS:
            value = list(value)
            setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        vars(here().memory.modules.setdefault("sys", ModuleType("sys")))[name] = value


def replaced(name: str) -> Any:
    """Return what the running process has put in that place of its ``sys``; None if nothing."""
    return _changed().get(name)


def _changed() -> Mapping[str, Any]:
    """Return what the running process has changed of its ``sys``."""
    module = here().memory.modules.get("sys")
    return {} if module is None else vars(module)
