"""The server of a manager: it answers calls, tells what it keeps, and sleeps in two halves.

Nothing here is ever held up.  A call that has to sleep (``Event.wait``, ``Queue.get``) is
CPython's own; only ``threading.Condition.wait`` inside it is cut in two: the server tells the
caller that it sleeps, and goes on when the caller, at its own gate, may go on.
"""

from __future__ import annotations

import functools
import queue
import threading
import time
from typing import Any

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.gate import Gate
from syncsim.program.managed import content, sort_of

#: The name of the method by which one of our own callers asks for a call in two halves, and of
#: the one that says what a thing is.
CALL, SORT = "#SYNCSIM", "_syncsim_sort"
#: What the server answers before the answer.
ASLEEP, AWAKE, LOCKED = "#ASLEEP", "#AWAKE", "#LOCKED"


class _Talk(threading.local):
    """The caller with whom the current thread of the server speaks, if it is one of ours."""

    line: Any = None
    caller = (0, 0)
    late = False  # the caller has waited for as long as it wished to


_talk = _Talk()
_telling = threading.Lock()


def install(gate: Gate, managers: Any) -> None:
    """Wrap the server's side of ``multiprocessing.managers``."""
    server = managers.Server
    real_run, real_forever = managers.BaseManager._run_server, server.serve_forever
    real_create, real_client = server.create, server.serve_client
    _ = server.public, server.fallback_mapping, threading._time, queue.time  # type: ignore[attr-defined]

    @functools.wraps(real_run.__func__)
    def run_server(cls: Any, *args: Any, **keywords: Any) -> None:
        gate.serve()
        real_run.__func__(cls, *args, **keywords)

    @functools.wraps(real_forever)
    def serve_forever(self: Any) -> None:
        gate.serve()
        _keep_time()
        real_forever(self)

    @functools.wraps(real_create)
    def create(self: Any, c: Any, typeid: str, /, *args: Any, **keywords: Any) -> Any:
        known = set(self.id_to_obj)
        ident, exposed = real_create(self, c, typeid, *args, **keywords)
        if gate.active:
            maker = self.registry[typeid][0]
            thing = self.id_to_obj[ident][0]
            kept = vars(self).setdefault("_syncsim_sorts", {})
            fresh = ident not in known
            if fresh or ident not in kept:
                kept[ident] = sort_of(maker, thing, given=bool(args or keywords))
                if kept[ident]:
                    _cut_in_two(gate, thing, key(self, ident))
            _tell(gate, self, ident, fresh=fresh)
        return ident, exposed

    def serve_client(self: Any, conn: Any) -> None:
        real_client(self, _Line(gate, self, conn) if gate.active else conn)

    def sort(self: Any, c: Any, ident: str) -> tuple[str, str]:
        return vars(self).get("_syncsim_sorts", {}).get(ident, ""), key(self, ident)

    managers.BaseManager._run_server = classmethod(run_server)
    server.serve_forever, server.create, server.serve_client = serve_forever, create, serve_client
    setattr(server, SORT, sort)
    for cls in {server, getattr(managers, "SharedMemoryServer", server)}:
        cls.public = [*cls.public, SORT]
    server.fallback_mapping = {
        **server.fallback_mapping,
        CALL: _call,
        SORT: lambda self, conn, ident, thing: sort(self, conn, ident),
    }


def key(server: Any, ident: str) -> str:
    """Return what names a thing in every process of the run."""
    return f"{server.address!r} {ident}"


# -- what is kept ----------------------------------------------------------------------------


class _Line:
    """The connection that a thread of the server serves: before each answer, what is there now."""

    def __init__(self, gate: Gate, server: Any, connection: Any) -> None:
        self._gate = gate
        self._server = server
        self._connection = connection
        self._asked: Any = None

    def recv(self) -> Any:
        """The next request."""
        self._asked = None
        self._asked = self._connection.recv()
        return self._asked

    def send(self, answer: Any) -> None:
        """The answer to it."""
        if self._asked is not None:
            _tell(self._gate, self._server, self._asked[0])
        self._connection.send(answer)

    def close(self) -> None:
        """Do as the real one does."""
        self._connection.close()

    @property
    def real(self) -> Any:
        """The connection itself."""
        return self._connection


def _tell(gate: Gate, server: Any, ident: str, *, fresh: bool = False) -> None:
    """Tell what is in a thing.  Nobody else tells meanwhile: so the last word is the true one."""
    with _telling:
        kept = server.id_to_obj.get(ident)
        if kept is None:
            return
        try:
            text = content(kept[0])
        except RuntimeError:  # another thread changes it just now, and will tell
            text = "…"
        told = vars(server).setdefault("_syncsim_told", {})
        if fresh or told.get(ident) != text:
            told[ident] = text
            gate.write(wire.Shows(gate.pid, key(server, ident), text, fresh))


# -- sleeping in two halves ------------------------------------------------------------------


def _call(
    server: Any,
    conn: Any,
    ident: str,
    thing: Any,
    caller: tuple[int, int],
    method: str,
    args: Any,
    keywords: Any,
) -> tuple[bool, Any]:
    """A call that may sleep, asked for by one of our own; whether it went well, and the answer."""
    _talk.line, _talk.caller, _talk.late = conn.real, caller, False
    try:
        return True, getattr(thing, method)(*args, **keywords)
    except Exception as error:
        return False, error
    finally:
        _talk.line, _talk.late = None, False


def _cut_in_two(gate: Gate, thing: Any, name: str) -> None:
    inner: list[Any] = []
    if type(thing) is threading.Condition:
        inner = [thing]
    elif type(thing) in (threading.Event, threading.Barrier):
        inner = [thing._cond]
    elif isinstance(thing, queue.Queue):
        inner = [thing.not_empty, thing.not_full, thing.all_tasks_done]
    for condition in inner:
        condition.__class__ = _Condition
        condition.gate, condition.atom = gate, f"{name} wait"
        condition.lent, condition.lock_atom = condition is thing, f"{name} lock"


class _Waiter:
    """The lock on which one caller sleeps; CPython's ``notify`` releases it."""

    __slots__ = ("_lock", "_notice", "acquire")

    def __init__(self, gate: Gate, atom: str, caller: tuple[int, int]) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.acquire = self._lock.acquire
        self._notice = functools.partial(
            gate.write, wire.Woken(gate.pid, atom, caller[0], caller[1])
        )

    def release(self) -> None:
        """Wakes the sleeper; that is told before it takes effect."""
        self._notice()
        self._lock.release()


class _Condition(threading.Condition):
    """A Condition of which one caller's ``wait`` has two halves; ``notify`` is CPython's own.

    The rule is that of ``threading.Condition.wait``: sleep on a lock of one's own, and take the
    Condition's lock again afterwards.
    """

    gate: Gate
    atom: str
    lock_atom: str
    lent: bool  # whether callers hold its lock between their calls

    def wait(self, timeout: float | None = None) -> bool:
        """Do as the real one does, in talk with the caller."""
        line = _talk.line
        if line is None:
            return super().wait(timeout)
        inside: Any = self
        if not inside._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        waiter = _Waiter(self.gate, self.atom, _talk.caller)
        inside._waiters.append(waiter)
        saved = inside._release_save()
        units = saved[0] if self.lent else 0
        got = locked = dead = False
        try:
            line.send((ASLEEP, (units, timeout)))
            block, left = line.recv()
            got = waiter.acquire(block, -1 if left is None or not block else left)
            _talk.late = not got
            line.send((AWAKE, got))
            while units and not locked:
                locked = self._lock_again(saved, line.recv())
                line.send((LOCKED, locked))
        except (EOFError, OSError):
            # The caller is dead: its call sleeps on all the same, as under plain Python, and
            # then has the lock for ever.
            dead = True
            if not got:
                got = waiter.acquire(True, -1 if timeout is None else timeout)
        finally:
            if not locked:
                inside._acquire_restore(saved)
            if dead and self.lent:
                self.gate.note(Verb.ACQUIRE, self.lock_atom)
            if not got and waiter in inside._waiters:
                inside._waiters.remove(waiter)
        return got

    def _lock_again(self, saved: Any, block: bool) -> bool:
        inside: Any = self
        if not block:
            if not inside._lock.acquire(False):
                return False
            inside._lock.release()
        inside._acquire_restore(saved)
        return True


def _keep_time() -> None:
    """For one who has waited long enough, time is up: a timeout is a choice, not a time."""

    def clock() -> float:
        return float("inf") if _talk.late else time.monotonic()

    for module, name in ((threading, "_time"), (queue, "time")):
        setattr(module, name, clock)
