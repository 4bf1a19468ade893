"""The primitives of a run: what they are made of, and what a manager's server shows of its own."""

from __future__ import annotations

from functools import lru_cache

from syncsim import wire
from syncsim.core.atoms import Atom, Block, Cell, Channel, Semaphore, Sleepers
from syncsim.core.kinds import MANAGED
from syncsim.core.recorder import Recorder
from syncsim.core.state import Primitive
from syncsim.core.work import TaskOutcome, Work
from syncsim.program.names import Namer, Position
from syncsim.program.safe_text import named
from syncsim.program.source import source_of
from syncsim.real.interpreter.actors import Actors
from syncsim.real.interpreter.pools import Pools

_source = lru_cache(maxsize=64)(source_of)


class Primitives:
    """Makes primitives and their atoms out of records."""

    def __init__(self, recorder: Recorder, actors: Actors, pools: Pools) -> None:
        self._recorder = recorder
        self._actors = actors
        self._pools = pools
        self._namer = Namer()
        #: By the atom: the id of the primitive that it is part of, and its role there.
        self.owner_of: dict[str, tuple[str, str]] = {}
        self._parts: dict[str, list[wire.Part]] = {}  # of primitives that are being made
        #: Whether the program has made a Pipe, of which an end may be closed.
        self.has_pipes = False
        #: The semaphore that lies at each address of memory (by the pid and the address).
        self.semaphores: dict[tuple[int, int], str] = {}
        # What the servers of managers told of cells that are not known yet.
        self._shown: dict[str, str] = {}
        self._fresh: set[str] = set()

    def with_atom(self, atom: str) -> Primitive | None:
        """Return the primitive that the atom is part of."""
        identity, _ = self.owner_of.get(atom, ("", ""))
        return self._recorder.primitives.get(identity)

    def named(self, text: str) -> str:
        """Return the text with the names of primitives in the place of their marks."""
        return named(text, self._recorder.name_of)

    # -- records ------------------------------------------------------------------------

    def part(self, record: wire.Part) -> None:
        """A part of a primitive that is being made."""
        if record.address:
            self.semaphores[record.pid, record.address] = record.atom
        self._parts.setdefault(record.primitive, []).append(record)

    def made(self, record: wire.Made) -> None:
        """A primitive was made, of the parts that were told before."""
        parts = self._parts.pop(record.id, [])
        managed = record.kind.startswith(MANAGED) and record.id in self._recorder.primitives
        if managed and record.id not in self._fresh:
            return  # another proxy of what is there already
        self._fresh.discard(record.id)
        self.has_pipes = self.has_pipes or record.kind == "Pipe"
        atoms: dict[str, Atom] = {}
        for part in parts:
            atom = atoms[part.atom] = self._atom(part, record.pid)
            if part.atom not in self.owner_of or isinstance(atom, Channel | Cell):
                self.owner_of[part.atom] = record.id, part.role
        roles = {part.role: part.atom for part in parts}
        if "work" in roles:
            self._pools.add(roles)
        position = Position(record.line, record.column, record.end_line, record.end_column)
        primitive = Primitive(
            id=record.id,
            kind=record.kind,
            name=self._namer.name(_source(record.file), position, record.kind),
            parts=roles,
            capacity=record.capacity,
            file=record.file,
            line=record.line,
            creator=self._actors.actor(record.pid) or 0,
        )
        self._recorder.create(primitive, atoms)

    def _atom(self, part: wire.Part, pid: int) -> Atom:
        match part.form:
            case "channel":
                return Channel()
            case "cell":
                return Cell(value=self._shown.pop(part.atom, part.text))
            case "sleepers":
                return Sleepers()
            case "block":
                return Block(part.value, (self._actors.actor(pid) or 0,))
            case "work":
                return Work()
            case "outcome":
                return TaskOutcome()
        return Semaphore(
            value=part.value,
            maximum=part.maximum,
            recursive=part.form == "recursive",
            resource=part.value > 0,
        )

    def shows(self, record: wire.Shows) -> None:
        """The server of a manager tells what is in a cell."""
        if record.fresh:
            self._fresh.add(record.atom)
            self._actors.keeps(record.pid, record.atom)
        text = self.named(record.text)
        if record.fresh or record.atom not in self._recorder.atoms:
            self._shown[record.atom] = text
        else:
            self._recorder.show(record.atom, text)

    def woken(self, record: wire.Woken) -> None:
        """The server of a manager has woken a sleeper."""
        sleeper = self._actors.actor(record.sleeper, record.tid)
        if sleeper is not None:
            primitive = self.with_atom(record.atom)
            callers = self._recorder.callers(*primitive.parts.values()) if primitive else []
            by = [actor for actor in callers if actor != sleeper]
            self._recorder.wake(record.atom, sleeper, by[0] if len(by) == 1 else None)
