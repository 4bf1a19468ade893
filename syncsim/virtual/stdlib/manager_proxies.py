"""The proxies of a virtual manager: a call is an operation on what the server keeps."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from syncsim.core.atoms import SEM_VALUE_MAX, Atom, Cell, Semaphore, Sleepers
from syncsim.core.kinds import MANAGED, Role, kind_named
from syncsim.core.operation import Verb
from syncsim.program.managed import argument
from syncsim.program.safe_text import safe_text
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.data_atoms import GONE, Alias, Lent
from syncsim.virtual.model.managed import Keeper
from syncsim.virtual.model.managed_object import ROOT, Asked, Asleep, Awake, Locked
from syncsim.virtual.process.body import ProcessBody, here
from syncsim.virtual.process.process_state import Call
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.manager_server import AS_LISTS, Server, private_module

# -- making things -------------------------------------------------------------------------


def create(self: Any, typeid: str, /, *args: Any, **keywords: Any) -> Any:
    """``BaseManager._create``: the thing is there from now on."""
    module = private_module()
    assert self._state.value == module.State.STARTED, "server not yet started"
    body = here()
    if self._process._parent_pid != body.pid:
        raise NotVirtualError("a thing of a manager made by another process than its starter")
    server: Server = self._server
    key = body.new_atom()
    message = pickling.dumps((args, keywords), AS_LISTS)
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
    """Return the atoms of a kind, as ``instrument/probes/managers`` has them."""
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


def init_proxy(
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


class ManagerOf:
    """``proxy._manager``: only the process that has made the proxy has it (``_after_fork``)."""

    def __get__(self, proxy: Any, owner: Any = None) -> Any:
        of = vars(proxy)["_manager_of"]
        return of[1] if of is not None and of[0] == here().pid else None


def reduce_proxy(self: Any) -> Any:
    """``BaseProxy.__reduce__``: what it stands for, by name."""
    if self._ident != ROOT:
        raise NotVirtualError("an iterator of a manager that is handed on")
    token = self._token
    auto = self._exposed_ if getattr(self, "_isauto", False) else None
    return _rebuild, (None if auto else type(self), (token.typeid, token.address, token.id), auto)


def _rebuild(cls: Any, token: tuple[str, str, str], exposed: Any) -> Any:
    module = private_module()
    if cls is None:
        return module.AutoProxy(module.Token(*token), "pickle", authkey=b"", exposed=exposed)
    return cls(module.Token(*token), "pickle")


def call_method(self: Any, methodname: str, args: Any = (), kwds: Any = {}) -> Any:  # noqa: B006
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
    connected = proxy._token.address in body.state.connected
    if not (proxy._known and connected):
        if body.operate(Verb.CALL, _atom(proxy), silent=True) == GONE:
            if connected:
                raise BrokenPipeError(32, "Broken pipe")
            raise FileNotFoundError(2, "No such file or directory")
        vars(proxy)["_known"] = True
        body.state.connected.add(proxy._token.address)


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
    owner = body.state.counts.get(f"{proxy._key} lock", 0) > 0
    return Asked(proxy._ident, method, pickling.dumps((args, keywords), AS_LISTS), owner)


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
    """Return the result in the server's message, or raise it, as ``BaseProxy._callmethod`` does."""
    module = private_module()
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
        name=f"{proxy._kind}.acquire" if body.state.call is None else "",
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
    """Count how often the process has a lock of a Condition (see ``SemLock.counted``)."""
    if proxy._sort == "Condition":
        lock = f"{proxy._key} lock"
        body.state.counts[lock] = body.state.counts.get(lock, 0) + units


def _sleepy(proxy: Any, body: ProcessBody, method: str, args: Any, keywords: Any) -> Any:
    """A call that may have to sleep in the server: first half there, then as an operation."""
    shown = safe_text(args[0]) if method == "put" and args else ""
    body.state.patience = 0.0
    body.state.call = Call(f"{proxy._kind}.{method}", proxy._key, body.site(), shown)
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
        body.state.call = None
        body.returned(result)


def _give_up(proxy: Any, body: ProcessBody) -> int:
    """Gives a Condition's lock back, wholly; how often the caller had it (at least once)."""
    lock = f"{proxy._key} lock"
    units = max(1, body.state.counts.get(lock, 0))
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
