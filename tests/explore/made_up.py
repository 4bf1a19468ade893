"""Small programs that are made up: each process is a list of operations on shared atoms."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.state import Primitive
from syncsim.virtual.model.automaton import FIRST_PID, Ended, Event, Made, Request, Told
from syncsim.virtual.model.data_atoms import GONE, UNSENDABLE, Lent, Pipe, SharedMemory
from syncsim.virtual.model.managed import Keeper
from syncsim.virtual.model.managed_object import ROOT, Asked, Asleep
from syncsim.virtual.process import private_memory
from syncsim.virtual.stdlib import pickling
from syncsim.virtual.stdlib.library import library
from syncsim.virtual.stdlib.manager_server import Server

#: What the processes share: (name, what the recorder would see, what the virtual atom begins with).
ATOMS: tuple[tuple[str, Atom, Hashable], ...] = (
    ("lock", Semaphore(1, 1), None),
    ("other", Semaphore(1, 1), None),
    ("two", Semaphore(2, 2**31 - 1), None),
    ("signal", Semaphore(0, 2**31 - 1, resource=False), None),
    ("cell", Cell(), SharedMemory(0)),
    ("rlock", Semaphore(1, 1, recursive=True), None),
    ("bounded", Semaphore(2, 2), None),
    ("pipe", Channel(), Pipe(writers=(0,), readers=(0,))),
    ("queue", Channel(), Pipe(writers=(0,), readers=(0,))),
)


#: What the server of a manager keeps: by the type, and with what it is made.
SERVED: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("dict", ({"n": 0},)),
    ("Queue", (1,)),
    ("Event", ()),
    ("Barrier", (2,)),
)


@dataclass(frozen=True)
class Act:
    """One operation: its verb and atom; whether it waits, whether it may time out.

    A CALL calls a ``method`` of what a server keeps, by default none: that shuts the server down.

    A write writes what the process has read last, plus one.  The atom of what is about a life
    is the number of the child.  A close that "waits" closes the reader, else the writer.
    What is put is small, unless ``item`` says that it is larger than the pipe or cannot be pickled.
    """

    verb: Verb
    atom: str
    blocking: bool = True
    timeout: float | None = None
    method: str = ""
    arguments: tuple[object, ...] = ()
    item: str = ""


#: Items that are not small.  (For one that cannot be pickled, its slot is given back.)
ITEMS = {"large": bytes(range(1, 256)) * 300, "unsendable": UNSENDABLE + b"signal"}


class Actor:
    """A process that does one act after the other."""

    def __init__(self, seed: Planned) -> None:
        self._seed = seed
        self._at = 0
        self._seen = 0
        self._asleep: Asleep | None = None

    def start(self, results: tuple[Hashable, ...]) -> Told:
        told = Told(self._seed.made, self._next())
        for result in results:
            told = self.answer(result)
        return told

    def answer(self, result: Hashable) -> Told:
        reply = (
            result[1] if isinstance(result, tuple) and not isinstance(result, Asleep) else result
        )
        self._asleep = reply if isinstance(reply, Asleep) else None
        if self._asleep is not None:
            return Told((), self._next())
        if result == GONE:
            self._at = len(self._seed.children) + len(self._seed.acts)
            return Told((), self._next())
        if isinstance(result, int) and not isinstance(result, bool):
            self._seen = result
        self._at += 1
        return Told((), self._next())

    def _next(self) -> Request | Ended:
        acts, children = self._seed.acts, self._seed.children
        if self._asleep is not None:
            atom = acts[self._at - len(children)].atom
            return Request(Operation(Verb.WAKE, atom, timeout=self._asleep.timeout))
        if self._at < len(children):
            child = children[self._at]
            return Request(Operation(Verb.START, call="Process.start"), child=child)
        at = self._at - len(children)
        if at < len(acts):
            act = acts[at]
            atom = act.atom
            if atom.isdigit():
                atom = str(children[int(atom) % len(children)].pid)
            site = Site(self._seed.name, at, "")
            operation = Operation(
                act.verb, atom, site=site, blocking=act.blocking, timeout=act.timeout
            )
            payload: Hashable = None
            if act.verb is Verb.WRITE:
                payload = self._seen + 1
            elif act.verb in (Verb.SEND, Verb.PUT):
                payload = ITEMS.get(act.item, f"{self._seed.name} {self._seen}".encode())
            elif act.verb is Verb.CLOSE:
                payload = (act.blocking, not act.blocking)
            elif act.method:
                payload = Asked(ROOT, act.method, pickling.dumps((act.arguments, {})))
            elif act.verb is Verb.CALL:
                payload = children[-1].pid
            return Request(operation, payload, silent=act.verb is Verb.CLOSE)
        if at == len(acts):
            return Request(Operation(Verb.EXIT))
        return Ended(0)

    def fingerprint(self) -> Hashable | None:
        return None

    def close(self) -> None:
        pass


class Idle:
    """The seed of a server, which does nothing by itself."""

    name = "server"
    daemon = False
    pid = 0

    def __init__(self, key: tuple[int, ...]) -> None:
        self.key = key

    def grow(self, results: tuple[Hashable, ...]) -> tuple[Actor, Told]:
        return Actor(Planned(self.key)), Told((), None)


class Planned:
    """The seed of such a process; the main one makes the atoms and starts the others."""

    daemon = False
    pid = 0

    def __init__(self, key: tuple[int, ...], acts: tuple[Act, ...] = ()) -> None:
        self.key = key
        self.acts = acts
        self.name = f"p{key}"
        self.children: tuple[Planned | Idle, ...] = ()
        self.made: tuple[Event, ...] = ()

    def grow(self, results: tuple[Hashable, ...]) -> tuple[Actor, Told]:
        actor = Actor(self)
        return actor, actor.start(results)


def program(*processes: tuple[Act, ...], main: tuple[Act, ...] = ()) -> Planned:
    """A main process that starts those, and then does the acts of its own."""
    first = Planned((), main)
    first.children = tuple(Planned((n,), acts) for n, acts in enumerate(processes))
    primitive = Primitive("atoms", "Atoms", "atoms", {name: name for name, _, _ in ATOMS})
    contents = tuple((name, content) for name, _, content in ATOMS if content is not None)
    first.made = (Made(primitive, tuple((n, a) for n, a, _ in ATOMS), contents),)
    return first


def served(*processes: tuple[Act, ...], main: tuple[Act, ...] = ()) -> Planned:
    """The same with a server, the last child, that keeps things."""
    first = program(*processes, main=main)
    first.children = (*first.children, Idle((len(processes),)))
    module = library().modules["multiprocessing.managers"]
    host = Server(module, module.SyncManager._registry, private_memory.PrivateMemory())
    for typeid, arguments in SERVED:
        keeper = Keeper(host, typeid, pickling.dumps((arguments, {})))
        primitive = Primitive(typeid, typeid, typeid, {"value": typeid})
        pid = FIRST_PID + 1 + len(processes)
        made = Made(primitive, ((typeid, Cell()),), ((typeid, Lent(pid, keeper.root)),))
        first.made = (*first.made, made)
    return first
