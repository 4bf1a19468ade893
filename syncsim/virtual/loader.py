"""A program on its way into the virtual world: its text, its imports, its main process."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import itertools
import os
import sys
from collections.abc import Hashable
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from syncsim.program.ownership import root
from syncsim.program.source import Program
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import FIRST_PID, Seed, Told
from syncsim.virtual.process.body import ProcessBody, Who, here, running
from syncsim.virtual.process.private_memory import PrivateMemory
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.chance import random_module, secrets_module
from syncsim.virtual.stdlib.files import open_file
from syncsim.virtual.stdlib.library import Missing, library, signal_module, sys_module, without
from syncsim.virtual.stdlib.manager_server import ServerBody
from syncsim.virtual.stdlib.output import Stream, input_here, print_here
from syncsim.virtual.stdlib.processes import Children, come_to_an_end, live_as_child, live_as_main

#: Modules that reach out of the process past multiprocessing.
_OUTSIDE = (
    "asyncio", "concurrent", "_thread", "select", "selectors", "socket", "socketserver",
    "subprocess", "fcntl", "pty",
)  # fmt: skip


class Identity:
    """The global variables of the private package that belong to one process."""

    _syncsim_shared = True

    def __init__(self, current: Any, method: Any, default: Any) -> None:
        self._method = method
        self._default = default
        self._counter = itertools.count(1)
        self.children = Children()
        self._own = {
            "_current_process": current,
            "_parent_process": None,
            "_process_counter": self._counter,
            "_children": self.children,
        }
        self._before: tuple[dict[str, Any], Any] = {}, None

    def key(self) -> Hashable:
        """Return what its children are, and what the names and kind of future ones depend on."""
        children = [
            (child.name, child.daemon, child._popen.pid, child._popen.returncode)
            for child in self.children
        ]
        return tuple(children), repr(self._counter), type(self.method).__name__

    def enter(self) -> None:
        """Install the globals of this process, which runs now."""
        process, default = _globals()
        self._before = {name: process[name] for name in self._own}, default["_actual_context"]
        process |= self._own
        default["_actual_context"] = self._method
        default["_default_context"] = self._default

    def leave(self) -> None:
        """Remove the globals of this process, which runs no longer."""
        process, default = _globals()
        self._method = default["_actual_context"]
        own, default["_actual_context"] = self._before
        process |= own

    @property
    def current(self) -> Any:
        """The process object."""
        return self._own["_current_process"]

    def become(self, current: Any) -> None:
        """Set the process object, once it has been unpickled."""
        self._own["_current_process"] = _globals()[0]["_current_process"] = current

    @property
    def method(self) -> Any:
        """The start method that the process has chosen, as a context."""
        return _globals()[1].get("_actual_context")


@lru_cache(maxsize=1)
def _globals() -> tuple[dict[str, Any], dict[str, Any]]:
    modules = library().modules
    context: Any = modules["multiprocessing.context"]
    return vars(modules["multiprocessing.process"]), vars(context._default_context)


class VirtualProgram:
    """The program, ready to be run any number of times."""

    _syncsim_shared = True

    def __init__(self, program: Program) -> None:
        self.program = program
        self._folder = os.path.dirname(os.path.abspath(program.path))
        self._code = compile(program.text, str(program.path), "exec", dont_inherit=True)
        self._library = library()
        self._builtins = dict(
            vars(builtins),
            __import__=self._import,
            open=open_file,
            print=print_here,
            input=input_here,
        )
        stdout, stderr = Stream("stdout"), Stream("stderr")
        argv = [str(program.path), *program.arguments]
        self.sys = sys_module(argv, stdout, stderr, [self._folder, *sys.path[1:]])
        self._elsewhere = frozenset(sys.path[1:]) - {self._folder}
        self._compiled: dict[str, CodeType] = {}
        #: The start method of a process that has chosen none, as a context.
        self.default_context = self._library.default_context(program.start_method)

    @property
    def functions(self) -> frozenset[str]:
        """The names of all functions in the modules of the program that were imported so far."""
        found = set()
        todo = [self._code, *self._compiled.values()]
        while todo:
            code = todo.pop()
            found.add(code.co_name)
            todo += [one for one in code.co_consts if isinstance(one, CodeType)]
        return frozenset(found)

    # -- the main process ---------------------------------------------------------------

    def main(self) -> Seed:
        """Return the seed of the main process."""
        return _MainSeed(self)

    @root
    def run(self, body: ProcessBody, name: str) -> None:
        """Run the program's text as a module of the body."""
        module = ModuleType(name)
        module.__file__ = str(self.program.path)
        vars(module)["__builtins__"] = self._builtins
        body.memory.modules["__main__"] = module
        body.memory.texts[str(self.program.path)] = self.program.text
        if name != "__main__":
            body.memory.modules[name] = module
        exec(self._code, vars(module))

    # -- imports ------------------------------------------------------------------------

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,  # noqa: A002
        locals: dict[str, Any] | None = None,  # noqa: A002
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> Any:
        """``import`` in a module of the program."""
        if level:
            package = (globals or {}).get("__package__", "")
            parts = package.split(".")
            base = parts[: len(parts) - level + 1]
            name = ".".join([*base, name] if name else base)
        module = self._find(name)
        if module is None:
            return builtins.__import__(name, globals, locals, fromlist, 0)
        for item in fromlist or ():
            if not hasattr(module, item):
                self._find(f"{name}.{item}")
        return module if fromlist or level else self._find(name.partition(".")[0])

    def _find(self, name: str) -> ModuleType | None:
        """The module as this world has it; None where it is the real one."""
        top = name.partition(".")[0]
        own = self._library.modules
        if name in own and name != "_multiprocessing":
            return own[name]
        if top == "multiprocessing":
            if _is_there(name):
                raise NotVirtualError(name)
            return None
        if name == "sys":
            return self.sys
        if name == "os.path":
            return vars(own["os"])["path"]  # type: ignore[no-any-return]
        modules = here().memory.modules
        if name in modules:
            return modules[name]
        if name == "random":
            modules[name] = random_module()
            return modules[name]
        if top in _OUTSIDE or name in _OUTSIDE:
            return Missing(name)
        if name == "threading":
            return _threading()
        if name == "signal":
            return signal_module()
        if name == "secrets":
            return secrets_module()
        return self._local(name)

    def _local(self, name: str) -> ModuleType | None:
        """A module that lies beside the program: each process has its own."""
        modules = here().memory.modules
        parent, _, last = name.rpartition(".")
        folders = [folder for folder in self.sys.path if folder not in self._elsewhere]
        if parent:
            package = self._find(parent)
            if package is None or parent not in modules:
                return None
            folders = list(getattr(package, "__path__", []))
        spec = importlib.machinery.PathFinder.find_spec(name, folders)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return None
        if "site-packages" in spec.origin:
            return None
        module = ModuleType(name)
        module.__file__ = spec.origin
        module.__package__ = name if spec.submodule_search_locations else parent
        if spec.submodule_search_locations:
            module.__path__ = list(spec.submodule_search_locations)
        vars(module)["__builtins__"] = self._builtins
        modules[name] = module
        code = self._compiled.get(spec.origin)
        if code is None:
            text = Path(spec.origin).read_bytes()
            code = self._compiled[spec.origin] = compile(
                text, spec.origin, "exec", dont_inherit=True
            )
        try:
            exec(code, vars(module))
        except BaseException:
            modules.pop(name, None)
            raise
        if parent:
            setattr(modules[parent], last, module)
        return module

    # -- children -----------------------------------------------------------------------

    def seed(self, body: ProcessBody, process_obj: Any, method: str) -> tuple[Seed, Hashable]:
        """Return the seed of a child of the body, and the ends of pipes that it is given."""
        key = (*body.who.key, body.state.started)
        body.state.started += 1
        parent = body.identity
        if method == "fork":
            memory, (child,) = body.memory.fork(process_obj)
            return _ForkSeed(self, key, body, memory, child, parent.method), None
        data, ends = pickling.dumps_for_spawning(process_obj)
        return _SpawnSeed(self, key, body, process_obj, data, parent.method), ends


class _MainSeed:
    key: tuple[int, ...] = ()
    name = "main"
    daemon = False
    pid = FIRST_PID

    def __init__(self, program: VirtualProgram) -> None:
        self._program = program

    def grow(self, results: tuple[Hashable, ...]) -> tuple[ProcessBody, Told]:
        """The main process."""
        program = self._program
        process, _ = _globals()
        main = type(process["_current_process"])()
        main._config["authkey"] = b"virtual"
        identity = Identity(main, None, program.default_context)
        who = Who((), "main", False, FIRST_PID, 1)
        body = ProcessBody(who, PrivateMemory(), identity, program.seed)
        return body, body.grow(partial(live_as_main, body, program.run), results)


class _ChildSeed:
    """The seed of a child.

    (For a fingerprint its name is enough: it is made of what its parent is when it is made.)
    """

    _syncsim_shared = True

    def __init__(self, program: VirtualProgram, key: tuple[int, ...], parent: ProcessBody) -> None:
        self._program = program
        self.key = key
        self._parent_pid = parent.pid
        self._clock = parent.state.clock
        self._closed = frozenset(parent.state.closed)
        self.pid = 0

    def _syncsim_key(self) -> Hashable:
        return self.key

    def _body(self, memory: PrivateMemory, process_obj: Any, method: Any) -> ProcessBody:
        who = Who(self.key, process_obj.name, process_obj.daemon, self.pid, self._parent_pid)
        identity = Identity(process_obj, method, self._program.default_context)
        body = ProcessBody(who, memory, identity, self._program.seed)
        body.state.clock = self._clock
        return body


class _ForkSeed(_ChildSeed):
    """A child with a copy of its parent's memory."""

    def __init__(
        self,
        program: VirtualProgram,
        key: tuple[int, ...],
        parent: ProcessBody,
        memory: PrivateMemory,
        process_obj: Any,
        method: Any,
    ) -> None:
        super().__init__(program, key, parent)
        self._memory = memory
        self._object = process_obj
        self._method = method
        self.name: str = process_obj.name
        self.daemon: bool = process_obj.daemon

    def server_side(self) -> tuple[Any, PrivateMemory]:
        """Return the only argument of a server that is this child, and its memory."""
        return self._object._args[0], self._memory

    def grow(self, results: tuple[Hashable, ...]) -> tuple[ProcessBody, Told]:
        """The child; the image that it is made from stays as it is."""
        memory, (child,) = self._memory.fork(self._object)
        body = self._body(memory, child, self._method)
        body.state.closed = set(self._closed)
        return body, body.grow(partial(live_as_child, body, child), results)


class _SpawnSeed(_ChildSeed):
    """A child that imports the program anew and gets its process object pickled."""

    def __init__(
        self,
        program: VirtualProgram,
        key: tuple[int, ...],
        parent: ProcessBody,
        process_obj: Any,
        data: bytes,
        method: Any,
    ) -> None:
        super().__init__(program, key, parent)
        self._data = data
        self._memory = parent.memory.fresh()
        self._method = method
        self.name: str = process_obj.name
        self.daemon: bool = process_obj.daemon

    def server_side(self) -> tuple[Any, PrivateMemory]:
        """Return the only argument of a server that is this child, and its memory."""
        memory = self._memory.fresh()
        body = ServerBody(memory)
        with running(body):
            self._program.run(body, "__mp_main__")
            child = pickling.loads(self._data)
        return child._args[0], memory

    def grow(self, results: tuple[Hashable, ...]) -> tuple[ProcessBody, Told]:
        """The child."""
        memory = self._memory.fresh()
        starting = _Starting(self.name, self.daemon)
        body = self._body(memory, starting, self._method)

        def live() -> int:
            code = come_to_an_end(body, prepare)
            if body.identity.current is starting:
                return code  # it did not even come to its bootstrapping
            return live_as_child(body, body.identity.current)

        def prepare() -> None:
            self._program.run(body, "__mp_main__")
            body.identity.become(pickling.loads(self._data))

        return body, body.grow(live, results)


def _is_there(name: str) -> bool:
    """Return whether the real library has a module, or something in a module, of that name."""
    parent, _, last = name.rpartition(".")
    if hasattr(sys.modules.get(parent), last):
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what should hold it is no package
        return False


class _Starting:
    """A process of which only the name is known yet."""

    def __init__(self, name: str, daemon: bool) -> None:
        self.name = name
        self.daemon = daemon
        self._config: dict[str, Any] = {}


@lru_cache(maxsize=1)
def _threading() -> ModuleType:
    """``threading`` without threads: a thread would share the memory of its process."""
    import threading

    return without(threading, "Thread", "Timer")
