"""A process as an automaton: from the answers it gets to the operations it asks for.

A process sees nothing of the others but the results of its operations, so its next operation
is a function of the results so far.  The automaton is that function, learned on demand: a node
is a place in the process's life where it asks for an operation (or has ended), an edge the
answer.  Where a body can say what it *is* (``Body.fingerprint``), two places that are the same
become one node: that makes loops finite.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from syncsim.core.atoms import Atom
from syncsim.core.operation import Operation
from syncsim.core.state import Primitive

#: The pid of the main process; the others count up from it.
FIRST_PID = 100
#: What a silent ALIVE is called about a child that is waited for next, if it has not ended.
AWAITED = "waits unless it has ended"
#: So many processes are kept suspended at most, each at another node.
MOST_BODIES = 512

#: What names a process in every interleaving: its parent's key, and which child of it it is.
Key: TypeAlias = tuple[int, ...]


class Back(NamedTuple):
    """A compound call has returned; ``result`` as text."""

    result: str


class Made(NamedTuple):
    """The process has made a primitive."""

    primitive: Primitive
    atoms: tuple[tuple[str, Atom], ...]
    #: What the virtual pipes and cells among them begin with, by name.
    contents: tuple[tuple[str, Hashable], ...] = ()


class Wrote(NamedTuple):
    """The process wrote to its stderr (what goes to stdout is an operation)."""

    stream: str
    text: str


class Said(NamedTuple):
    """The result of the process's last operation, as text."""

    text: str


class Noted(NamedTuple):
    """Something that is no step has happened to the work of a Pool, or ``settles`` an outcome."""

    operation: Operation
    settles: bool = False


class Over(NamedTuple):
    """A thread of the library has ended; the name of the outcome that this is."""

    outcome: str


class Look(Enum):
    """The ways in which a process, or a thread of the library beside it, looks at an outcome."""

    ENDED = auto()  # the process looks whether it has ended
    HEEDED = auto()  # a thread looks what it is told
    TOLD = auto()  # the process tells it


class Looked(NamedTuple):
    """One of them looked at, or told, something; its end is that outcome."""

    outcome: str
    look: Look


class Meddled(NamedTuple):
    """A thread of the library has run code of the program in the middle of the process's own."""


Event: TypeAlias = Back | Made | Wrote | Said | Noted | Over | Looked | Meddled


class Raised(NamedTuple):
    """An exception that nobody caught: ``Type: message``, and where."""

    error: str
    site: str = ""
    is_assertion: bool = False


class Request(Struct, frozen=True):
    """The operation that a process asks for next.

    ``payload`` is what the atom gets (the message, the value); ``child`` is what a START
    starts.  A ``silent`` one is no step: nobody could tell whether something came between; an
    ``inner`` one is a step only by the atom.  ``raised`` is what ends the process, which still
    has to clean up.  ``stack`` are the functions of the program that it is inside of, the
    outermost first.
    """

    operation: Operation
    payload: Hashable = None
    child: Seed | None = None
    silent: bool = False
    raised: Raised | None = None
    inner: bool = False
    stack: tuple[str, ...] = ()
    #: For an outcome: whether it is there.  (That is known inside the process.)
    ready: bool | None = None
    #: The work of a Pool that it changes otherwise than by its atom, or depends on.
    work: str = ""
    #: What the library's own threads in the process ask for meanwhile (see ``library_threads``).
    beside: tuple[tuple[int, Request], ...] = ()


class Ended(NamedTuple):
    """The process has ended; with the uncaught exception, if there was one.

    ``by_itself`` it has, even where a signal has ended it.
    """

    exitcode: int
    raised: Raised | None = None
    by_itself: bool = False

    @property
    def fails(self) -> bool:
        """Return whether a signal has ended the process that nobody else has sent."""
        return self.by_itself and self.exitcode < 0


class Told(Struct, frozen=True):
    """The reaction of a process to an answer: the events on the way, and what it asks next.

    (Nothing and never, if it is the server of a manager.)
    """

    events: tuple[Event, ...]
    then: Request | Ended | None


class Body(Protocol):
    """One run of a process, suspended at an operation."""

    def answer(self, result: Hashable) -> Told:
        """Go on with that result, to the next operation."""
        ...

    def fingerprint(self) -> Hashable | None:
        """All that its future depends on; None where that cannot be said."""
        ...

    def close(self) -> None:
        """Give up what it holds; it is not asked again."""
        ...


class Seed(Protocol):
    """The beginning of a process.  May be grown any number of times, always into the same."""

    key: Key
    name: str
    daemon: bool
    pid: int

    def grow(self, results: tuple[Hashable, ...]) -> tuple[Body, Told]:
        """A process, at the operation to which those results lead it."""
        ...


class AutomatonState:
    """A place in the life of a process; ``number`` is its own among all nodes of a system."""

    __slots__ = (
        "always", "atom", "automaton", "circles", "edges", "ended", "joins", "number", "parent",
        "request", "result", "simple", "steps",
    )  # fmt: skip

    def __init__(
        self, automaton: Automaton, parent: AutomatonState | None, result: Hashable
    ) -> None:
        self.automaton = automaton
        self.parent = parent
        self.result = result
        self.request: Request | None = None
        self.ended: Ended | None = None
        self.edges: dict[Hashable, Edge] = {}
        self.number = 0
        # Kept by the system: which atom it is about, whether it is nothing but a semaphore's or a
        # cell's, and what comes of it by the atom's value; for whose end it waits.
        self.atom = -1
        self.joins = -1
        self.simple = False
        self.always = True
        #: Whether steps that nobody else can tell the time of would go on from here for ever.
        self.circles = False
        self.steps: dict[Hashable, Any] = {}

    @property
    def results(self) -> tuple[Hashable, ...]:
        """The results that led here."""
        found = []
        node = self
        while node.parent is not None:
            found.append(node.result)
            node = node.parent
        return tuple(reversed(found))


class Edge(Struct, frozen=True):
    """The events that follow an answer, and the node that they lead to."""

    events: tuple[Event, ...]
    node: AutomatonState


class BodyCache:
    """Numbers nodes, and keeps the bodies that were used last, each suspended at a node."""

    def __init__(self, most: int = MOST_BODIES) -> None:
        self._most = most
        self._bodies: OrderedDict[int, Body] = OrderedDict()
        self.nodes = 0
        #: Whether a process can come back to where it was.
        self.cyclic = False
        #: How often a process was run again from its birth; how many answers were learned.
        self.regrown = 0
        self.learned = 0

    def number(self) -> int:
        """A number for a new node."""
        self.nodes += 1
        return self.nodes

    def keep(self, node: AutomatonState, body: Body) -> None:
        """Keep the body, which is suspended at the node; one is enough for each node."""
        if node.number in self._bodies:
            body.close()
            return
        self._bodies[node.number] = body
        if len(self._bodies) > self._most:
            _, oldest = self._bodies.popitem(last=False)
            oldest.close()

    def take(self, node: AutomatonState) -> Body | None:
        """The body that is suspended at that node, which it leaves; None if there is none."""
        return self._bodies.pop(node.number, None)

    def close(self) -> None:
        """Give up all bodies."""
        while self._bodies:
            self._bodies.popitem()[1].close()


class Automaton:
    """One process of the program, as far as it has been asked.

    One that begins as another thing in another interleaving has an automaton of its own for each;
    they share the places that are the ``same``.
    """

    def __init__(self, seed: Seed, cache: BodyCache, same: dict[Hashable, AutomatonState]) -> None:
        self.seed = seed
        self._cache = cache
        self._same = same
        body, told = seed.grow(())
        self.root = self._place(None, None, body, told)

    def follow(self, node: AutomatonState, result: Hashable) -> Edge:
        """Return the edge that the process at ``node`` takes when it gets ``result``."""
        edge = node.edges.get(result)
        if edge is None:
            cache = self._cache
            cache.learned += 1
            body = cache.take(node)
            if body is None:
                cache.regrown += 1
                body, told = self.seed.grow((*node.results, result))
            else:
                told = body.answer(result)
            edge = node.edges[result] = self._place(node, result, body, told)
        return edge

    def _place(
        self, parent: AutomatonState | None, result: Hashable, body: Body, told: Told
    ) -> Edge:
        events, then = told.events, told.then
        if isinstance(then, Ended):
            node = AutomatonState(self, parent, result)
            node.ended = then
            node.number = self._cache.number()
            body.close()
            return Edge(events, node)
        print_ = body.fingerprint()
        if print_ is not None:
            known = self._same.get(print_)
            if known is not None:
                self._cache.keep(known, body)
                self._cache.cyclic = self._cache.cyclic or _is_above(known, parent)
                return Edge(events, known)
        node = AutomatonState(self, parent, result)
        node.request = then
        node.number = self._cache.number()
        if print_ is not None:
            self._same[print_] = node
        self._cache.keep(node, body)
        return Edge(events, node)


def _is_above(node: AutomatonState, other: AutomatonState | None) -> bool:
    """Return whether the node lies on the way to the other."""
    while other is not None:
        if other is node:
            return True
        other = other.parent
    return False
