"""An object in the server of a manager, alive, with the calls that sleep in it.

The code is CPython's own: ``managers.Server`` finds the method and words the answer, and what may
sleep (``Event``, ``Barrier``, ``queue.Queue``) is the real class; only ``threading.Condition.wait``
inside it leaves the greenlet that the call runs in, as it leaves the caller in the real world.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, NamedTuple, Protocol, TypeAlias

from greenlet import GreenletExit, getcurrent, greenlet

from syncsim.program.managed import sort_of
from syncsim.virtual.errors import NotVirtualError

#: What names the thing that was made first; others are its iterators and the like.
ROOT = "0"


class Asked(NamedTuple):
    """A call on the thing with that id: the method, and its arguments, pickled.

    ``owner`` says whether the caller has the lock that comes with it.
    """

    ident: str
    method: str
    message: bytes
    owner: bool = False


class Woken(NamedTuple):
    """Whoever sleeps in a call goes on: woken, or because its time is up."""

    got: bool


class Locked(NamedTuple):
    """Whoever was woken has the lock again."""


class Died(NamedTuple):
    """Whoever sleeps in a call is dead; its call sleeps on."""


class Asleep(NamedTuple):
    """The call sleeps, for so many seconds at the most; with the lock given up, if one is lent."""

    timeout: float | None
    lent: bool


class Awake(NamedTuple):
    """The call goes on as soon as its caller has the lock again."""


Request: TypeAlias = Asked | Woken | Locked | Died
#: An answer is the server's message, pickled, or that there is none yet.
Reply: TypeAlias = bytes | Asleep | Awake


class Host(Protocol):
    """The server's process."""

    def runs(self, typeid: str = "") -> AbstractContextManager[None]:
        """Meanwhile its code runs, or that of the thing's class."""
        ...

    def loads(self, data: bytes) -> Any:
        """Return the object that was sent to the server."""
        ...

    def dumps(self, value: Any) -> bytes:
        """Return an object that the server sends, or keeps, as bytes; may raise anything."""
        ...

    def desk(self, typeid: str, args: Any, keywords: Any, *again: Any) -> Any:
        """A ``managers.Server`` for one thing: a new one, or what it is ``again``."""
        ...


class _Talk:
    """A call that is under way in the server: who made it, and its greenlet."""

    __slots__ = (
        "actor",
        "dead",
        "greenlet",
        "late",
        "owner",
        "place",
        "reply",
        "request",
        "waiter",
    )

    def __init__(self, actor: int, request: Asked) -> None:
        self.actor = actor
        self.request = request
        self.owner = request.owner
        self.late = False
        self.dead = False
        self.greenlet: Any = None
        self.waiter: _Waiter | None = None
        self.place: Hashable = None
        self.reply: bytes = b""

    @property
    def is_woken(self) -> bool:
        """Return whether the call sleeps, and has been woken."""
        return self.waiter is not None and self.waiter.released


class ManagedObject:
    """The thing itself, with the calls that sleep in it."""

    def __init__(self, server: Host, typeid: str, message: bytes, image: bytes | None) -> None:
        self._server = server
        self._typeid = typeid
        self._asleep: dict[int, _Talk] = {}
        self._talk: _Talk | None = None
        self.woke: list[int] = []
        self.pickled = image
        with server.runs(typeid):
            args, keywords = server.loads(message)
            again = (server.loads(image),) if image is not None else ()
            self._desk = server.desk(typeid, args, keywords, *again)
        self.root, exposed, _ = self._desk.id_to_obj[ROOT]
        self.exposed = sorted(exposed)
        maker = self._desk.registry[typeid][0]
        self.sort = sort_of(maker, self.root, given=bool(args or keywords))
        for name, one in _conditions(self.root).items() if self.sort else ():
            one.__class__ = _Condition
            vars(one).update(alive=self, lent=name == "")
            if name == "":
                one._is_owned = self._is_owner

    def _is_owner(self) -> bool:
        """Return whether the current caller has the lock that comes with the thing."""
        talk = self._talk
        return talk is not None and talk.owner

    @property
    def asleep(self) -> frozenset[int]:
        """The actors who sleep in the object and live."""
        return frozenset(actor for actor, talk in self._asleep.items() if not talk.dead)

    @property
    def can_wake(self) -> frozenset[int]:
        """The sleepers that may go on."""
        return frozenset(actor for actor in self.asleep if self._asleep[actor].is_woken)

    def ask(self, actor: int, request: Request) -> Reply:
        """Let the request happen."""
        self.woke = []
        self.pickled = None
        if isinstance(request, Died):
            self._asleep[actor].dead = True
            reply: Reply = b""
        else:
            reply = self._let_go_on(actor, request)
        # Calls of the dead sleep on: nobody but the server itself lets them go on.
        while dead := [one for one, talk in self._asleep.items() if talk.dead and talk.is_woken]:
            if type(self._let_go_on(dead[0], Woken(True))) is Awake:
                raise NotVirtualError("a Condition of a manager in which a killed process slept")
        self.woke = [
            one for one in self.woke if one not in self._asleep or not self._asleep[one].dead
        ]
        return reply

    def _let_go_on(self, actor: int, request: Asked | Woken | Locked) -> Reply:
        if isinstance(request, Asked):
            talk = _Talk(actor, request)
            talk.greenlet = greenlet(lambda _: self._serve(talk))
        else:
            talk = self._asleep.pop(actor)
            talk.waiter = None
            talk.late = talk.late or request == Woken(False)
        talk.greenlet.parent = getcurrent()
        self._talk = talk
        try:
            with self._server.runs(self._typeid), _own_time(talk):
                found: Reply | None = talk.greenlet.switch(getattr(request, "got", None))
        finally:
            self._talk = None
        if found is None:
            return talk.reply
        self._asleep[actor] = talk
        return found

    def _serve(self, talk: _Talk) -> None:
        """A request from beginning to end; the reply is left in the talk."""
        with contextlib.suppress(SystemExit):  # the caller has no more to ask
            self._desk.serve_client(_Line(self._server, talk))

    def close(self) -> None:
        """Unwind the calls that sleep; nothing comes of that."""
        for talk in self._asleep.values():
            talk.greenlet.parent = getcurrent()
            self._talk = talk
            with self._server.runs(), contextlib.suppress(BaseException):
                talk.greenlet.throw(GreenletExit)
        self._asleep.clear()

    # -- who sleeps -----------------------------------------------------------------------

    def sleep(self, timeout: float | None, waiters: Any, *, lent: bool) -> tuple[bool, _Waiter]:
        """The current call sleeps; whether it was woken (else its time is up)."""
        talk = self._talk
        if talk is None:
            raise NotVirtualError("a thing of a manager that sleeps while it is made")
        waiter = talk.waiter = _Waiter(self, talk.actor)
        waiters.append(waiter)
        talk.place = _place(sys._getframe(1))
        got: bool = talk.greenlet.parent.switch(Asleep(timeout, lent))
        return got, waiter

    def take_again(self) -> None:
        """The current call goes on when its caller has the lock again."""
        talk = self._talk
        assert talk is not None
        talk.place = _place(sys._getframe(1))
        talk.greenlet.parent.switch(Awake())

    # -- what it is -----------------------------------------------------------------------

    def image(self, *, counts_tasks: bool) -> Hashable | None:
        """All that its future depends on; None where that cannot be said."""
        left_out = _MADE_OF if counts_tasks else _MADE_OF | {"unfinished_tasks"}
        inside = _inside(self.root)
        things = [thing for thing, _, _ in self._desk.id_to_obj.values() if thing is not None]
        try:
            with self._server.runs():
                if not inside and len(things) == 1:
                    self.pickled = self._server.dumps(self.root)
                    return self.pickled
                whole = [_image(thing, self._server, left_out) for thing in things]
        except Exception:  # something in it cannot be pickled
            return None
        asleep = tuple(
            (actor, talk.request, talk.late, talk.dead, talk.place, talk.is_woken)
            for actor, talk in sorted(self._asleep.items())
        )
        return tuple(self._desk.id_to_obj), tuple(whole), asleep


class _Line:
    """The connection on which the server hears one request, and answers it."""

    def __init__(self, server: Host, talk: _Talk) -> None:
        self._server = server
        self._talk = talk
        self._asked = False

    def recv(self) -> Any:
        """The request; then no more."""
        if self._asked:
            raise EOFError
        self._asked = True
        ident, method, message, _ = self._talk.request
        return ident, method, *self._server.loads(message)

    def send(self, answer: Any) -> None:
        """Store the pickled answer; raise what pickling raises."""
        self._talk.reply = self._server.dumps(answer)

    def close(self) -> None:
        """Nothing to do."""


# -- sleeping ----------------------------------------------------------------------------


class _Waiter:
    """The lock on which one call sleeps; CPython's ``notify`` releases it."""

    def __init__(self, alive: ManagedObject, actor: int) -> None:
        self._alive = alive
        self.actor = actor
        self.released = False

    def release(self) -> None:
        """Wakes the sleeper."""
        self._alive.woke.append(self.actor)
        self.released = True


class _Condition(threading.Condition):
    """A Condition whose ``wait`` leaves the greenlet; ``notify`` is CPython's own.

    The rule is that of ``threading.Condition.wait``: sleep on a lock of one's own, and take the
    Condition's lock again afterwards.  A ``lent`` one is locked by callers, between their calls.
    """

    alive: ManagedObject
    lent: bool

    def wait(self, timeout: float | None = None) -> bool:
        """Do as the real one does."""
        inside: Any = self
        if not inside._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        if not self.lent:
            inside._release_save()
        got, waiter = self.alive.sleep(timeout, inside._waiters, lent=self.lent)
        if self.lent:
            self.alive.take_again()
        else:
            inside._acquire_restore(None)
        if not got and waiter in inside._waiters:
            inside._waiters.remove(waiter)
        return got


def _conditions(thing: Any) -> dict[str, Any]:
    """The Conditions of a thing by the name they have in it, the empty one for itself."""
    if type(thing) in (threading.Condition, _Condition):
        return {"": thing}
    if type(thing) in (threading.Event, threading.Barrier) or isinstance(thing, queue.Queue):
        return {
            name: one for name, one in vars(thing).items() if isinstance(one, threading.Condition)
        }
    return {}


def _inside(thing: Any) -> dict[str, Any]:
    """The attributes of a thing that is made of Conditions."""
    return vars(thing) if _conditions(thing) else {}


def _image(thing: Any, server: Host, left_out: frozenset[str]) -> Hashable:
    inside = _inside(thing)
    if not inside:
        return server.dumps(thing)
    found: list[Hashable] = [type(thing).__name__]
    for name, value in inside.items():
        if name == "_waiters":
            found.append(_line_of(value))
        elif isinstance(value, _Condition):
            found.append(_line_of(vars(value)["_waiters"]))
        elif name not in left_out and not isinstance(value, ManagedObject):
            found.append((name, server.dumps(value)))
    return tuple(found)


#: What is the same in all of them: the locks, and their methods.
_MADE_OF = frozenset(
    ("mutex", "_lock", "acquire", "release", "_release_save", "_acquire_restore", "_is_owned")
)


def _line_of(waiters: Any) -> Hashable:
    return tuple((waiter.actor, waiter.released) for waiter in waiters)


def _place(frame: FrameType | None) -> Hashable:
    """Where a call sleeps, and the plain values that it will need."""
    found: list[Hashable] = []
    while frame is not None:
        values = tuple(
            (name, value)
            for name, value in frame.f_locals.items()
            if type(value) in (int, float, bool, str, type(None))
        )
        found.append((frame.f_code.co_qualname, frame.f_lasti, values))
        if frame.f_code is ManagedObject._serve.__code__:
            break
        frame = frame.f_back
    return tuple(found)


@contextlib.contextmanager
def _own_time(talk: _Talk) -> Iterator[None]:
    """For one who has waited long enough, time is up; nobody else waits for a real lock."""

    def clock() -> float:
        return float("inf") if talk.late else 0.0

    def allocate_lock() -> Any:
        return _Untouchable()

    given = (
        (threading, "_time", clock),
        (queue, "time", clock),
        (threading, "_allocate_lock", allocate_lock),
    )
    before = [(module, name, getattr(module, name)) for module, name, _ in given]
    for module, name, value in given:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


class _Untouchable:
    """A lock on which a call would sleep that the virtual world cannot wake."""

    def __init__(self) -> None:
        self._taken = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Takes it, if that takes no time."""
        if self._taken and blocking:
            raise NotVirtualError("a wait inside a manager's class of the program's own")
        taken, self._taken = self._taken, True
        return not taken

    def release(self) -> None:
        """Gives it back."""
        self._taken = False
