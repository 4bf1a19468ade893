"""Managers: their servers, and the calls on what those keep.

A call on a proxy is an operation, made when its gate opens.  A lock or a semaphore that a
server keeps has the model of any other; what may sleep in the server does so in two halves
(see ``serving``), of which the second waits at the caller's own gate.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from syncsim import wire
from syncsim.core.kinds import MANAGED, Role, kind_named
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.instrument.probes import serving
from syncsim.instrument.probes.calls import report
from syncsim.instrument.probes.library import synchronize
from syncsim.instrument.probes.on_import import when_imported
from syncsim.instrument.probes.parts import Part
from syncsim.instrument.probes.presence import put_in_place
from syncsim.instrument.probes.tracebacks import unseen
from syncsim.instrument.threads import Call
from syncsim.program.managed import argument
from syncsim.program.safe_text import safe_text


def install(gate: Gate) -> None:
    """Wrap ``multiprocessing.managers`` as soon as somebody imports it."""

    def wrap(managers: Any) -> None:
        for part, blind in (
            (serving.install, "what the servers of managers keep is not seen"),
            (_claim_proxies, "calls on what a manager keeps are taken for the program's"),
            (_wrap_life, "who starts and ends a manager is not seen"),
            (_wrap_creation, "what a manager makes is not seen"),
            (_wrap_calls, "calls on what a manager keeps are not seen"),
        ):
            put_in_place(gate, functools.partial(_wrap, part, managers), blind)

    when_imported("multiprocessing.managers", wrap)


def _wrap(part: Callable[[Gate, Any], None], managers: Any, gate: Gate) -> None:
    part(gate, managers)


def _claim_proxies(gate: Gate, managers: Any) -> None:
    """The methods of proxies are made by ``exec`` and are the library's all the same."""
    real = managers.MakeProxyType

    def claim(cls: type) -> None:
        for function in vars(cls).values():
            if inspect.isfunction(function):
                gate.code.claim(function.__code__)

    @functools.wraps(real)
    def make(name: str, exposed: Any, _cache: Any = real.__defaults__[0]) -> Any:
        made = real(name, exposed, _cache)
        claim(made)
        return made

    managers.MakeProxyType = make
    for made in real.__defaults__[0].values():
        claim(made)


def _wrap_life(gate: Gate, managers: Any) -> None:
    base = managers.BaseManager
    real_start, real_finalize = base.start, base._finalize_manager

    @unseen
    @functools.wraps(real_start)
    def start(self: Any, *args: Any, **keywords: Any) -> None:
        if not gate.applies():
            real_start(self, *args, **keywords)
            return

        def go() -> int:
            with gate.silence():
                real_start(self, *args, **keywords)
            pid: int = self._process.pid
            return pid

        gate.take(Verb.START, "", go, "Manager.start", type(self).__name__)

    @unseen
    @functools.wraps(real_finalize)
    def finalize(process: Any, *args: Any, **keywords: Any) -> None:
        if not gate.applies():
            real_finalize(process, *args, **keywords)
            return

        def go() -> None:
            with gate.silence():
                real_finalize(process, *args, **keywords)

        gate.take(Verb.CALL, "", go, "Manager.shutdown", process.name)

    base.start, base._finalize_manager = start, staticmethod(finalize)


class Known(NamedTuple):
    """The referent of a proxy: its sort (empty: none of ours), its id, and how it is called."""

    sort: str
    key: str
    kind: str

    @property
    def lock(self) -> str:
        """The lock or the permits of it."""
        return f"{self.key} lock"

    @property
    def wait(self) -> str:
        """Those who sleep in it."""
        return f"{self.key} wait"


def _known(sort: str, key: str, typeid: str) -> Known:
    return Known(sort, key, MANAGED + (sort or typeid))


def _wrap_creation(gate: Gate, managers: Any) -> None:
    real = managers.BaseManager._create

    @unseen
    @functools.wraps(real)
    def create(self: Any, typeid: str, /, *args: Any, **keywords: Any) -> Any:
        token, exposed = real(self, typeid, *args, **keywords)
        if gate.applies() and not gate.here.library:
            known = _known("", f"{token.address!r} {token.id}", typeid)
            line = self._Client(self._address, authkey=self._authkey)
            try:
                sort, key = managers.dispatch(line, None, serving.SORT, (token.id,))
                known = _known(sort, key, typeid)
            except managers.RemoteError:  # a server that is none of ours
                pass
            finally:
                line.close()
            parts, capacity = _parts(known, *args, **keywords)
            report(gate, known.key, known.kind, parts, capacity)
        return token, exposed

    managers.BaseManager._create = create


def _parts(known: Known, *args: Any, **keywords: Any) -> tuple[list[Part], int | None]:
    first = args[0] if args else None
    most = synchronize.SEM_VALUE_MAX
    cell, sleepers = Part(Role.VALUE, known.key, "cell"), Part(Role.WAIT, known.wait, "sleepers")
    match known.sort:
        case "Lock":
            return [Part(Role.LOCK, known.lock, "semaphore", 1, 1)], None
        case "RLock":
            return [Part(Role.LOCK, known.lock, "recursive", 1, 1)], None
        case "Condition":
            return [Part(Role.LOCK, known.lock, "recursive", 1, 1), sleepers], None
        case "Semaphore" | "BoundedSemaphore":
            value = keywords.get("value", 1 if first is None else first)
            top = value if known.sort == "BoundedSemaphore" else most
            return [Part(Role.PERMITS, known.lock, "semaphore", value, top)], value or None
        case "Event":
            return [cell, sleepers], None
        case "Barrier":
            return [cell, sleepers], keywords.get("parties", first)
        case "Queue":
            size = keywords.get("maxsize", first)
            return [cell, sleepers], size if isinstance(size, int) and size > 0 else None
        case _:
            return [cell], None


def _wrap_calls(gate: Gate, managers: Any) -> None:
    base = managers.BaseProxy
    real = base._callmethod
    base._syncsim_id = _id

    @unseen
    @functools.wraps(real)
    def callmethod(self: Any, methodname: str, args: Any = (), kwds: Any = {}) -> Any:  # noqa: B006
        if not gate.applies() or gate.here.library:
            return real(self, methodname, args, kwds)
        known = _look_up(self, managers, real)

        def go(*_: Any) -> Any:
            return real(self, methodname, args, kwds)

        kind = kind_named(known.sort)
        if kind.is_lockable and methodname in ("acquire", "release"):
            return _lock(gate, known, real, self, methodname, args)
        if methodname in kind.sleeping:
            return _Sleepy(gate, managers, self, known).call(methodname, args, kwds)
        found = gate.take(
            Verb.CALL,
            known.wait if known.sort == "Condition" else known.key,
            go,
            f"{known.kind}.{methodname}",
            argument(methodname, args, kwds),
            label=safe_text,
        )
        # An iterator over it, say; but a proxy that was kept there is one of its own.
        if isinstance(found, base) and found._manager is not None:
            vars(found)["_syncsim"] = known
        return found

    base._callmethod = callmethod


def _id(proxy: Any) -> str:
    """Without asking: the server itself may want to know, in the middle of an answer."""
    known: Known | None = vars(proxy).get("_syncsim")
    return known.key if known else _own_key(proxy)


def _own_key(proxy: Any) -> str:
    return f"{proxy._token.address!r} {proxy._token.id}"


def _look_up(proxy: Any, managers: Any, call: Callable[..., Any]) -> Known:
    """Return the referent of the proxy; its server is asked once, and knows the process then."""
    known: Known | None = vars(proxy).get("_syncsim")
    if not hasattr(proxy._tls, "connection"):
        proxy._connect()
    if known is None:
        try:
            sort, key = call(proxy, serving.SORT)
        except managers.RemoteError:
            sort, key = "", _own_key(proxy)
        known = vars(proxy)["_syncsim"] = _known(sort, key, proxy._token.typeid)
    return known


def _lock(
    gate: Gate, known: Known, real: Callable[..., Any], proxy: Any, method: str, args: Any
) -> Any:
    """A lock or a semaphore: its model says whether it can be had."""
    if method == "release":
        gate.give(Verb.RELEASE, known.lock)
        return real(proxy, "release", args)
    block, timeout = (*args, True, None)[:2] if args else (True, None)
    if len(args) == 1:
        timeout = None

    def acquire(block: bool, timeout: float | None = None) -> bool:
        args = (block,) if timeout is None else (block, timeout)
        return bool(_asleep(lambda: real(proxy, "acquire", args)))

    return gate.acquire(known.lock, acquire, bool(block), timeout)


def _asleep(call: Callable[[], Any]) -> Any:
    """Tell one that waits in a server of its end, as one that has sent the request is told."""
    try:
        return call()
    except (BrokenPipeError, ConnectionResetError):
        raise EOFError from None


class _Sleepy:
    """A call that may have to sleep in the server: first half there, then at the caller's gate."""

    def __init__(self, gate: Gate, managers: Any, proxy: Any, known: Known) -> None:
        self._gate = gate
        self._managers = managers
        self._proxy = proxy
        self._known = known

    def call(self, method: str, args: Any, keywords: Any) -> Any:
        """The whole call."""
        gate, known = self._gate, self._known
        here = gate.here
        shown = safe_text(args[0]) if method == "put" and args else ""
        here.call = Call(f"{known.kind}.{method}", known.key, gate.code.user_frame(), shown)
        result = ""
        try:
            request = (here.tid, method, args, keywords)
            if known.sort == "Condition":
                gate.give(Verb.RELEASE, known.lock)
                kind, answer = self._ask(*request)
            else:
                kind, answer = gate.take(
                    Verb.CALL, known.key, lambda: self._ask(*request), detail=shown, label=_none
                )
            while kind == serving.ASLEEP:
                kind, answer = self._sleep(*answer)
            value = self._result(kind, answer)
            result = safe_text(value)
            return value
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            here.call = None
            gate.write(wire.Back(gate.pid, here.tid, result))

    @property
    def _line(self) -> Any:
        if not hasattr(self._proxy._tls, "connection"):
            self._proxy._connect()
        return self._proxy._tls.connection

    def _ask(self, tid: int, method: str, args: Any, keywords: Any) -> Any:
        caller = (self._gate.pid, tid)
        return self._exchange((self._proxy._id, serving.CALL, (caller, method, args, keywords), {}))

    def _exchange(self, message: Any) -> Any:
        self._line.send(message)
        return self._line.recv()

    def _sleep(self, units: int, timeout: float | None) -> Any:
        """Sleeps, takes the lock again where there is one, and hears what comes next."""
        gate, known = self._gate, self._known
        for _ in range(units - 1):
            gate.note(Verb.RELEASE, known.lock)
        call = gate.here.call
        woken = gate.take(
            Verb.WAKE,
            known.wait,
            lambda: _asleep(lambda: self._exchange((True, timeout))),
            detail=call.detail if call else "",
            timeout=timeout,
            label=lambda answer: str(answer[1]),
        )
        if woken is None:  # its time is up
            self._exchange((False, None))
        for unit in range(units):
            gate.acquire(known.lock, self._take_lock if unit == 0 else _true, True, None)
        return self._line.recv()

    def _take_lock(self, block: bool, timeout: float | None = None) -> bool:
        locked: bool = self._exchange(block)[1]
        return locked

    def _result(self, kind: str, answer: Any) -> Any:
        if kind != "#RETURN":
            raise self._managers.convert_to_error(kind, answer)
        well, value = answer
        if not well:
            raise value
        return value


def _none(_: Any) -> str:
    return "None"


def _true(*_: Any) -> bool:
    return True
