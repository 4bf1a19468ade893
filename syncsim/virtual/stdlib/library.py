"""A private copy of ``multiprocessing``: CPython's own code over what is virtual.

``context.py``, ``process.py``, ``synchronize.py`` and ``queues.py`` are CPython's, loaded once
more under the same names, with virtual modules where they would meet the operating system.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import signal
import sys
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.process.body import here
from syncsim.virtual.stdlib import (
    chance,
    clock,
    connections,
    managers,
    pickling,
    pools,
    primitives,
    processes,
    procfs,
    queues,
    shared_memory,
)
from syncsim.virtual.stdlib.environment import Environment, Sys
from syncsim.virtual.stdlib.semlock import SemLock

_PACKAGE = "multiprocessing"
_OWN = ("process", "context", "synchronize", "queues")
_MISSING = ("shared_memory", "dummy", "spawn", "forkserver", "popen_fork")


class Missing(ModuleType):
    """A module that the virtual world does not have: whoever uses it is told so."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotVirtualError(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """It may also stand for a class or a function."""
        raise NotVirtualError(self.__name__)


class _Library:
    """The private package, its modules by name."""

    def __init__(self) -> None:
        self.modules = pickling.private
        package = self._module(_PACKAGE)
        package.__path__ = []
        for name in _MISSING:
            self._add(name, Missing(f"{_PACKAGE}.{name}"))
        self._add(
            "reduction", _module_of("reduction", ForkingPickler=pickling, HAVE_SEND_HANDLE=True)
        )
        self._add("util", _util())
        self._add("heap", _module_of("heap", BufferWrapper=primitives.Wrapper))
        self._add("resource_tracker", _module_of("resource_tracker", register=lambda *_: None))
        self._add("connection", _connection())
        self.modules["_multiprocessing"] = _module_of(
            "_multiprocessing", SemLock=SemLock, sem_unlink=lambda name: None
        )
        self.modules["time"] = clock.time_module()
        self.modules["datetime"] = clock.datetime_module()
        self.modules["pickle"] = pickling.pickle_module()
        self.modules["uuid"] = chance.uuid_module()
        # Within a call of the library only what it waits for in vain passes.
        self._time = _module_of(
            "time", monotonic=lambda: here().state.patience, sleep=lambda seconds: None
        )
        self.modules["os"] = os_module()
        self._stand_ins = {f"{_PACKAGE}.pool": pools.stand_ins()}
        self._builtins = dict(vars(builtins), __import__=self._import)
        for name in _OWN:
            self._load(name)
        process, context = self.modules[f"{_PACKAGE}.process"], self.modules[f"{_PACKAGE}.context"]
        processes.install(process, context)
        default: Any = context._default_context
        self._default = default._default_context
        self._add("sharedctypes", shared_memory.module(lambda: default.get_context()))
        synchronize = self.modules[f"{_PACKAGE}.synchronize"]
        primitives.install(synchronize)
        queues.install(self.modules[f"{_PACKAGE}.queues"], synchronize)
        connections.install()
        shared_memory.install()
        names = [name for name in dir(default) if not name.startswith("_")]
        vars(package).update({name: getattr(default, name) for name in names})
        vars(package)["__all__"] = names
        vars(package)["reducer"] = None
        self._load("pool")
        pools.install(self.modules[f"{_PACKAGE}.pool"])
        self._load("managers", managers.builtins_for(self._builtins, self.modules))
        managers.install(self.modules[f"{_PACKAGE}.managers"])

    def default_context(self, method: str) -> Any:
        """The context of a process that has chosen no start method; as Python has it if empty."""
        context: Any = self.modules[f"{_PACKAGE}.context"]
        return context._concrete_contexts[method] if method else self._default

    def _module(self, name: str) -> Any:
        return self.modules.setdefault(name, ModuleType(name))

    def _add(self, name: str, module: ModuleType) -> None:
        self.modules[f"{_PACKAGE}.{name}"] = module
        setattr(self.modules[_PACKAGE], name, module)

    def _load(self, name: str, builtins: dict[str, Any] | None = None) -> None:
        module = ModuleType(f"{_PACKAGE}.{name}")
        module.__package__ = _PACKAGE
        vars(module)["__builtins__"] = builtins or self._builtins
        self._add(name, module)
        exec(_code(name), vars(module))

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,  # noqa: A002
        locals: dict[str, Any] | None = None,  # noqa: A002
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> Any:
        """``import`` inside the package."""
        if level == 1:
            name = f"{_PACKAGE}.{name}" if name else _PACKAGE
        own = self._stand_ins.get((globals or {}).get("__name__", ""), {})
        if name in own:
            return own[name]
        if name == "time":
            return self._time
        if name in self.modules:
            return self.modules[name] if fromlist or level else self.modules[name.split(".")[0]]
        if name.startswith(_PACKAGE):
            raise NotVirtualError(name)
        return builtins.__import__(name, globals, locals, fromlist, 0)


def _code(name: str) -> CodeType:
    """Return the code of that module of the package, which Python keeps compiled."""
    spec = importlib.util.find_spec(f"{_PACKAGE}.{name}")
    assert spec is not None
    loader: Any = spec.loader
    code: CodeType = loader.get_code(spec.name)
    return code


def _module_of(name: str, **content: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(content)
    return module


class _Finalize:
    """In the place of ``util.Finalize``: processes of ours are finalized by hand."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self.args = args

    def cancel(self) -> None:
        """Nothing to do."""

    def __call__(self) -> None:
        """Nothing to do."""


def _util() -> ModuleType:
    def nothing(*args: Any, **keywords: Any) -> None:
        return None

    return _module_of(
        "util",
        register_after_fork=nothing,
        debug=nothing,
        info=nothing,
        sub_debug=nothing,
        sub_warning=nothing,
        is_exiting=lambda: False,
        Finalize=_Finalize,
        _flush_std_streams=nothing,
        get_logger=importlib.import_module("multiprocessing.util").get_logger,
        log_to_stderr=nothing,
    )


def _connection() -> ModuleType:
    return _module_of(
        "connection",
        Pipe=connections.Pipe,
        Connection=connections.Connection,
        wait=connections.wait,
        Listener=Missing("multiprocessing.connection.Listener"),
        Client=Missing("multiprocessing.connection.Client"),
    )


def without(module: ModuleType, *names: str) -> ModuleType:
    """A copy of the module in which to call one of those functions is refused."""

    def missing(name: str) -> Any:
        def call(*args: Any, **keywords: Any) -> Any:
            raise NotVirtualError(f"{module.__name__}.{name}")

        return call

    copy = ModuleType(module.__name__)
    vars(copy).update(vars(module), **{name: missing(name) for name in names})
    return copy


def os_module() -> ModuleType:
    """``os`` for a process: what is known of it is virtual, what would reach out is missing."""
    import os

    module = without(
        os,
        "fork", "forkpty", "execv", "execve", "execl", "execle", "execlp", "execlpe", "execvp",
        "execvpe", "posix_spawn", "posix_spawnp", "system", "popen", "killpg", "pipe", "wait",
        "wait3", "wait4", "waitid", "waitpid", "pidfd_open", "abort", "spawnv", "spawnve", "spawnl",
        "dup2", "close", "closerange",
    )  # fmt: skip
    procfs.guard(module)
    vars(module)["getpid"] = lambda: here().pid
    vars(module)["getppid"] = lambda: here().parent_pid
    vars(module)["_exit"] = processes.leave_at_once
    vars(module)["kill"] = processes.send_signal
    vars(module)["urandom"] = chance.urandom
    vars(module)["environ"] = names = Environment()
    vars(module)["getenv"] = names.get
    vars(module)["putenv"] = vars(module)["unsetenv"] = lambda *_: None  # seen by nobody here
    vars(module)["sched_yield"] = lambda: None
    return module


@lru_cache(maxsize=1)
def library() -> _Library:
    """The private package; made once."""
    return _Library()


@lru_cache(maxsize=1)
def signal_module() -> ModuleType:
    """``signal`` with the names of the signals alone: nothing interrupts a process here."""
    functions = [
        name
        for name, value in vars(signal).items()
        if callable(value) and not isinstance(value, type)
    ]
    return without(signal, *functions)


def sys_module(argv: list[str], stdout: Any, stderr: Any, path: list[str]) -> ModuleType:
    """``sys`` for a process."""
    module = Sys("sys")
    vars(module).update(vars(sys))
    vars(module).update(
        argv=argv, stdout=stdout, stderr=stderr, __stdout__=stdout, __stderr__=stderr, path=path
    )
    return module
