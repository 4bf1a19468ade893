"""The state of a virtual process beside its program's memory, as one struct with one key.

All that is set while a process runs and on which its future depends is a field here, and the key
is made of all fields: a field that is added and forgotten cannot make two processes the same that
are not.  What runs the process (its greenlet, its results, its events) is no part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct, field

from syncsim.core.operation import Site
from syncsim.virtual.model.automaton import Raised


class Call(Struct, frozen=True):
    """The call of the program that the process is inside of."""

    name: str
    primitive: str
    site: Site | None
    detail: str


class ProcessState(Struct):
    """All that a process has besides its memory."""

    #: Primitives that it has made, and children that it has started.
    made: int = 0
    started: int = 0
    #: What it makes now is part of something else.
    silent: bool = False
    #: Seconds that it has slept and waited in vain; the same within the present call.
    clock: float = 0.0
    patience: float = 0.0
    #: It has asked for the time; else the clock is nothing that it could tell.
    looked_at_clock: bool = False
    #: How often the operating system was asked for something random.
    drawn: int = 0
    #: How often it holds each semaphore.
    counts: dict[str, int] = field(default_factory=dict)
    #: Ends and queues that it has closed; queues that it has put into, and need not flush.
    closed: set[Hashable] = field(default_factory=set)
    fed: list[str] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)
    #: The servers of managers that it has started, by pid; those it has spoken with.
    servers: dict[int, Callable[[], None]] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)
    #: What is to be done when it exits.
    finalizers: list[Callable[[], None]] = field(default_factory=list)
    #: None of the program's own code runs any more.
    over: bool = False
    #: The work of a Pool for which the children that it starts are workers, and the work that what
    #: it does is about; how many jobs it has handed over.
    employer: str = ""
    work: str = ""
    jobs: int = 0
    #: The exception that ends it, while it still cleans up.
    raised: Raised | None = None
    #: Text that it has written to its stdout, and not flushed.
    unflushed: bytes = b""
    call: Call | None = None

    def key(self) -> tuple[Hashable, ...]:
        """Return a value that is equal for equal states, made of all fields."""
        parts = list(_values(self))
        for place, as_key in _MUTABLE_FIELDS:
            parts[place] = as_key(parts[place]) if parts[place] else None
        if not self.looked_at_clock:
            parts[_CLOCK] = None
        return tuple(parts)


_FIELDS = ProcessState.__struct_fields__
_CLOCK = _FIELDS.index("clock")
_values = attrgetter(*_FIELDS)
_MUTABLE: Mapping[type, Callable[[Any], Hashable]] = {
    dict: lambda value: tuple(sorted(value.items())),
    set: frozenset,
    list: tuple,
}
#: Fields that hold functions, which are made anew in each run of a process: of the servers their
#: pids count, of what is to be done at the exit how much it is (in each run it is the same).
_OF_FUNCTIONS: Mapping[str, Callable[[Any], Hashable]] = {"servers": tuple, "finalizers": len}


#: The places of the fields that may be changed as they are, with the key that each is by.
_MUTABLE_FIELDS = [
    (place, _OF_FUNCTIONS.get(name, _MUTABLE[type(value)]))
    for place, (name, value) in enumerate(zip(_FIELDS, _values(ProcessState()), strict=True))
    if type(value) in _MUTABLE
]
