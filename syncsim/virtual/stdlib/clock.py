"""The clock of a process: its own, which goes on by what it slept and waited in vain.

Whoever asks what time it is, is noted: no order of operations decides what it might have been.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from syncsim.core.operation import Verb
from syncsim.virtual.process.body import here


def now() -> float:
    """Return the seconds since the process was born."""
    return here().now()


def _now_ns() -> int:
    return int(now() * 1e9)


def _sleep(seconds: float, /) -> None:
    if not isinstance(seconds, int | float) or seconds < 0:
        time.sleep(seconds)  # raises what is to be raised
    body = here()
    body.operate(Verb.SLEEP, name="sleep", detail=f"{seconds:g}")
    body.state.clock += seconds


def time_module() -> ModuleType:
    """``time`` for a process: it sleeps without waiting."""
    module = ModuleType("time")
    names = vars(module)
    names.update(vars(time))
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        names[name] = now
        names[f"{name}_ns"] = _now_ns
    names["sleep"] = _sleep

    def of_now(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda seconds=None, /: real(now() if seconds is None else seconds)

    local = names["localtime"] = of_now(time.localtime)
    names["gmtime"], names["ctime"] = of_now(time.gmtime), of_now(time.ctime)
    names["asctime"] = lambda when=None, /: time.asctime(when or local())
    names["strftime"] = lambda form, when=None, /: time.strftime(form, when or local())
    return module


class _Kind(type):
    """The class of a stand-in for a real class: instances of the real one count as its own."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, _REAL.get(cls, ())) or type.__instancecheck__(cls, value)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _REAL.get(cls, ())) or type.__subclasscheck__(cls, kind)


class _Date(datetime.date, metaclass=_Kind):
    def __repr__(self) -> str:
        return _full_name(self, super().__repr__())

    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(now())


class _Datetime(datetime.datetime, metaclass=_Kind):
    def __repr__(self) -> str:
        return _full_name(self, super().__repr__())

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(now(), tz)

    @classmethod
    def today(cls) -> Any:
        return cls.fromtimestamp(now())

    @classmethod
    def utcnow(cls) -> Any:
        return cls.fromtimestamp(now(), datetime.UTC).replace(tzinfo=None)

    def date(self) -> Any:
        return _Date(self.year, self.month, self.day)


def _full_name(value: Any, text: str) -> str:
    """A class in C has its module in its name, one of Python not."""
    return f"datetime.{text}" if type(value) in _REAL else text


_REAL: dict[type, type] = {_Date: datetime.date, _Datetime: datetime.datetime}


def datetime_module() -> ModuleType:
    """``datetime``, whose today and now are those of the process."""
    module = ModuleType("datetime")
    vars(module).update(vars(datetime), date=_Date, datetime=_Datetime)
    kind: Any
    for kind, real in _REAL.items():
        kind.__module__, kind.__name__, kind.__qualname__ = "datetime", real.__name__, real.__name__
        for end in ("min", "max"):
            setattr(kind, end, kind.fromisoformat(vars(real)[end].isoformat()))
    return module
