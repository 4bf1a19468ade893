"""Virtual managers: CPython's own ``managers.py`` but for the connections to a server.

A call of a proxy is an operation on what the server keeps (``served``).  A lock or a semaphore
that a server keeps has the model of any other; what may sleep in the server does so in two
halves, as ``real/probes/managers`` has it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import threading
import weakref
from collections.abc import Callable, Hashable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from greenlet import GreenletExit

from syncsim.core.atoms import Atom, Cell, Semaphore, Sleepers
from syncsim.core.kinds import MANAGED, Role, kind_named
from syncsim.core.operation import Verb
from syncsim.program.managed import argument
from syncsim.program.ownership import claim
from syncsim.program.safe_text import safe_text
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import Seed, Told
from syncsim.virtual.model.data_atoms import (
    GONE,
    SEM_VALUE_MAX,
    Alias,
    Lent,
)
from syncsim.virtual.model.managed import (
    ROOT,
    Asked,
    Asleep,
    Awake,
    Keeper,
    Locked,
)
from syncsim.virtual.process.body import (
    Call,
    ProcessBody,
    Who,
    here,
    running,
)
from syncsim.virtual.process.fingerprint import image_of
from syncsim.virtual.process.private_memory import PrivateMemory
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.processes import Popen, SpawnPopen

# -- the server ----------------------------------------------------------------------------


class ServerBody(ProcessBody):
    """The server as a process: it does nothing by itself."""

    def __init__(self, memory: PrivateMemory) -> None:
        super().__init__(Who((), "", False, 0, 0), memory, None, _starts_nothing)

    def operate(self, verb: Verb, atom: str = "", **_: Any) -> Any:
        """No operation is made in a server."""
        raise NotVirtualError(f"an operation ({verb}) inside the server of a manager")

    @property
    def clock(self) -> float:
        """There is none: what the server answers is to follow from what it is asked."""
        raise NotVirtualError("the clock inside the server of a manager")

    @clock.setter
    def clock(self, seconds: float) -> None:
        pass


def _starts_nothing(body: ProcessBody, process_obj: Any, method: str) -> NoReturn:
    raise NotVirtualError("a process started by the server of a manager")


class ServerSeed:
    """What a server begins as."""

    def __init__(self, seed: Seed, body: ServerBody) -> None:
        self.key = seed.key
        self.name = seed.name
        self.daemon = seed.daemon
        self.pid = seed.pid
        self._body = body

    def grow(self, results: tuple[Hashable, ...]) -> tuple[ProcessBody, Told]:
        """It serves."""
        return self._body, Told((), None)


class Server:
    """What the process that starts a server knows of it: how to make things there."""

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
        """What was sent to the server."""
        return pickling.loads(data)

    def dumps(self, value: Any) -> bytes:
        """What the server sends."""
        return pickling.dumps(value, _AS_LISTS)

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
_AS_LISTS: dict[type, Callable[[Any], Any]] = {
    type(getattr({}, name)()): lambda view: (list, (list(view),))
    for name in ("items", "keys", "values")
}


def _desk_class(real: Any) -> Any:
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
            """As the real one, but for an id that is the same in each run."""
            ident, exposed = super().create(c, typeid, *args, **keywords)
            own = str(self._made)
            self._made += 1
            self.id_to_obj[own] = self.id_to_obj.pop(ident)
            return own, exposed

    return Desk


class _ServerPopen:
    """How a server is started: as any child, but that it serves."""

    def __init__(self, manager: Any, method: str) -> None:
        self._manager = manager
        self._method = method

    def __call__(self, process_obj: Any) -> Any:
        del process_obj._Popen
        body = here()
        popen = object.__new__(SpawnPopen if self._method == "spawn" else Popen)
        popen.returncode, popen.finalizer = None, None
        detail = type(self._manager).__name__
        module = _module()
        if body.replaying:
            body.started += 1
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


def _start(self: Any, initializer: Any = None, initargs: Any = ()) -> None:
    """``BaseManager.start``, with a virtual server."""
    module = _module()
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
    body.servers[pid] = _Shutdown(self, body, pid, process.name)
    self.shutdown = functools.partial(_shut_down, pid)


class _Shutdown:
    """How a server is shut down: by hand, when its manager is gone, or at exit."""

    def __init__(self, manager: Any, body: ProcessBody, pid: int, name: str) -> None:
        self._body = body
        self._pid = pid
        self._name = name
        self._state = manager._state
        self._process = manager._process
        self._gone = weakref.ref(manager, self._when_gone)

    def __call__(self) -> None:
        body = self._body
        del body.servers[self._pid]
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
        if _collecting or self._pid not in self._body.servers:
            return
        with contextlib.suppress(IndexError, GreenletExit):
            if here() is self._body:
                self()


def _shut_down(pid: int) -> None:
    """``manager.shutdown()``: nothing, where it is not this process's to do, or done."""
    shutdown = here().servers.get(pid)
    if shutdown is not None:
        shutdown()


_collecting: list[None] = []


def _note_collection(phase: str, _: Any) -> None:
    if phase == "start":
        _collecting.append(None)
    else:
        _collecting.clear()


# -- making things -------------------------------------------------------------------------


def _create(self: Any, typeid: str, /, *args: Any, **keywords: Any) -> Any:
    """``BaseManager._create``: the thing is there from now on."""
    module = _module()
    assert self._state.value == module.State.STARTED, "server not yet started"
    body = here()
    if self._process._parent_pid != body.pid:
        raise NotVirtualError("a thing of a manager made by another process than its starter")
    server: Server = self._server
    key = body.new_atom()
    message = pickling.dumps((args, keywords), _AS_LISTS)
    try:
        keeper = Keeper(server, typeid, message)
    except Exception:
        import traceback

        raise module.RemoteError(traceback.format_exc()) from None
    kind = MANAGED + (keeper.sort or typeid)
    parts, capacity = _parts(key, keeper, *args, **keywords)
    pid = self._process._popen.pid
    kept: dict[str, tuple[str, Atom, Hashable]] = {
        role: (atom, seen, Lent(pid, one)) for role, (atom, seen, one) in parts.items()
    }
    body.make(key, kind, kept, capacity)
    return module.Token(typeid, self._address, f"{key} {ROOT} {keeper.sort}"), keeper.exposed


def _parts(
    key: str, keeper: Keeper, *args: Any, **keywords: Any
) -> tuple[dict[str, tuple[str, Atom, Hashable]], int | None]:
    """As ``real/probes/managers`` has it."""
    first = args[0] if args else None
    lock, wait, root = f"{key} lock", f"{key} wait", keeper.root
    sleepers = (wait, Sleepers(), root)
    cell = (key, Cell(value=root.text), root)
    other = (wait, Sleepers(), Alias(key))
    recursive = (lock, Semaphore(1, 1, recursive=True), None)
    match keeper.sort:
        case "Lock":
            return {Role.LOCK: (lock, Semaphore(1, 1), None)}, None
        case "RLock":
            return {Role.LOCK: recursive}, None
        case "Condition":
            return {Role.LOCK: recursive, Role.WAIT: sleepers}, None
        case "Semaphore" | "BoundedSemaphore":
            value = keywords.get("value", 1 if first is None else first)
            top = value if keeper.sort == "BoundedSemaphore" else SEM_VALUE_MAX
            permits = Semaphore(value, top, resource=value > 0)
            return {Role.PERMITS: (lock, permits, None)}, value or None
        case "Event":
            return {Role.VALUE: cell, Role.WAIT: other}, None
        case "Barrier":
            return {Role.VALUE: cell, Role.WAIT: other}, keywords.get("parties", first)
        case "Queue":
            size = keywords.get("maxsize", first)
            most = size if isinstance(size, int) and size > 0 else None
            return {Role.VALUE: cell, Role.WAIT: other}, most
        case _:
            return {Role.VALUE: cell}, None


# -- proxies -------------------------------------------------------------------------------


def _init(
    self: Any,
    token: Any,
    serializer: Any,
    manager: Any = None,
    authkey: Any = None,
    exposed: Any = None,
    incref: bool = True,
    manager_owned: bool = False,
) -> None:
    """``BaseProxy.__init__``, without a connection."""
    key, ident, sort = token.id.split(" ")
    own = vars(self)
    own.update(_token=token, _id=token.id, _serializer=serializer, _authkey=authkey)
    own.update(_owned_by_manager=manager_owned, _key=key, _ident=ident, _sort=sort)
    own.update(_kind=MANAGED + (sort or token.typeid), _known=False)
    own["_manager_of"] = None if manager is None else (here().pid, manager)
    for atom, role in (
        (key, Role.VALUE),
        (f"{key} lock", Role.LOCK),
        (f"{key} wait", Role.WAIT),
    ):
        here().memory.belongs.setdefault(atom, (key, role))


class _Manager:
    """``proxy._manager``: only the process that has made the proxy has it (``_after_fork``)."""

    def __get__(self, proxy: Any, owner: Any = None) -> Any:
        of = vars(proxy)["_manager_of"]
        return of[1] if of is not None and of[0] == here().pid else None


def _reduce(self: Any) -> Any:
    """``BaseProxy.__reduce__``: what it stands for, by name."""
    if self._ident != ROOT:
        raise NotVirtualError("an iterator of a manager that is handed on")
    token = self._token
    auto = self._exposed_ if getattr(self, "_isauto", False) else None
    return _rebuild, (None if auto else type(self), (token.typeid, token.address, token.id), auto)


def _rebuild(cls: Any, token: tuple[str, str, str], exposed: Any) -> Any:
    module = _module()
    if cls is None:
        return module.AutoProxy(module.Token(*token), "pickle", authkey=b"", exposed=exposed)
    return cls(module.Token(*token), "pickle")


def _callmethod(self: Any, methodname: str, args: Any = (), kwds: Any = {}) -> Any:  # noqa: B006
    """``BaseProxy._callmethod``: an operation on what the server keeps."""
    body = here()
    _look_up(self, body)
    kind = kind_named(self._sort)
    if kind.is_lockable:
        if methodname == "acquire":
            return _acquire(self, body, args)
        if methodname == "release":
            return _release(self, body)
        if self._sort != "Condition":
            raise NotVirtualError(f"{methodname} of a {self._kind}")
    if methodname in kind.sleeping:
        return _sleepy(self, body, methodname, args, kwds)
    said = ""
    try:
        found = _answer(self, _ask(self, body, methodname, args, kwds))
        said = safe_text(found)
        return found
    except Exception as error:
        said = type(error).__name__
        raise
    finally:
        body.said(said)


def _look_up(proxy: Any, body: ProcessBody) -> None:
    """The first call of a proxy, or of a process: it is seen whether there is a server."""
    connected = proxy._token.address in body.connected
    if not (proxy._known and connected):
        if body.operate(Verb.CALL, _atom(proxy), silent=True) == GONE:
            if connected:
                raise BrokenPipeError(32, "Broken pipe")
            raise FileNotFoundError(2, "No such file or directory")
        vars(proxy)["_known"] = True
        body.connected.add(proxy._token.address)


def _atom(proxy: Any) -> str:
    """The atom of its calls."""
    match proxy._sort:
        case "Condition":
            return f"{proxy._key} wait"
        case "Lock" | "RLock" | "Semaphore" | "BoundedSemaphore":
            return f"{proxy._key} lock"
        case _:
            return str(proxy._key)


def _request(proxy: Any, body: ProcessBody, method: str, args: Any, keywords: Any) -> Asked:
    owner = body.counts.get(f"{proxy._key} lock", 0) > 0
    return Asked(proxy._ident, method, pickling.dumps((args, keywords), _AS_LISTS), owner)


def _ask(proxy: Any, body: ProcessBody, method: str, args: Any, keywords: Any) -> bytes:
    """A call that does not sleep; the answer."""
    request, unsent = None, None
    try:
        request = _request(proxy, body, method, args, keywords)
    except Exception as error:
        unsent = error
    reply = body.operate(
        Verb.CALL,
        _atom(proxy),
        payload=request,
        name=f"{proxy._kind}.{method}",
        detail=argument(method, args, keywords),
    )
    if unsent is not None:
        raise unsent
    if reply == GONE:
        raise BrokenPipeError(32, "Broken pipe")
    if not isinstance(reply, bytes):
        raise NotVirtualError(f"{proxy._kind}.{method}, which waits in the server")
    return reply


def _answer(proxy: Any, reply: bytes) -> Any:
    """What the server's message means, as in ``BaseProxy._callmethod``."""
    module = _module()
    kind, result = pickling.loads(reply)
    if kind == "#RETURN":
        return result
    if kind == "#PROXY":
        exposed, token = result
        proxytype = proxy._manager._registry[token.typeid][-1]
        token.address = proxy._token.address
        token.id = f"{proxy._key} {token.id} {proxy._sort}"
        manager, serializer = proxy._manager, proxy._serializer
        made = proxytype(
            token, serializer, manager=manager, authkey=proxy._authkey, exposed=exposed
        )
        # Whoever has come so far has a connection.
        vars(made).update(_kind=proxy._kind, _known=True)
        return made
    raise module.convert_to_error(kind, result)


def _acquire(proxy: Any, body: ProcessBody, args: Any) -> bool:
    lock = f"{proxy._key} lock"
    block, timeout = (*args, True, None)[:2] if args else (True, None)
    if len(args) == 1:
        timeout = None
    got = body.operate(
        Verb.ACQUIRE,
        lock,
        name=f"{proxy._kind}.acquire" if body.call is None else "",
        block=bool(block),
        timeout=timeout,
    )
    if got == GONE:
        raise EOFError
    if got:
        _count(proxy, body, 1)
    elif block and timeout is not None:
        body.waited(timeout)
    return bool(got)


_REFUSED = {
    "Lock": (RuntimeError, "release unlocked lock"),
    "RLock": (RuntimeError, "cannot release un-acquired lock"),
    "Condition": (RuntimeError, "cannot release un-acquired lock"),
    "BoundedSemaphore": (ValueError, "Semaphore released too many times"),
}


def _release(proxy: Any, body: ProcessBody) -> None:
    lock = f"{proxy._key} lock"
    error = body.operate(Verb.RELEASE, lock, name=f"{proxy._kind}.release")
    if error == GONE:
        raise BrokenPipeError(32, "Broken pipe")
    if error is not None:
        kind, words = _REFUSED[proxy._sort]
        raise kind(words)
    _count(proxy, body, -1)


def _count(proxy: Any, body: ProcessBody, units: int) -> None:
    """How often a process has a lock is asked of a Condition alone (see ``SemLock.counted``)."""
    if proxy._sort == "Condition":
        lock = f"{proxy._key} lock"
        body.counts[lock] = body.counts.get(lock, 0) + units


def _sleepy(proxy: Any, body: ProcessBody, method: str, args: Any, keywords: Any) -> Any:
    """A call that may have to sleep in the server: first half there, then as an operation."""
    shown = safe_text(args[0]) if method == "put" and args else ""
    body.patience = 0.0
    body.call = Call(f"{proxy._kind}.{method}", proxy._key, body.site(), shown)
    result = ""
    try:
        request = _request(proxy, body, method, args, keywords)
        units = 0
        if proxy._sort == "Condition":
            units = _give_up(proxy, body)
        reply = body.operate(Verb.CALL, _atom(proxy), payload=request, silent=units > 0)
        while not isinstance(reply, bytes):
            reply = _sleep(proxy, body, reply, units)
        value = _answer(proxy, reply)
        result = safe_text(value)
        return value
    except BaseException as error:
        result = type(error).__name__
        raise
    finally:
        body.call = None
        body.returned(result)


def _give_up(proxy: Any, body: ProcessBody) -> int:
    """Gives a Condition's lock back, wholly; how often the caller had it (at least once)."""
    lock = f"{proxy._key} lock"
    units = max(1, body.counts.get(lock, 0))
    for unit in range(units):
        if body.operate(Verb.RELEASE, lock, silent=unit > 0) == GONE:
            raise BrokenPipeError(32, "Broken pipe")
    return units


def _sleep(proxy: Any, body: ProcessBody, reply: Any, units: int) -> Any:
    """Sleeps, and takes the lock again where there is one; what comes next."""
    if reply == GONE:
        raise BrokenPipeError(32, "Broken pipe")
    assert isinstance(reply, Asleep)
    timeout = reply.timeout
    found = body.operate(Verb.WAKE, f"{proxy._key} wait", timeout=timeout)
    if found == GONE:
        raise EOFError
    woken, reply = found
    if not woken and timeout:
        body.waited(timeout)
    if isinstance(reply, Awake):
        for _ in range(units):
            _acquire(proxy, body, ())
        reply = body.operate(Verb.CALL, _atom(proxy), payload=Locked(), silent=True)
    return reply


# -- the module ----------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def _module() -> Any:
    return pickling.private["multiprocessing.managers"]


def _refuse(words: str) -> Callable[..., Any]:
    def refuse(*args: Any, **keywords: Any) -> Any:
        raise NotVirtualError(words)

    return refuse


def _no_connection(*args: Any, **keywords: Any) -> Any:
    return SimpleNamespace(close=lambda: None)


def _dispatch(c: Any, id: Any, methodname: str, args: Any = (), kwds: Any = {}) -> None:  # noqa: A002, B006
    """What is asked of the server itself: nobody counts its references here."""
    if methodname not in ("incref", "decref"):
        raise NotVirtualError(f"a manager asked to {methodname}")


def _pool(*args: Any, **keywords: Any) -> Any:
    raise NotVirtualError("a Pool that a manager keeps")


def _private_import(real: Callable[..., Any], util: ModuleType) -> Callable[..., Any]:
    """``import`` as ``managers.py`` needs it."""
    own_util = SimpleNamespace(**vars(util), ForkAwareThreadLock=threading.Lock)
    connection = SimpleNamespace(Listener=None, Client=None, XmlListener=None, XmlClient=None)
    given = {
        "connection": SimpleNamespace(connection=connection),
        "pool": SimpleNamespace(pool=SimpleNamespace(Pool=_pool)),
        "util": SimpleNamespace(util=own_util),
        "shared_memory": SimpleNamespace(shared_memory=None),
    }

    def private_import(
        name: str,
        globals: Any = None,  # noqa: A002
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if level == 1 and not name and fromlist and fromlist[0] in given:
            return given[fromlist[0]]
        return real(name, globals, locals, fromlist, level)

    return private_import


def builtins_for(builtins: dict[str, Any], modules: dict[str, Any]) -> dict[str, Any]:
    """The builtins with which ``managers.py`` is loaded."""
    modules["multiprocessing.reduction"].register = lambda *_: None
    util = modules["multiprocessing.util"]
    return {**builtins, "__import__": _private_import(builtins["__import__"], util)}


def install(module: Any) -> None:
    """Puts operations in the place of connections."""
    module.Desk = _desk_class(module.Server)
    module.dispatch = _dispatch
    for serializer in module.listener_client:
        module.listener_client[serializer] = (None, _no_connection)
    manager, proxy = module.BaseManager, module.BaseProxy
    manager._syncsim_plain = proxy._syncsim_plain = module.Token._syncsim_plain = True
    module.State._syncsim_plain = True
    manager.start, manager._create = _start, _create
    manager.connect = _refuse("a manager that is somewhere else")
    manager.get_server = _refuse("the server of a manager in a process of one's own")
    register = manager.register.__func__

    def register_of_its_own(cls: Any, *args: Any, **keywords: Any) -> None:
        if cls.__module__ == module.__name__:
            raise NotVirtualError(f"{cls.__name__}.register, not that of a class of its own")
        register(cls, *args, **keywords)

    manager.register = classmethod(register_of_its_own)
    module.SharedMemoryManager = _refuse("a SharedMemoryManager")
    proxy.__init__, proxy._callmethod, proxy.__reduce__ = _init, _callmethod, _reduce
    proxy._manager = _Manager()
    proxy._syncsim_id = lambda self: self._key if self._ident == ROOT else self._id
    make = module.MakeProxyType

    def make_proxy_type(name: str, exposed: Any) -> Any:
        made = make(name, exposed)
        _claim(made)
        return made

    module.MakeProxyType = make_proxy_type
    for made in make.__defaults__[0].values():
        _claim(made)
    _mind_proxies(pickling.private["multiprocessing.process"].BaseProcess, proxy)
    gc.callbacks.append(_note_collection)


def _mind_proxies(base: Any, proxy: Any) -> None:
    """Refuses to start a process that alone has a proxy of something.

    Whether the server drops the thing before the child can take hold of it is a matter of luck.
    """
    real_start = base.start

    def start(self: Any) -> None:
        given = [weakref.ref(one) for one in _found((self._args, self._kwargs), proxy)]
        real_start(self)
        if any(one() is None for one in given):
            raise NotVirtualError("something of a manager of which a child alone has a proxy")

    base.start = start


def _found(value: Any, proxy: Any) -> Iterator[Any]:
    if isinstance(value, proxy):
        yield value
    elif isinstance(value, dict):
        yield from _found(tuple(value.values()), proxy)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _found(item, proxy)


def _claim(cls: type) -> None:
    """The methods of proxies are made by ``exec`` and are the library's all the same."""
    for function in vars(cls).values():
        if inspect.isfunction(function):
            claim(function.__code__)
