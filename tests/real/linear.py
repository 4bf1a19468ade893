"""A checker of recorded runs: is the order on the wire a true linearization?

It reads the records alone and keeps books of its own, as simple as can be, so that it can
disagree with the recorder.  What gives is recorded before it takes effect, what takes after: so
by the records a semaphore may never be below zero, and an item received was sent.  What only
looks (a try in vain, a value) says something that was true at some moment since the last word
of its thread, where what others have taken and not yet said, and what they have said and not
yet given, is in doubt: the real value lies between ``low`` and the value by the records.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from syncsim import wire
from syncsim.core import atoms
from syncsim.core.operation import Verb
from syncsim.core.state import State

#: A thread of a process: pid, and tid (0 in its main thread).
Thread: TypeAlias = tuple[int, int]


@dataclass
class Semaphore:
    """What the records say of one SemLock."""

    value: int
    maximum: int
    recursive: bool
    owner: Thread | None = None
    depth: int = 0
    #: (at, value) after each change; ``at`` is the number of the record.
    history: list[tuple[int, int]] = field(default_factory=list)
    #: From when to when a taking may have been made, and a giving may be outstanding.
    takes: list[tuple[int, int]] = field(default_factory=list)
    gives: list[list[int]] = field(default_factory=list)

    def values(self, begin: int, end: int) -> Iterable[tuple[int, int]]:
        """The least and the most that it really can have been, at each moment of a while."""
        moments = {begin, *(at for at, _ in self.history if begin <= at < end)}
        moments.update(edge for one in (*self.takes, *self.gives) for edge in one)
        for moment in sorted(moments):
            if begin <= moment < end:
                most = next(value for at, value in reversed(self.history) if at <= moment)
                doubtful = sum(a <= moment < b for a, b in self.takes)
                doubtful += sum(a <= moment < b for a, b in self.gives)
                yield most - doubtful, most


@dataclass
class Channel:
    """What the records say of one pipe."""

    buffered: dict[int, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    items: deque[str] = field(default_factory=deque)
    #: Who has said that it sends, and not that it has sent.
    sending: set[Thread] = field(default_factory=set)
    sent: int = 0
    received: int = 0
    #: (at, the least, the most) that can really have been in the pipe.
    history: list[tuple[int, int, int]] = field(default_factory=list)

    def note(self, at: int) -> None:
        self.history.append((at, len(self.items) - len(self.sending), len(self.items)))


@dataclass
class Asked:
    """An operation that was announced: its point, when, and with which timeout."""

    point: wire.Point
    at: int
    blocking: bool
    timeout: float | None
    detail: str


@dataclass
class Underway:
    """A compound call: what it is, since when, and what it has received so far."""

    call: str
    primitive: str
    begin: int
    got: list[str] = field(default_factory=list)


@dataclass
class Barrier:
    """How many have arrived and passed, and with which numbers."""

    parties: int
    arrived: int = 0
    passed: list[str] = field(default_factory=list)
    broken: bool = False


class Checker:
    """Takes in the records of a run; ``complaints`` say what cannot be true."""

    def __init__(self) -> None:
        self.at = 0
        self.complaints: list[str] = []
        self.semaphores: dict[str, Semaphore] = {}
        self.channels: dict[str, Channel] = {}
        self.cells: dict[str, str] = {}
        #: How many operations were checked.
        self.checked = 0
        self._points: dict[tuple[int, int], wire.Point] = {}
        self._parts: dict[tuple[str, str], str] = {}
        self._making: list[wire.Part] = []
        self._asked: dict[Thread, Asked] = {}
        self._calls: dict[Thread, Underway] = {}
        self._last: dict[Thread, int] = {}
        self._giving: dict[Thread, list[int]] = {}
        self._refused: dict[Thread, str] = {}
        self._first_of: dict[int, int] = {}
        self._last_of: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._started: dict[int, tuple[int, int]] = {}  # pid: when announced, by whom
        self._later: list[Callable[[], None]] = []
        self._barriers: dict[str, Barrier] = {}
        self._set: dict[str, list[tuple[int, bool]]] = defaultdict(lambda: [(0, False)])

    def take_in(self, records: Iterable[wire.Record]) -> None:
        """Checks them one by one, in their order."""
        for record in records:
            self.at += 1
            self._first_of.setdefault(record.pid, self.at)
            if record.pid in self._left:
                self._complain(f"{record} comes after the exit of its process")
            self._last_of[record.pid] = self.at
            handle = self._HANDLERS.get(type(record))
            if handle is not None:
                handle(self, record)

    def conclude(self) -> None:
        """The program is at a point where only its main process is left: looks back.

        Raises nothing; what is wrong is among the ``complaints``.
        """
        for look in self._later:
            look()
        for pid, (announced, _) in self._started.items():
            if self._first_of.get(pid, self.at) < announced:
                self._complain(f"process {pid} did something before its start")
        for name, channel in self.channels.items():
            if channel.items or any(channel.buffered.values()):
                self._complain(f"{name}: {channel.items} {dict(channel.buffered)} were lost")
        for name, barrier in self._barriers.items():
            counts = {number: barrier.passed.count(number) for number in barrier.passed}
            if not barrier.broken and len({*counts.values()}) > 1:
                self._complain(f"{name}: passed with the numbers {barrier.passed}")
        for asked in self._asked.values():
            self._complain(f"{asked} was never made")
        self._asked.clear()
        ended = {*self._left}
        for books in (self._first_of, self._last_of, self._left, self._started):
            for pid in ended:
                books.pop(pid, None)
        for thread in [one for one in self._last if one[0] in ended]:
            del self._last[thread]
        for name, semaphore in self.semaphores.items():
            if semaphore.value > semaphore.maximum:
                self._complain(f"{name} is above its maximum: {semaphore.value}")
            semaphore.history = [(0, semaphore.value)]
            semaphore.takes.clear()
            semaphore.gives.clear()
        for channel in self.channels.values():
            channel.history.clear()
            channel.note(0)
        for known in self._set.values():
            known[:] = [(0, known[-1][1])]
        self._later.clear()
        self._barriers.clear()
        self._giving.clear()

    def compare(self, state: State) -> None:
        """Complains where the recorder, which has applied the same records, says something else."""
        for name in [name for name in self.semaphores if name not in state.atoms]:
            del self.semaphores[name]  # of a queue whose pipe has a successor of the same number
        for name, mine in self.semaphores.items():
            theirs = state.atoms[name]
            assert isinstance(theirs, atoms.Semaphore)
            if theirs.value != mine.value:
                self._complain(f"{name} is {mine.value}, and {theirs.value} by the recorder")
            held = len(theirs.holders) if mine.recursive else mine.depth
            if held != mine.depth:
                self._complain(f"{name} is held {mine.depth} times, {held} by the recorder")
        for name, pipe in self.channels.items():
            channel = state.atoms[name]
            assert isinstance(channel, atoms.Channel)
            items = [item.label for item in channel.items]
            if items != [*pipe.items]:
                self._complain(f"{name} has {pipe.items}, by the recorder {items}")
        for name, value in self.cells.items():
            cell = state.atoms[name]
            assert isinstance(cell, atoms.Cell)
            if cell.value != value:
                self._complain(f"{name} is {value}, by the recorder {cell.value}")

    def _complain(self, what: str) -> None:
        self.complaints.append(f"record {self.at}: {what}")

    # -- records -----------------------------------------------------------------------------

    def _born(self, record: wire.Born) -> None:
        self._last[record.pid, record.tid] = self.at

    def _point(self, record: wire.Point) -> None:
        self._points[record.pid, record.n] = record

    def _part(self, record: wire.Part) -> None:
        self._making.append(record)

    def _made(self, record: wire.Made) -> None:
        if record.kind == "Barrier":
            self._barriers[record.id] = Barrier(record.capacity or 0)
        for part in [one for one in self._making if one.primitive == record.id]:
            self._making.remove(part)
            self._parts[record.id, part.role] = part.atom
            if part.form == "cell":
                self.cells[part.atom] = part.text
            elif part.form == "channel":
                self.channels[part.atom] = channel = Channel()
                channel.note(self.at)
            elif part.atom not in self.semaphores:  # (a Condition may be made of a lock there is)
                self.semaphores[part.atom] = Semaphore(
                    part.value,
                    part.maximum,
                    part.form == "recursive",
                    history=[(self.at, part.value)],
                )

    def _want(self, record: wire.Want) -> None:
        thread = record.pid, record.tid
        point = self._points[record.pid, record.point]
        if thread in self._asked:
            self._complain(f"{thread} asks for {point} before it got {self._asked[thread]}")
        begin = self._speaks(thread)
        self._enter(thread, point, begin)
        self._asked[thread] = Asked(point, self.at, record.blocking, record.timeout, record.detail)

    def _did(self, record: wire.Did) -> None:
        thread = record.pid, record.tid
        asked = self._asked.pop(thread, None)
        if asked is None:
            self._complain(f"{record} was not announced")
            return
        self._speaks(thread)
        self._effect(thread, asked.point, record.result, asked.detail, asked.at, asked)

    def _op(self, record: wire.Op) -> None:
        thread = record.pid, record.tid
        point = self._points[record.pid, record.point]
        refusal = point.verb == Verb.RELEASE and record.result != "None"
        begin = self._speaks(thread, refusal=refusal)
        self._enter(thread, point, begin)
        self._effect(thread, point, record.result, record.detail, begin, None)

    def _speaks(self, thread: Thread, *, refusal: bool = False) -> int:
        """Notes that the thread has said something; when it did the last time."""
        giving = self._giving.pop(thread, None)
        if giving is not None:
            giving[1] = self.at  # by now it is given
        refused = self._refused.pop(thread, None)
        if refused is not None and not refusal:
            self._complain(f"given back by one who does not hold it: {refused}")
        # A thread that has never spoken: since its process began.
        before = self._last.get(thread, self._first_of[thread[0]])
        self._last[thread] = self.at
        return before

    def _enter(self, thread: Thread, point: wire.Point, begin: int) -> None:
        if not point.compound or thread in self._calls:
            return
        self._calls[thread] = Underway(point.call, point.primitive, begin)
        if point.call == "Barrier.wait" and point.primitive in self._barriers:
            self._barriers[point.primitive].arrived += 1

    def _effect(
        self,
        thread: Thread,
        point: wire.Point,
        result: str,
        detail: str,
        begin: int,
        asked: Asked | None,
    ) -> None:
        self.checked += 1
        atom = point.atom
        match point.verb:
            case Verb.ACQUIRE | Verb.RELEASE | Verb.VALUE if atom in self.semaphores:
                self._semaphore(thread, point, result, detail, begin)
            case Verb.PUT | Verb.SEND | Verb.SENT | Verb.RECEIVE | Verb.POLL:
                self._channel(thread, point, result, detail, begin)
            case Verb.READ if atom in self.cells:
                # Of an Array one place is read, and the whole is known.
                whole = self.cells[atom]
                if result != whole and result not in whole.strip("[]").split(", "):
                    self._complain(f"{thread} read {result} from {atom}, which is {whole}")
            case Verb.WRITE:
                self.cells[atom] = detail
            case Verb.START if result.isdigit():
                self._started[int(result)] = (begin, thread[0])
            case Verb.JOIN if asked is not None and asked.timeout is None:
                self._is_over(int(atom), f"{thread} joined it")
            case Verb.ALIVE if result == "False":
                self._is_over(int(atom), f"{thread} saw that it is not alive")
            case Verb.EXIT:
                self._left[thread[0]] = self.at

    def _is_over(self, pid: int, why: str) -> None:
        """That process is gone: it has said its last word already."""
        if pid not in self._left:
            self._complain(f"process {pid} has not left, but {why}")

    def _reaped(self, record: wire.Reaped) -> None:
        self._is_over(record.child, f"{record.pid} took notice of its end")

    def _back(self, record: wire.Back) -> None:
        thread = record.pid, record.tid
        self._speaks(thread)
        call = self._calls.pop(thread, None)
        if call is None:
            return
        kind, _, method = call.call.rpartition(".")
        if call.got and call.got != [record.result]:
            self._complain(f"{thread} got {record.result} where {call.got} was sent")
        match method:
            case "wait" | "wait_for" if kind == "Condition":
                lock = self.semaphores[self._parts[call.primitive, "lock"]]
                if lock.owner != thread:
                    self._complain(f"{thread} is back from Condition.wait without the lock")
            case "wait" | "is_set" if kind == "Event":
                self._event(thread, call, record.result)
            case "wait" if kind == "Barrier":
                self._barrier(call, record.result)
            case "join":
                atom = self._parts[call.primitive, "unfinished"]
                what = f"{thread} is back from the join of {call.primitive} with unfinished tasks"
                self._look(self.semaphores[atom], call.begin, self.at, 0, what)

    _HANDLERS: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        wire.Born: _born,
        wire.Point: _point,
        wire.Part: _part,
        wire.Made: _made,
        wire.Want: _want,
        wire.Did: _did,
        wire.Op: _op,
        wire.Back: _back,
        wire.Reaped: _reaped,
    }

    # -- atoms -------------------------------------------------------------------------------

    def _semaphore(
        self, thread: Thread, point: wire.Point, result: str, detail: str, begin: int
    ) -> None:
        one = self.semaphores[point.atom]
        what = f"{thread} {point.verb} {point.atom} ({point.call}): {result}, it is {one.value}"
        if point.verb == Verb.VALUE:
            # It may be asked whether it is zero.
            wanted = int(result) if result.isdigit() else 0
            if result != "False":
                self._look(one, begin, self.at, wanted, what)
        elif point.verb == Verb.ACQUIRE and result == "False":
            self._look(one, begin, self.at, 0, what)
        elif point.verb == Verb.ACQUIRE:
            if one.recursive and one.owner == thread:
                one.depth += 1
                return
            if one.value <= 0:
                self._complain(f"taken by two, or below zero: {what}")
            one.value -= 1
            one.history.append((self.at, one.value))
            one.takes.append((begin, self.at))
            if one.recursive:
                one.owner, one.depth = thread, 1
            flag = self._parts.get((point.primitive, "flag"))
            if point.call == "Event.clear" and point.atom == flag:
                self._set[point.primitive].append((self.at, False))
        elif result == "None":
            if one.recursive:
                if one.owner != thread:
                    self._refused[thread] = what
                    return
                one.depth -= 1
                if one.depth:
                    return
                one.owner = None
            one.value += 1
            one.history.append((self.at, one.value))
            self._giving[thread] = outstanding = [self.at, 1 << 60]
            one.gives.append(outstanding)
            flag = self._parts.get((point.primitive, "flag"))
            if point.call == "Event.set" and point.atom == flag:
                self._set[point.primitive].append((self.at, True))
        elif not one.recursive:  # it was not given: an exception was raised
            one.value -= 1
            one.history.append((self.at, one.value))

    def _look(self, one: Semaphore, begin: int, end: int, value: int, what: str) -> None:
        """Sees, once the rest is known, whether it can have had that value in that while."""

        def look() -> None:
            if not any(low <= value <= most for low, most in one.values(begin, end)):
                self._complain(f"cannot have been {value} since record {begin}: {what}")

        self._later.append(look)

    def _channel(
        self, thread: Thread, point: wire.Point, result: str, detail: str, begin: int
    ) -> None:
        pipe = self.channels.get(point.atom)
        if pipe is None:
            return
        own = pipe.buffered[thread[0]]
        match point.verb:
            case Verb.PUT:
                own.append(detail)
            case Verb.SEND:
                pipe.items.append(own.popleft() if own else detail)
                pipe.sent += 1
                pipe.sending.add(thread)
            case Verb.SENT:
                pipe.sending.discard(thread)
            case Verb.RECEIVE if result == "":
                if not pipe.items:
                    self._complain(f"{thread} received from {point.atom} what nobody has sent")
                    return
                pipe.received += 1
                item = pipe.items.popleft()
                if thread in self._calls:
                    self._calls[thread].got.append(item)
            case Verb.POLL:
                moments = [(low, most) for at, low, most in pipe.history if at >= begin]
                moments.append(next(m[1:] for m in reversed(pipe.history) if m[0] <= begin))
                possible = {"True": max(m for _, m in moments) > 0}
                possible["False"] = min(low for low, _ in moments) <= 0
                if not possible.get(result, True):
                    self._complain(f"{thread} polled {point.atom}: {result}, and it is {pipe}")
        pipe.note(self.at)

    # -- calls -------------------------------------------------------------------------------

    def _event(self, thread: Thread, call: Underway, result: str) -> None:
        states = self._set[call.primitive]
        known = {is_set for at, is_set in states if at >= call.begin}
        known.add(next(is_set for at, is_set in reversed(states) if at <= call.begin))
        if result in ("True", "False") and (result == "True") not in known:
            self._complain(f"{thread} saw {call.primitive} as {result}: {states}")

    def _barrier(self, call: Underway, result: str) -> None:
        barrier = self._barriers[call.primitive]
        if not result.isdigit():
            barrier.broken = True
            return
        barrier.passed.append(result)
        rounds = -(-len(barrier.passed) // barrier.parties)
        if barrier.arrived < rounds * barrier.parties:
            self._complain(f"{len(barrier.passed)} passed and {barrier.arrived} arrived: {call}")
