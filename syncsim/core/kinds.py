"""The table of the kinds of primitives: what each is made of, what it offers, and its words.

Both worlds, the diagnosis, the sentences and the drawings read it; a new primitive begins with a
row here.  In the words {it} is the primitive, {detail} the argument, {result} the result,
{by} who holds it (", held by Ada"), {before} who is ahead in line.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple

from msgspec import Struct

#: The beginning of the name of a kind that the server of a manager keeps: ``Manager Lock``.
MANAGED: Final = "Manager "


class Role(StrEnum):
    """The role of an atom in the primitive that it is a part of; the value is the wire's word."""

    __hash__ = str.__hash__

    LOCK = "lock"
    PERMITS = "permits"
    SLEEPING = "sleeping"
    WOKEN = "woken"
    WAIT = "wait"
    FLAG = "flag"
    PHASE = "phase"
    COUNT = "count"
    SLOTS = "slots"
    ITEMS = "items"
    ITEMS_BACK = "items back"
    GET_LOCK = "get lock"
    PUT_LOCK = "put lock"
    SEND_LOCK = "send lock"
    UNFINISHED = "unfinished"
    VALUE = "value"
    BLOCK = "block"
    WORK = "work"
    TASKS = "tasks"
    RESULTS = "results"
    WORKER_HANDLER = "worker handler"
    TASK_HANDLER = "task handler"
    RESULT_HANDLER = "result handler"


#: The directions of a pipe.
LANES: Final = (Role.ITEMS, Role.ITEMS_BACK)

#: The purpose of each part, in a few words.
PURPOSES: Final[Mapping[str, str]] = {
    Role.LOCK: "to be had while inside",
    Role.SLEEPING: "goes up when one lies down",
    Role.WOKEN: "goes up when one woke up",
    Role.WAIT: "here they sleep; up wakes one",
    Role.FLAG: "1 while it is set",
    Role.SLOTS: "places that are free",
    Role.ITEMS: "what can be got",
    Role.ITEMS_BACK: "what comes the other way",
    Role.GET_LOCK: "one gets at a time",
    Role.PUT_LOCK: "one sends at a time",
    Role.SEND_LOCK: "one sends a task at a time",
    Role.UNFINISHED: "tasks that are not done",
    Role.VALUE: "shared memory",
}

_PART_NAMES: Final[Mapping[str, str]] = {
    Role.ITEMS: "pipe",
    Role.ITEMS_BACK: "pipe back",
    Role.VALUE: "memory",
}


def part_name(role: str) -> str:
    """Return what a part of a primitive is called: "pipe", "put lock"."""
    return _PART_NAMES.get(role, role)


class Family(Enum):
    """Kinds that are drawn and explained alike."""

    LOCK = auto()
    SEMAPHORE = auto()
    CONDITION = auto()
    EVENT = auto()
    BARRIER = auto()
    QUEUE = auto()
    PIPE = auto()
    SHARED = auto()
    UNLOCKED = auto()  # shared memory without a lock
    BLOCK = auto()
    WORKERS = auto()
    OTHER = auto()


class CallWords(NamedTuple):
    """The sentences for a call: it is done, it stopped to wait in the middle, it was in vain.

    The subject is the process.  Without a sentence of their own the latter two are named.
    """

    done: str
    begun: str = ""
    in_vain: str = ""


class Kind(Struct, frozen=True):
    """One kind of primitive.

    ``roles`` are its parts, ``calls`` the methods it offers, by the name of the class that has
    them; those ``marked`` are made of several operations.  ``noun`` is what somebody in line
    waits for; ``waits`` are the clauses for those who wait in a role (or in a role and a method:
    ``wait put``).  In the server of a manager the methods ``sleeping`` may sleep, and what
    ``is_lockable`` has the model of any other lock.  A Pool ``replaces_workers`` that have died,
    and does not do their tasks again; an executor is broken instead.
    """

    name: str
    family: Family
    roles: tuple[Role, ...] = ()
    calls: Mapping[str, CallWords] = {}
    marked: tuple[str, ...] = ()
    noun: str = "the lock of {it}"
    waits: Mapping[str, str] = {}
    class_name: str = ""
    sleeping: tuple[str, ...] = ()
    is_lockable: bool = False
    replaces_workers: bool = False

    @property
    def is_unlocked_memory(self) -> bool:
        """Memory without a lock, of which a free run does not tell the exact order."""
        shared = self.family is Family.BLOCK and Role.VALUE in self.roles
        return shared or self.family is Family.UNLOCKED

    @property
    def is_read_whole(self) -> bool:
        """Shared memory of which a get reads all that is in it."""
        return self.family in (Family.SHARED, Family.UNLOCKED) and not self.has_indices

    @property
    def has_indices(self) -> bool:
        """A get tells by its argument which element is read."""
        read = self.calls.get("get")
        return read is not None and "[{detail}]" in read.done

    def clause(self, role: str, method: str) -> str:
        """Return the template for somebody who waits in that role, in that method."""
        clause = self.waits.get(f"{role} {method}") or self.waits.get(role)
        return clause or f"waits for {self.noun}{{by}}"


_LOCK_CALLS: Final = {
    "acquire": CallWords("takes {it}", in_vain="does not get {it}"),
    "release": CallWords("gives {it} back"),
}
_INNER_LOCK_CALLS: Final = {
    "acquire": CallWords("takes the lock of {it}", in_vain="does not get {it}"),
    "release": CallWords("gives the lock of {it} back"),
}
_PERMIT_CALLS: Final = {
    "acquire": CallWords("takes a permit of {it}", in_vain="does not get {it}"),
    "release": CallWords("gives a permit of {it} back"),
    "get_value": CallWords("sees {result} permits of {it}"),
}
_MEMORY_CALLS: Final = {
    "get": CallWords("reads {result} from {it}"),
    "set": CallWords("writes {detail} to {it}"),
    **_INNER_LOCK_CALLS,
}
_CONDITION_ROLES: Final = (Role.LOCK, Role.SLEEPING, Role.WOKEN, Role.WAIT)
_QUEUE_ROLES: Final = (Role.ITEMS, Role.GET_LOCK, Role.PUT_LOCK, Role.SLOTS)
_WORKERS_ROLES: Final = (
    Role.WORK,
    Role.TASKS,
    Role.GET_LOCK,
    Role.RESULTS,
    Role.PUT_LOCK,
    Role.WORKER_HANDLER,
)

_EMPTY: Final = "waits for {it}: it is empty"
_FULL: Final = "waits for {it}: the queue is full"
_ALL_DONE: Final = "waits until all tasks of {it} are done"
_SIMPLE_QUEUE_WAITS: Final[dict[str, str]] = {
    Role.ITEMS: _EMPTY,
    Role.GET_LOCK: "waits for {it}: {before}",
    Role.PUT_LOCK: "waits for the put lock of {it}{by}",
}
_QUEUE_WAITS: Final[dict[str, str]] = _SIMPLE_QUEUE_WAITS | {
    Role.SLOTS: _FULL,
    "wait put": _FULL,
    Role.WAIT: _ALL_DONE,
}
_PUT: Final = "puts {detail} into {it}"
_GET: Final = "gets {result} from {it}"
_NEXT_IN_LINE: Final = "is next in line to get from {it}"
_FOUND_FULL: Final = "finds {it} full and waits"
_ONE_DONE: Final = "reports a task of {it} done"
_KNOWS_ALL_DONE: Final = "knows that all tasks of {it} are done"
_NEXT_TASK: Final = "is next in line for a task of {it}"
_HANDED: Final = CallWords("hands {detail} to {it}")
_ALL_RESULTS: Final = CallWords(
    "has the results of {detail} from {it}: {result}",
    begun="hands {detail} to {it} and waits for the results",
)
_OUT_OF_TIME: Final = "waited on {it} in vain: its time ran out"
_TO_BE_NOTIFIED: Final = "gives up the lock of {it} and waits to be notified"
#: What a worker of a Pool or an executor does at it.
_WORKER_CALLS: Final = {
    "get": CallWords("begins {result}, a task of {it}", begun=_NEXT_TASK),
    "put": CallWords("is done with {detail}, a task of {it}"),
    "fail": CallWords("has failed at {detail}, a task of {it}"),
}

_TABLE: Final = (
    Kind(
        "Lock",
        Family.LOCK,
        (Role.LOCK,),
        _LOCK_CALLS | {"locked": CallWords("looks whether {it} is locked: {result}")},
        noun="{it}",
        is_lockable=True,
    ),
    Kind("RLock", Family.LOCK, (Role.LOCK,), _LOCK_CALLS, noun="{it}", is_lockable=True),
    Kind(
        "Semaphore",
        Family.SEMAPHORE,
        (Role.PERMITS,),
        _PERMIT_CALLS,
        marked=("get_value",),
        noun="a permit of {it}",
        is_lockable=True,
    ),
    Kind(
        "BoundedSemaphore",
        Family.SEMAPHORE,
        (Role.PERMITS,),
        _PERMIT_CALLS,
        noun="a permit of {it}",
        is_lockable=True,
    ),
    Kind(
        "Condition",
        Family.CONDITION,
        _CONDITION_ROLES,
        _INNER_LOCK_CALLS
        | {
            "wait": CallWords(
                "is awake again and has the lock of {it}", _TO_BE_NOTIFIED, _OUT_OF_TIME
            ),
            "wait_for": CallWords("has what it waited for on {it}", _TO_BE_NOTIFIED, _OUT_OF_TIME),
            "notify": CallWords(
                "notifies {it}", begun="notifies {it} and waits until the sleeper is awake"
            ),
            "notify_all": CallWords(
                "notifies everyone on {it}",
                begun="notifies everyone on {it} and waits until the sleepers are awake",
            ),
        },
        marked=("wait", "wait_for", "notify", "notify_all"),
        waits={Role.WAIT: "waits on {it} until it is notified"},
        sleeping=("wait",),
        is_lockable=True,
    ),
    Kind(
        "Event",
        Family.EVENT,
        (Role.FLAG, *_CONDITION_ROLES),
        {
            "set": CallWords("sets {it}", begun="sets {it} and waits until the sleepers are awake"),
            "clear": CallWords("clears {it}"),
            "wait": CallWords(
                "goes on: {it} is set",
                begun="finds {it} not set and goes to sleep",
                in_vain="goes on although {it} is not set",
            ),
            "is_set": CallWords("looks whether {it} is set: {result}"),
        },
        marked=("is_set", "set", "clear", "wait"),
        waits={Role.WAIT: "waits for {it} to be set"},
        sleeping=("wait",),
    ),
    Kind(
        "Barrier",
        Family.BARRIER,
        (*_CONDITION_ROLES, Role.PHASE, Role.COUNT),
        {
            "wait": CallWords("passes {it}", begun="arrives at {it} and waits for the others"),
            "read": CallWords("looks at {it}: {result}"),
        },
        marked=("wait", "reset", "abort"),
        waits={Role.WAIT: "waits at {it} for the others"},
        sleeping=("wait",),
    ),
    Kind(
        "Queue",
        Family.QUEUE,
        _QUEUE_ROLES,
        {
            "put": CallWords(_PUT, begun=_FOUND_FULL),
            "get": CallWords(_GET, begun=_NEXT_IN_LINE),
            "empty": CallWords("looks whether {it} is empty: {result}"),
            "full": CallWords("looks whether {it} is full: {result}"),
            "qsize": CallWords("counts the items of {it}: {result}"),
            "flush": CallWords("has flushed {it}"),
            "join": CallWords(_KNOWS_ALL_DONE, begun=_ALL_DONE),
            "task_done": CallWords(_ONE_DONE),
        },
        waits=_QUEUE_WAITS | {"wait get": _EMPTY},
        sleeping=("get", "put", "join"),
    ),
    Kind(
        "JoinableQueue",
        Family.QUEUE,
        (*_QUEUE_ROLES, Role.UNFINISHED, *_CONDITION_ROLES),
        {
            "put": CallWords(_PUT),
            "get": CallWords(_GET),
            "task_done": CallWords(
                _ONE_DONE, begun=f"{_ONE_DONE} and waits until the sleeper is awake"
            ),
            "join": CallWords(_KNOWS_ALL_DONE, begun=_ALL_DONE),
        },
        waits=_QUEUE_WAITS,
    ),
    Kind(
        "SimpleQueue",
        Family.QUEUE,
        _QUEUE_ROLES[:3],
        {"put": CallWords(_PUT), "get": CallWords(_GET, begun=_NEXT_IN_LINE)},
        waits=_SIMPLE_QUEUE_WAITS,
    ),
    Kind(
        "Pipe",
        Family.PIPE,
        LANES,
        {
            "send": CallWords("sends {detail} through {it}"),
            "recv": CallWords("receives {result} from {it}"),
            "send_bytes": CallWords("sends {detail} through {it}"),
            "recv_bytes": CallWords("receives {result} from {it}"),
            "poll": CallWords("looks whether something has come through {it}: {result}"),
        },
        waits=dict.fromkeys(LANES, _EMPTY),
        class_name="Connection",
    ),
    Kind("Value", Family.SHARED, (Role.VALUE, Role.LOCK), _MEMORY_CALLS),
    Kind("Array", Family.SHARED, (Role.VALUE, Role.LOCK), _MEMORY_CALLS),
    Kind(
        "RawValue",
        Family.UNLOCKED,
        (Role.VALUE,),
        {
            "read": CallWords("reads {result} from {it}"),
            "set": CallWords("writes {detail} to {it}"),
        },
    ),
    Kind(
        "RawArray",
        Family.UNLOCKED,
        (Role.VALUE,),
        {
            "read": CallWords("reads {result} from {it}"),
            "get": CallWords("reads {result} from {it}[{detail}]"),
            "set": CallWords("writes to {it}: {detail}"),
        },
    ),
    Kind(
        "ShareableList",
        Family.BLOCK,
        (Role.VALUE, Role.BLOCK),
        {
            "get": CallWords("reads {result} from {it}[{detail}]"),
            "set": CallWords("writes to {it}: {detail}"),
        },
    ),
    Kind(
        "SharedMemory",
        Family.BLOCK,
        (Role.BLOCK,),
        {
            "open": CallWords("opens {it}"),
            "close": CallWords("closes {it}"),
            "unlink": CallWords(
                "unlinks {it}: who has it open keeps it, nobody can open it any more"
            ),
        },
    ),
    Kind(
        "Pool",
        Family.WORKERS,
        (*_WORKERS_ROLES, Role.TASK_HANDLER, Role.RESULT_HANDLER),
        _WORKER_CALLS
        | {
            "apply": CallWords(
                "has the result of {detail} from {it}: {result}",
                begun="hands {detail} to {it} and waits for the result",
            ),
            "apply_async": _HANDED,
            "map": _ALL_RESULTS,
            "starmap": _ALL_RESULTS,
            "map_async": _HANDED,
            "starmap_async": _HANDED,
            "imap": _HANDED,
            "imap_unordered": _HANDED,
            "next": CallWords("has the next result of {detail} from {it}: {result}"),
            "close": CallWords("closes {it}: it takes no more tasks"),
            "terminate": CallWords(
                "has terminated {it}", begun="terminates {it} and waits until all of it has ended"
            ),
            "join": CallWords(
                "knows that {it} has ended", begun="waits until all of {it} has ended"
            ),
        },
        replaces_workers=True,
    ),
    Kind(
        "ProcessPoolExecutor",
        Family.WORKERS,
        (*_WORKERS_ROLES, Role.SLOTS, Role.SEND_LOCK),
        _WORKER_CALLS
        | {
            "submit": _HANDED,
            "map": _HANDED,
            "shutdown": CallWords(
                "has shut {it} down", begun="shuts {it} down and waits until all of it has ended"
            ),
            "leave": CallWords("tells {it} that it goes"),
            "await": CallWords("knows that {it} has ended"),
        },
    ),
)

#: Every kind of primitive by its name.
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _TABLE}
_UNKNOWN: Final = Kind("", Family.OTHER)

#: The kinds that are one semaphore each.
SINGLE_SEMAPHORES: Final = tuple(
    kind for kind in _TABLE if kind.family in (Family.LOCK, Family.SEMAPHORE)
)
#: The kinds made of semaphores alone, as classes of ``multiprocessing.synchronize``.
MADE_OF_SEMAPHORES: Final = (
    *SINGLE_SEMAPHORES,
    *(KINDS[name] for name in ("Condition", "Event", "Barrier")),
)


def kind_named(name: str) -> Kind:
    """Return the kind with that name, also where a manager keeps it; one without words if none."""
    return KINDS.get(name.removeprefix(MANAGED), _UNKNOWN)
