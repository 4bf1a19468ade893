"""An operation, which a process asks of an atom, with the call and the site it belongs to."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from msgspec import Struct


@lru_cache(maxsize=256)
def _method(call: str) -> str:
    return call.rpartition(".")[2]


class Verb(StrEnum):
    """The verbs of the atoms."""

    __hash__ = str.__hash__  # that of an Enum is made in Python, for each look-up anew

    ACQUIRE = "acquire"
    RELEASE = "release"
    VALUE = "value"
    PUT = "put"
    SEND = "send"
    SENT = "sent"
    DROP = "drop"
    FLUSH = "flush"
    RECEIVE = "receive"
    POLL = "poll"
    READ = "read"
    WRITE = "write"
    CALL = "call"  # a method of an object that a manager's server keeps
    WAKE = "wake"
    WAIT_ANY = "wait any"
    OPEN = "open"
    CLOSE = "close"
    UNLINK = "unlink"
    START = "start"
    JOIN = "join"
    ALIVE = "alive"
    TERMINATE = "terminate"
    EXIT = "exit"
    BORN = "born"
    LEAVE = "leave"
    SLEEP = "sleep"
    OUTPUT = "output"
    SUBMIT = "submit"  # hand over a job: its outcome can be waited for from here on
    AWAIT = "await"  # wait for an outcome
    QUEUE = "queue"  # a task of a job is in line
    BEGIN = "begin"  # a worker runs it
    SETTLE = "settle"  # a task is done; an outcome is there
    CANCEL = "cancel"  # a task leaves the line
    SHUT_DOWN = "shut_down"  # no more jobs


#: Names for where every operation of a free run comes by: up to Python 3.11 ``Verb.ACQUIRE`` asks
#: the metaclass (``EnumType.__getattr__``), each time for a fraction of a microsecond.
ACQUIRE, RELEASE, PUT, SEND, SENT = Verb.ACQUIRE, Verb.RELEASE, Verb.PUT, Verb.SEND, Verb.SENT
START, TERMINATE, EXIT = Verb.START, Verb.TERMINATE, Verb.EXIT
RECEIVE, POLL = Verb.RECEIVE, Verb.POLL


#: The answers of an operation that takes or gives, as they are reported.
YES, NO, NOTHING = "True", "False", "None"

#: What is about no other process: who does nothing else synchronizes with nobody.
ALONE = frozenset((Verb.OUTPUT, Verb.SLEEP, Verb.BORN, Verb.EXIT, Verb.LEAVE))


class Site(Struct, frozen=True, gc=False):
    """A place in the program: the file, the line (1-based) and the function."""

    file: str
    line: int
    function: str


class Operation(Struct, frozen=True, gc=False):
    """One operation on one atom.

    ``atom`` names the atom (empty for the clock and for output; the pid for a process's
    life; for ``WAIT_ANY`` the pipes and pids, each after a line break).  ``call`` is the user-level
    call it belongs to, such as ``Queue.put``, on the primitive with the id ``primitive``;
    ``role`` says which part of that primitive the atom is.  ``compound`` is true when the
    call consists of more operations than this one, and so ends by a return of its own.
    ``timeout`` is in seconds.  ``detail`` is the argument in words: the item put, the value
    written, the text printed, the seconds slept, the name of the process started.
    """

    verb: Verb
    atom: str = ""
    call: str = ""
    primitive: str = ""
    role: str = ""
    site: Site | None = None
    compound: bool = False
    blocking: bool = True
    timeout: float | None = None
    detail: str = ""

    @property
    def method(self) -> str:
        """The method that was called: ``put``."""
        return _method(self.call) or str(self.verb)

    @property
    def can_time_out(self) -> bool:
        """The operation may end by its timeout instead of by taking effect."""
        return self.blocking and self.timeout is not None
