"""The server of a virtual manager: its start and end, and how things are made in it."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NoReturn

from greenlet import GreenletExit

from syncsim.core.operation import Verb
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import Seed, Told
from syncsim.virtual.process.body import ProcessBody, Who, here, running
from syncsim.virtual.process.fingerprint import image_of
from syncsim.virtual.process.private_memory import PrivateMemory
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.processes import Popen, SpawnPopen


@functools.lru_cache(maxsize=1)
def private_module() -> Any:
    """Return the private copy of ``multiprocessing.managers``."""
    return pickling.private["multiprocessing.managers"]


class ServerBody(ProcessBody):
    """The server as a process: it does nothing by itself."""

    def __init__(self, memory: PrivateMemory) -> None:
        super().__init__(Who((), "", False, 0, 0), memory, None, _starts_nothing)

    def operate(self, verb: Verb, atom: str = "", **_: Any) -> Any:
        """No operation is made in a server."""
        raise NotVirtualError(f"an operation ({verb}) inside the server of a manager")

    def now(self) -> float:
        """Refuse: what the server answers is to follow from what it is asked."""
        raise NotVirtualError("the clock inside the server of a manager")


def _starts_nothing(body: ProcessBody, process_obj: Any, method: str) -> NoReturn:
    raise NotVirtualError("a process started by the server of a manager")


class ServerSeed:
    """The seed of a server."""

    def __init__(self, seed: Seed, body: ServerBody) -> None:
        self.key = seed.key
        self.name = seed.name
        self.daemon = seed.daemon
        self.pid = seed.pid
        self._body = body

    def grow(self, results: tuple[Hashable, ...]) -> tuple[ProcessBody, Told]:
        """Return the server's body, which serves."""
        return self._body, Told((), None)


class Server:
    """A server as the process that starts it knows it: it makes things there."""

    _syncsim_shared = True

    def __init__(self, module: Any, registry: Any, memory: PrivateMemory) -> None:
        self._desk = module.Desk
        self._registry = registry
        self._body = ServerBody(memory)
        self.address = ""

    @contextlib.contextmanager
    def runs(self, typeid: str = "") -> Iterator[None]:
        """Code of the server runs.

        If it is of a class of the program's own, it must leave everything alone but its object:
        what is learned of one thing in a server may not depend on what is done with another.
        """
        modules = self._body.memory.modules
        maker = self._registry[typeid][0] if typeid else None
        is_own = getattr(maker, "__module__", "") in modules
        before = image_of(modules) if is_own else None
        with running(self._body):
            yield
        if is_own and (before is None or image_of(modules) != before):
            raise NotVirtualError(
                f"a manager's {typeid}, a call of which changes more than itself"
                if before is not None
                else f"a manager's {typeid}, in a program of which not all can be compared"
            )

    @property
    def body(self) -> ServerBody:
        """The process."""
        return self._body

    def loads(self, data: bytes) -> Any:
        """Return the object that was sent to the server."""
        return pickling.loads(data)

    def dumps(self, value: Any) -> bytes:
        """Return the message with an object that the server sends."""
        return pickling.dumps(value, AS_LISTS)

    def desk(self, typeid: str, args: Any, keywords: Any, *again: Any) -> Any:
        """Where the calls of one thing are served: a new one, or what it is ``again``."""
        maker, *rest = self._registry[typeid]
        own = getattr(maker, "__module__", "") in self._body.memory.modules
        if own and not inspect.isclass(maker):
            raise NotVirtualError(f"a manager that keeps what {maker.__qualname__}() gives")
        made = maker if not again else lambda *_, **__: again[0]
        desk = self._desk(self.address, {**self._registry, typeid: (made, *rest)})
        desk.create(None, typeid, *args, **keywords)
        desk.registry = self._registry
        return desk


#: The views of a dict are sent as lists (``managers.rebuild_as_list``).
AS_LISTS: dict[type, Callable[[Any], Any]] = {
    type(getattr({}, name)()): lambda view: (list, (list(view),))
    for name in ("items", "keys", "values")
}


def desk_class(real: Any) -> Any:
    """``managers.Server`` without a process, a listener and threads."""

    class Desk(real):  # type: ignore[misc]
        def __init__(self, address: str, registry: Any) -> None:
            self.registry = registry
            self.address = address
            self.id_to_obj: dict[str, Any] = {}
            self.id_to_refcount: dict[str, int] = {}
            self.id_to_local_proxy_obj: dict[str, Any] = {}
            self.mutex = threading.Lock()
            self.stop_event = threading.Event()
            self._made = 0

        def create(self, c: Any, typeid: str, /, *args: Any, **keywords: Any) -> Any:
            """Create as the real one does, but for an id that is the same in each run."""
            ident, exposed = super().create(c, typeid, *args, **keywords)
            own = str(self._made)
            self._made += 1
            self.id_to_obj[own] = self.id_to_obj.pop(ident)
            return own, exposed

    return Desk


class _ServerPopen:
    """The start of a server: as of any child, but that it serves."""

    def __init__(self, manager: Any, method: str) -> None:
        self._manager = manager
        self._method = method

    def __call__(self, process_obj: Any) -> Any:
        del process_obj._Popen
        body = here()
        popen = object.__new__(SpawnPopen if self._method == "spawn" else Popen)
        popen.returncode, popen.finalizer = None, None
        detail = type(self._manager).__name__
        module = private_module()
        if body.replaying:
            body.state.started += 1
            server = Server(module, self._manager._registry, body.memory)
            popen.pid = body.operate(Verb.START, name="Manager.start", detail=detail)
        else:
            seed, ends = body.seed_of(process_obj, self._method)
            registry, memory = seed.server_side()  # type: ignore[attr-defined]
            server = Server(module, registry, memory)
            child = ServerSeed(seed, server.body)
            popen.pid = body.operate(
                Verb.START, name="Manager.start", detail=detail, child=child, payload=ends
            )
        server.address = f"manager {popen.pid}"
        self._manager._server = server
        return popen


def start_server(self: Any, initializer: Any = None, initargs: Any = ()) -> None:
    """``BaseManager.start``, with a virtual server."""
    module = private_module()
    state = self._state.value
    if state != module.State.INITIAL:
        raise module.ProcessError(
            "Already started server" if state == module.State.STARTED else "Manager has shut down"
        )
    if initializer is not None:
        raise NotVirtualError("a manager with an initializer")
    process = self._process = self._ctx.Process(args=(self._registry,))
    process.name = f"{type(self).__name__}-{':'.join(map(str, process._identity))}"
    method = self._ctx.get_start_method()
    process._Popen = _ServerPopen(self, "fork" if method == "fork" else "spawn")
    process.start()
    self._address = self._server.address
    self._state.value = module.State.STARTED
    body = here()
    pid = process._popen.pid
    body.state.servers[pid] = _Shutdown(self, body, pid, process.name)
    self.shutdown = functools.partial(_shut_down, pid)


class _Shutdown:
    """The end of a server: by hand, when its manager is gone, or at exit."""

    def __init__(self, manager: Any, body: ProcessBody, pid: int, name: str) -> None:
        self._body = body
        self._pid = pid
        self._name = name
        self._state = manager._state
        self._process = manager._process
        self._gone = weakref.ref(manager, self._when_gone)

    def __call__(self) -> None:
        body = self._body
        del body.state.servers[self._pid]
        if self._process._popen.returncode is None:
            body.operate(
                Verb.CALL,
                name="Manager.shutdown",
                detail=self._name,
                payload=self._pid,
            )
            self._process._popen.returncode = 0
        self._state.value = 2

    def _when_gone(self, _: object) -> None:
        # Only where the process itself has let go of it, and not the collector at some time.
        if _collecting or self._pid not in self._body.state.servers:
            return
        with contextlib.suppress(IndexError, GreenletExit):
            if here() is self._body:
                self()


def _shut_down(pid: int) -> None:
    """``manager.shutdown()``: nothing, where it is not this process's to do, or done."""
    shutdown = here().state.servers.get(pid)
    if shutdown is not None:
        shutdown()


_collecting: list[None] = []


def note_collection(phase: str, _: Any) -> None:
    """Note that the garbage collector begins or ends."""
    if phase == "start":
        _collecting.append(None)
    else:
        _collecting.clear()
