"""A live run that is made up: deterministic, single-threaded, in memory.

``ScriptedLive`` stands at the seam ``syncsim.core.live.Live``.  A program is a generator per
process; it yields the operations that CPython's own primitives would make, and the recorder of
the core says what comes of them.  Pids are 4120, 4121, ...
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.deadlock.verdict import Diagnosis, diagnose
from syncsim.core.faults import why_not
from syncsim.core.live import (
    Diagnosed,
    Frame,
    GrainChanged,
    Inspected,
    Mode,
    ModeChanged,
    Printed,
    Refused,
    Settled,
    Stepped,
    Update,
)
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.recorder import Recorder
from syncsim.core.schedule import Choice, Grain, Move
from syncsim.core.scheduler import RoundRobin, Scheduler
from syncsim.core.state import Actor, Life, Primitive, State
from syncsim.core.steps import Step
from syncsim.core.words.waiting import waiting_for

FIRST_PID = 4120


class Back(NamedTuple):
    """The compound call returns."""

    result: str = "None"


class Start(NamedTuple):
    """The process starts a child."""

    name: str
    body: Callable[[], Body]
    site: Site | None = None


class Join(NamedTuple):
    """The process waits for the end of a child."""

    name: str
    site: Site | None = None


class Feed(NamedTuple):
    """The process has put an item: its feeder thread is to move it into the pipe."""

    queue: Queue


Body: TypeAlias = Generator[Operation | Back | Start | Join | Feed, str, None]
Call: TypeAlias = Generator[Operation | Back | Start | Join | Feed, str, str]


class Source:
    """The text of a program; ``site`` finds the line (and the n-th one) with some text in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    def site(self, needle: str, function: str = "main", nth: int = 0) -> Site:
        lines = [n for n, line in enumerate(self.text.splitlines(), 1) if needle in line]
        return Site(self.file, lines[nth], function)


class Thing:
    """A primitive of a script, with its atoms."""

    kind = ""

    def __init__(self, name: str, capacity: int | None, atoms: dict[str, Atom], line: int) -> None:
        self.name = name
        self.atoms = {f"{name}/{role}": atom for role, atom in atoms.items()}
        parts = {role: f"{name}/{role}" for role in atoms}
        self.primitive = Primitive(f"p:{name}", self.kind, name, parts, capacity, line=line)

    def op(
        self,
        verb: Verb,
        role: str,
        call: str,
        site: Site | None,
        *,
        compound: bool = True,
        blocking: bool = True,
        timeout: float | None = None,
        detail: str = "",
    ) -> Operation:
        return Operation(
            verb=verb,
            atom=self.primitive.parts[role],
            call=f"{self.kind}.{call}",
            primitive=self.primitive.id,
            role=role,
            site=site,
            compound=compound,
            blocking=blocking,
            timeout=timeout,
            detail=detail,
        )


class Lock(Thing):
    kind = "Lock"
    role = "lock"

    def __init__(self, name: str, line: int = 0) -> None:
        super().__init__(name, 1, {"lock": Semaphore(1, 1, recursive=self.kind == "RLock")}, line)

    def acquire(self, site: Site | None = None, timeout: float | None = None) -> Call:
        return (
            yield self.op(Verb.ACQUIRE, self.role, "acquire", site, compound=False, timeout=timeout)
        )

    def release(self, site: Site | None = None) -> Call:
        return (yield self.op(Verb.RELEASE, self.role, "release", site, compound=False))


class RLock(Lock):
    kind = "RLock"


class Permits(Lock):
    kind = "Semaphore"
    role = "permits"

    def __init__(self, name: str, value: int, line: int = 0) -> None:
        semaphore = Semaphore(value, 2**31 - 1, resource=value > 0)
        Thing.__init__(self, name, value, {"permits": semaphore}, line)


def _sleepers() -> dict[str, Atom]:
    signal = Semaphore(0, 2**31 - 1, resource=False)
    return {"sleeping": signal, "woken": signal, "wait": signal}


class Condition(Thing):
    kind = "Condition"

    def __init__(self, name: str, line: int = 0) -> None:
        super().__init__(name, None, {"lock": Semaphore(1, 1), **_sleepers()}, line)

    def acquire(self, site: Site | None = None) -> Call:
        return (yield self.op(Verb.ACQUIRE, "lock", "acquire", site, compound=False))

    def release(self, site: Site | None = None) -> Call:
        return (yield self.op(Verb.RELEASE, "lock", "release", site, compound=False))

    def wait(self, site: Site | None = None) -> Call:
        yield from self._wait("wait", site)
        yield Back("True")
        return "True"

    def notify(self, site: Site | None = None) -> Call:
        yield from self._notify("notify", site, 1)
        yield Back()
        return "None"

    def notify_all(self, site: Site | None = None) -> Call:
        yield from self._notify("notify_all", site, 10_000)
        yield Back()
        return "None"

    def _wait(self, call: str, site: Site | None) -> Call:
        yield self.op(Verb.RELEASE, "sleeping", call, site)
        yield self.op(Verb.RELEASE, "lock", call, site)
        got = yield self.op(Verb.ACQUIRE, "wait", call, site)
        yield self.op(Verb.RELEASE, "woken", call, site)
        yield self.op(Verb.ACQUIRE, "lock", call, site)
        return got

    def _notify(self, call: str, site: Site | None, most: int) -> Call:
        def attempt(role: str) -> Operation:
            return self.op(Verb.ACQUIRE, role, call, site, blocking=False)

        while (yield attempt("woken")) == "True":
            yield attempt("sleeping")
        sleepers = 0
        while sleepers < most and (yield attempt("sleeping")) == "True":
            yield self.op(Verb.RELEASE, "wait", call, site)
            sleepers += 1
        for _ in range(sleepers):
            yield self.op(Verb.ACQUIRE, "woken", call, site)
        return "None"


class Event(Condition):
    kind = "Event"

    def __init__(self, name: str, line: int = 0) -> None:
        atoms: dict[str, Atom] = {
            "flag": Semaphore(0, 2**31 - 1, resource=False),
            "lock": Semaphore(1, 1),
            **_sleepers(),
        }
        Thing.__init__(self, name, None, atoms, line)

    def set(self, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "lock", "set", site)
        yield self.op(Verb.ACQUIRE, "flag", "set", site, blocking=False)
        yield self.op(Verb.RELEASE, "flag", "set", site)
        yield from self._notify("set", site, 10_000)
        yield self.op(Verb.RELEASE, "lock", "set", site)
        yield Back()
        return "None"

    def wait(self, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "lock", "wait", site)
        if (yield self.op(Verb.ACQUIRE, "flag", "wait", site, blocking=False)) == "True":
            yield self.op(Verb.RELEASE, "flag", "wait", site)
        else:
            yield from self._wait("wait", site)
        yield self.op(Verb.RELEASE, "lock", "wait", site)
        yield Back("True")
        return "True"


class Barrier(Condition):
    kind = "Barrier"

    def __init__(self, name: str, parties: int, line: int = 0) -> None:
        atoms: dict[str, Atom] = {"lock": Semaphore(1, 1), **_sleepers()}
        Thing.__init__(self, name, parties, atoms, line)
        self._arrived = 0
        self._parties = parties

    def wait(self, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "lock", "wait", site)
        self._arrived += 1
        if self._arrived == self._parties:
            self._arrived = 0
            yield from self._notify("wait", site, self._parties)
        else:
            yield from self._wait("wait", site)
        yield self.op(Verb.RELEASE, "lock", "wait", site)
        yield Back("0")
        return "0"


class Queue(Thing):
    kind = "Queue"

    def __init__(self, name: str, maxsize: int | None = None, line: int = 0) -> None:
        most = maxsize or 2**31 - 1
        atoms: dict[str, Atom] = {
            "slots": Semaphore(most, most),
            "items": Channel(),
            "get lock": Semaphore(1, 1),
            "put lock": Semaphore(1, 1),
        }
        super().__init__(name, maxsize, atoms, line)

    def put(self, item: str, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "slots", "put", site, detail=item)
        yield self.op(Verb.PUT, "items", "put", site, detail=item)
        yield Feed(self)
        yield Back()
        return "None"

    def get(self, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "get lock", "get", site)
        item = yield self.op(Verb.RECEIVE, "items", "get", site)
        yield self.op(Verb.RELEASE, "get lock", "get", site)
        yield self.op(Verb.RELEASE, "slots", "get", site)
        yield Back(item)
        return item

    def feed(self, item: str) -> Body:
        """What the feeder thread does with one item."""
        yield self.op(Verb.ACQUIRE, "put lock", "acquire", None, compound=False)
        yield self.op(Verb.SEND, "items", "send", None, compound=False, detail=item)
        yield self.op(Verb.RELEASE, "put lock", "release", None, compound=False)


class Value(Thing):
    kind = "Value"

    def __init__(self, name: str, value: str, line: int = 0) -> None:
        super().__init__(name, None, {"value": Cell(value), "lock": Semaphore(1, 1)}, line)

    def get(self, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "lock", "get", site)
        value = yield self.op(Verb.READ, "value", "get", site)
        yield self.op(Verb.RELEASE, "lock", "get", site)
        yield Back(value)
        return value

    def set(self, value: str, site: Site | None = None) -> Call:
        yield self.op(Verb.ACQUIRE, "lock", "set", site, detail=value)
        yield self.op(Verb.WRITE, "value", "set", site, detail=value)
        yield self.op(Verb.RELEASE, "lock", "set", site)
        yield Back()
        return "None"


def say(text: str, site: Site | None = None) -> Operation:
    """A ``print``."""
    return Operation(Verb.OUTPUT, call="print", site=site, detail=text)


def sleep(seconds: str, site: Site | None = None) -> Operation:
    """A ``time.sleep``."""
    return Operation(Verb.SLEEP, call="sleep", site=site, detail=seconds)


class ScriptedLive:
    """A ``Live`` that goes on only when a test says so.

    ``step`` acts at once; ``play`` and ``free`` go on with each ``tick``.  A program may raise
    AssertionError in one of its processes.
    """

    def __init__(
        self,
        source: Source,
        things: list[Thing],
        main: Callable[[], Body],
        scheduler: Scheduler | None = None,
    ) -> None:
        self.source = source
        self.updates: deque[Update] = deque()
        self.mode = Mode.PAUSED
        self.steps_per_second: float | None = 4.0
        self.grain = Grain.CALL
        self.closed = False
        self.diagnosis = Diagnosis(None)
        self.scheduler: Scheduler = scheduler or RoundRobin()
        self._steps: list[Step] = []
        self._bodies: dict[int, Body] = {}
        self._unborn: dict[str, Callable[[], Body]] = {}
        self._feeders: dict[tuple[int, str], int] = {}
        self._to_feed: dict[int, deque[tuple[Queue, str]]] = {}
        self._recorder = Recorder(self._steps.append)
        for thing in things:
            self._recorder.create(thing.primitive, thing.atoms)
        self._born("main", None, main)
        self.updates.append(Settled(self.state))
        self.updates.append(ModeChanged(self.mode))

    @property
    def state(self) -> State:
        return self._recorder.state

    # What a watcher may ask.

    def play(self) -> None:
        self._turn(Mode.PLAYING)

    def pause(self) -> None:
        self._turn(Mode.PAUSED)

    def free(self) -> None:
        self._turn(Mode.FREE)

    def step(self, actor: int | None = None) -> None:
        self._adapt((self.scheduler.grain if actor is None else None) or self.grain)
        choices = self.state.choices()
        if actor is None:
            choice = self.scheduler.choose(self.state, choices)
            if choice is None:
                self.updates.append(Refused("Nobody can go on."))
                return
        else:
            found = [choice for choice in choices if choice.actor == actor]
            if not found:
                self.updates.append(Refused(self._why_not(actor)))
                return
            choice = found[0]
            self.scheduler.made(choice)
        self._take(choice)

    def fault(self, actor: int, move: Move) -> None:
        who = self.state.actors[actor]
        why = why_not(self.state, who, move)
        if why:
            self.updates.append(Refused(why))
            return
        if self.mode is Mode.OVER:
            self.diagnosis = Diagnosis(None)
            self.mode = Mode.PAUSED
            self.updates.append(ModeChanged(self.mode))
        choice = Choice(actor, move, self._recorder.grain)
        self.scheduler.made(choice)
        self._take(choice)

    def speed(self, steps_per_second: float | None) -> None:
        self.steps_per_second = steps_per_second

    def use(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler

    def xray(self, *, on: bool) -> None:
        self.grain = Grain.ATOM if on else Grain.CALL
        self.updates.append(GrainChanged(self.grain))
        self._adapt(self.grain)
        self.updates.append(Settled(self.state))

    def inspect(self, actor: int) -> None:
        operation = self.state.actors[actor].pending
        frames: tuple[Frame, ...] = ()
        if operation is not None and operation.site is not None:
            site = operation.site
            frames = (
                Frame(site.file, 1, "<module>"),
                Frame(site.file, site.line, site.function, (("me", repr(actor)),)),
            )
        note = "" if frames else "It is between two operations."
        self.updates.append(Inspected(actor, frames, note, "sleeping in unix_stream_read"))

    def close(self) -> None:
        self.closed = True
        self._turn(Mode.OVER)

    # What a test may do besides.

    def tick(self, steps: int = 1) -> None:
        """Make up to so many steps, if the run is playing or free."""
        for _ in range(steps):
            if self.mode not in (Mode.PLAYING, Mode.FREE):
                return
            self.step()

    def run(self, *actors: int) -> State:
        """Step these actors in turn; the state afterwards."""
        for actor in actors:
            self.step(actor)
        return self.state

    def finish(self, most: int = 10_000) -> State:
        """Let the scheduler go on until nobody can."""
        for _ in range(most):
            if not self.state.choices():
                break
            self.step()
        return self.state

    # Inside.

    def _turn(self, mode: Mode) -> None:
        if mode is not self.mode and self.mode is not Mode.OVER:
            self.mode = mode
            self.updates.append(ModeChanged(mode))

    def _why_not(self, actor: int) -> str:
        who = self.state.actors[actor]
        if who.ended:
            return f"{who.name} has ended."
        wait = waiting_for(self.state, who)
        return f"{who.name} {wait.clause}." if wait else f"{who.name} is running."

    def _adapt(self, grain: Grain) -> None:
        if grain is Grain.CALL:  # each feeder sends what it has
            actors = self.state.actors
            while feeders := [c for c in self.state.choices() if actors[c.actor].library]:
                self.scheduler.made(feeders[0])
                self._take(feeders[0])
        self._recorder.grain = grain

    def _take(self, choice: Choice) -> None:
        actor, move = choice.actor, choice.move
        if move.is_fault:
            self._recorder.fault(actor, move)
            if move in (Move.KILL, Move.TERMINATE):
                self._recorder.end(actor, {Move.KILL: -9, Move.TERMINATE: -15}[move])
            self._tell(choice)
            return
        operation = self.state.actors[actor].pending
        assert operation is not None
        in_vain = "False" if move is Move.TIME_OUT else None
        value = self._recorder.effect(actor, operation, in_vain)
        if operation.verb is Verb.OUTPUT:
            self.updates.append(Printed(actor, "stdout", operation.detail + "\n"))
        elif operation.verb is Verb.JOIN:
            child = self.state.by_pid(operation.atom)
            if child is not None:
                self._recorder.change(child.id, reaped=True)
        elif operation.verb is Verb.EXIT:
            self._recorder.end(actor, int(operation.detail or 0))
        elif operation.verb is Verb.START:
            self._born(operation.detail, actor, self._unborn.pop(operation.detail))
        if operation.verb is not Verb.EXIT:
            self._advance(actor, value)
        self._tell(choice)

    def _tell(self, choice: Choice) -> None:
        state = self.state
        told = None if self.mode is Mode.FREE else choice
        for step in self._steps:
            self.updates.append(Stepped(step, state, told))
        if not self._steps:
            self.updates.append(Settled(state))
        self._steps.clear()
        diagnosis = diagnose(state)
        if diagnosis.verdict is not None and self.diagnosis.verdict is None:
            self.diagnosis = diagnosis
            self.updates.append(Diagnosed(diagnosis, state.n))
        if not state.choices() and not any(actor.stopped for actor in state.actors):
            self._turn(Mode.OVER)

    def _born(self, name: str, parent: int | None, body: Callable[[], Body]) -> None:
        number = len(self._recorder.actors)
        pid = FIRST_PID + number
        self._recorder.add(Actor(number, name, pid, parent=parent, life=Life.ALIVE))
        self._bodies[number] = body()
        self._advance(number, None)

    def _advance(self, actor: int, value: str | None) -> None:
        """Until the process announces an operation at which the scheduler is asked."""
        body = self._bodies[actor]
        while True:
            try:
                asked = next(body) if value is None else body.send(value)
            except StopIteration:
                asked = Operation(Verb.EXIT, call="exit", detail="0")
            except AssertionError as error:
                self._recorder.change(
                    actor, error=f"AssertionError: {error}", error_site="", is_assertion=True
                )
                asked = Operation(Verb.EXIT, call="exit", detail="1")
            if isinstance(asked, Back):
                if self.state.actors[actor].library:
                    return  # it rests
                self._recorder.back(actor, asked.result)
                value = None
                continue
            if isinstance(asked, Feed):
                self._feed(actor, asked.queue)
                value = None
                continue
            operation = self._operation(asked)
            inside = self.state.actors[actor].call
            self._recorder.announce(actor, operation)
            goes_on = inside and operation.compound and self._recorder.grain is Grain.CALL
            if not (goes_on and self.state.enabled(self.state.actors[actor])):
                return
            value = self._recorder.effect(actor, operation)

    def _feed(self, process: int, queue: Queue) -> None:
        """The item put last goes into the pipe; under the X-ray by a thread that is an actor."""
        channel = self.state.channel(queue.primitive)
        item = next(i.label for i in reversed(channel.buffered) if i.sender == process)
        if self._recorder.grain is Grain.CALL:
            for verb in (Verb.SEND, Verb.SENT):
                self._recorder.move(process, queue.op(verb, "items", "send", None, compound=False))
            return
        feeder = self._feeders.get((process, queue.name))
        if feeder is None:
            feeder = self._feeders[process, queue.name] = len(self._recorder.actors)
            owner = self.state.actors[process]
            self._recorder.add(
                Actor(
                    feeder,
                    f"{owner.name}'s feeder",
                    owner.pid,
                    parent=process,
                    thread="QueueFeederThread",
                    life=Life.ALIVE,
                    library=True,
                )
            )
            self._to_feed[feeder] = deque()
            self._bodies[feeder] = self._thread(feeder)
        self._to_feed[feeder].append((queue, item))
        if self.state.actors[feeder].pending is None:
            self._advance(feeder, None)

    def _thread(self, feeder: int) -> Body:
        """A feeder thread: it never ends, and rests where there is nothing to send."""
        waiting = self._to_feed[feeder]
        while True:
            while waiting:
                queue, item = waiting.popleft()
                yield from queue.feed(item)
                sent = queue.op(Verb.SENT, "items", "send", None, compound=False)
                self._recorder.move(feeder, sent)
            yield Back()

    def _operation(self, asked: Operation | Start | Join) -> Operation:
        if isinstance(asked, Start):
            self._unborn[asked.name] = asked.body
            return Operation(Verb.START, call="Process.start", site=asked.site, detail=asked.name)
        if isinstance(asked, Join):
            child = next(a for a in self.state.actors if a.name == asked.name)
            return Operation(
                Verb.JOIN,
                atom=str(child.pid),
                call="Process.join",
                site=asked.site,
                detail=asked.name,
            )
        return asked


def _everyone(source: Source, bodies: dict[str, Callable[[], Body]]) -> Body:
    """A main process that starts all of them, in order, and joins them."""
    for name, body in bodies.items():
        yield Start(name, body, source.site(".start()"))
    for name in bodies:
        yield Join(name, source.site(".join()"))


def _live(
    source: Source, things: list[Thing], bodies: dict[str, Callable[[], Body]]
) -> ScriptedLive:
    return ScriptedLive(source, things, lambda: _everyone(source, bodies))


# Scripts, ready to play.

_PUZZLES = Path(__file__).parents[2] / "puzzles"
PHILOSOPHERS = ("Plato", "Socrates", "Kant", "Hume")


def philosophers() -> ScriptedLive:
    """Four dining philosophers: when each takes the left fork first, nobody eats again.

    ``run(*START_ALL, 1, 2, 3, 4)`` is the deadlock.
    """
    file = _PUZZLES / "dining-philosophers" / "program.py"
    source = Source(str(file), file.read_text(encoding="utf-8"))
    line = source.site("Lock()").line
    forks = [Lock(f"forks[{n}]", line) for n in range(4)]

    def dine(left: Lock, right: Lock) -> Body:
        at_left = source.site("with left:", "dine")
        at_right = source.site("with right:", "dine")
        yield from left.acquire(at_left)
        yield from right.acquire(at_right)
        yield say("eats", source.site("print", "dine"))
        yield from right.release(at_right)
        yield from left.release(at_left)

    def guest(seat: int) -> Callable[[], Body]:
        return lambda: dine(forks[seat], forks[(seat + 1) % 4])

    return _live(source, [*forks], {name: guest(seat) for seat, name in enumerate(PHILOSOPHERS)})


#: The main process starts four children.
START_ALL = (0, 0, 0, 0)

_SHELF = """\
from multiprocessing import Process, Queue

def bake(shelf, loaves):
    for loaf in loaves:
        shelf.put(loaf)

def sell(shelf):
    while (loaf := shelf.get()) is not None:
        print("sells", loaf)

def main():
    shelf = Queue(3)
    bakers = [Process(name="Ada", ...), Process(name="Bob", ...)]
    for process in bakers:
        process.start()
    for process in bakers:
        process.join()
"""


def producer_consumer(items: tuple[str, ...] = ("rye", "oat", "corn", "bun")) -> ScriptedLive:
    """Ada fills a shelf with three places, Bob and Cleo empty it."""
    source = Source("bakery.py", _SHELF)
    shelf = Queue("shelf", 3, source.site("Queue(3)").line)
    put, get = source.site("shelf.put", "bake"), source.site("shelf.get", "sell")

    def bake() -> Body:
        for item in (*items, "None", "None"):
            yield from shelf.put(item, put)

    def sell() -> Body:
        while (item := (yield from shelf.get(get))) != "None":
            yield say(f"sells {item}", source.site("print", "sell"))

    return _live(source, [shelf], {"Ada": bake, "Bob": sell, "Cleo": sell})


_BOATS = """\
from multiprocessing import Process, Semaphore

def row(boats):
    with boats:
        print("rows out")
        sleep(0.2)

def main():
    boats = Semaphore(3)
    for friend in friends:
        friend.start()
    for friend in friends:
        friend.join()
"""


def pool() -> ScriptedLive:
    """Five friends, three boats."""
    source = Source("boats.py", _BOATS)
    boats = Permits("boats", 3, source.site("Semaphore(3)").line)

    def row() -> Body:
        yield from boats.acquire(source.site("with boats", "row"))
        yield say("rows out", source.site("print", "row"))
        yield sleep("0.2", source.site("sleep", "row"))
        yield from boats.release(source.site("with boats", "row"))

    return _live(source, [boats], dict.fromkeys(("Ada", "Bob", "Cleo", "Dan", "Eve"), row))


_BELL = """\
from multiprocessing import Condition, Process, Value

def bake(bell, cakes):
    for _ in range(2):
        with bell:
            cakes.value += 1
            bell.notify_all()

def eat(bell, cakes):
    with bell:
        if cakes.value == 0:
            bell.wait()
        assert cakes.value > 0, "the plate is empty"
        cakes.value -= 1

def main():
    bell = Condition()
    cakes = Value("i", 0)
    for process in processes:
        process.start()
    for process in processes:
        process.join()
"""


def condition() -> ScriptedLive:
    """A baker rings for every cake; two guests wait, with an ``if`` instead of a ``while``."""
    source = Source("bell.py", _BELL)
    bell = Condition("bell", source.site("Condition()").line)
    cakes = Value("cakes", "0", source.site('Value("i"').line)

    def add(amount: int, needle: str, function: str) -> Body:
        site = source.site(needle, function)
        value = yield from cakes.get(site)
        yield from cakes.set(str(int(value) + amount), site)

    def bake() -> Body:
        for _ in range(2):
            yield from bell.acquire(source.site("with bell", "bake"))
            yield from add(1, "+= 1", "bake")
            yield from bell.notify_all(source.site("notify_all", "bake"))
            yield from bell.release(source.site("with bell", "bake"))

    def eat() -> Body:
        yield from bell.acquire(source.site("with bell", "eat", 1))
        if (yield from cakes.get(source.site("== 0", "eat"))) == "0":
            yield from bell.wait(source.site("bell.wait", "eat"))
        try:
            left = yield from cakes.get(source.site("assert", "eat"))
            assert int(left) > 0, "the plate is empty"
            yield from add(-1, "-= 1", "eat")
        finally:
            yield from bell.release(source.site("with bell", "eat", 1))

    return _live(source, [bell, cakes], {"Ada": eat, "Bob": eat, "Cleo": bake})


_DIVE = """\
from multiprocessing import Event, Process

def dive(mine, partners):
    mine.set()
    partners.wait()
    print("dives")

def main():
    ready = {"Ada": Event(), "Bob": Event()}
    for diver in divers:
        diver.start()
    for diver in divers:
        diver.join()
"""


def event() -> ScriptedLive:
    """Two divers wait for each other's sign."""
    source = Source("dive.py", _DIVE)
    line = source.site("Event()").line
    ready = {name: Event(f"ready['{name}']", line) for name in ("Ada", "Bob")}

    def dive(mine: Event, partners: Event) -> Body:
        yield from mine.set(source.site("mine.set", "dive"))
        yield from partners.wait(source.site("partners.wait", "dive"))
        yield say("dives", source.site("print", "dive"))

    bodies: dict[str, Callable[[], Body]] = {
        "Ada": lambda: dive(ready["Ada"], ready["Bob"]),
        "Bob": lambda: dive(ready["Bob"], ready["Ada"]),
    }
    return _live(source, [*ready.values()], bodies)


_GATE = """\
from multiprocessing import Barrier, Process

def walk(gate):
    gate.wait()
    print("is through")

def main():
    gate = Barrier(3)
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join()
"""


def barrier() -> ScriptedLive:
    """Three walkers go through a gate together."""
    source = Source("gate.py", _GATE)
    gate = Barrier("gate", 3, source.site("Barrier(3)").line)

    def walk() -> Body:
        yield from gate.wait(source.site("gate.wait", "walk"))
        yield say("is through", source.site("print", "walk"))

    return _live(source, [gate], dict.fromkeys(("Ada", "Bob", "Cleo"), walk))


_COUNTER = """\
from multiprocessing import Process, Value

def let_in(visitors, counter):
    for _ in range(visitors):
        counter.value += 1

def main():
    counter = Value("i", 0)
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    assert counter.value == 4
"""


def value() -> ScriptedLive:
    """Two gatekeepers count on one counter; an update can get lost."""
    source = Source("counter.py", _COUNTER)
    counter = Value("counter", "0", source.site('Value("i"').line)
    site = source.site("+= 1", "let_in")

    def let_in() -> Body:
        for _ in range(2):
            seen = yield from counter.get(site)
            yield from counter.set(str(int(seen) + 1), site)

    def main() -> Body:
        yield from _everyone(source, {"Ada": let_in, "Bob": let_in})
        counted = yield from counter.get(source.site("assert"))
        assert counted == "4", f"{counted} counted, 4 came"

    return ScriptedLive(source, [counter], main)


_LOCKERS = """\
from multiprocessing import Lock, Process

def work(mine, next_one):
    while True:
        with mine:
            with next_one:
                pass

def main():
    locks = [Lock() for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
"""


def lockers(count: int = 16, rounds: int = 1_000_000) -> ScriptedLive:
    """So many processes, each of which keeps taking two of as many locks."""
    source = Source("lockers.py", _LOCKERS)
    line = source.site("Lock()").line
    locks = [Lock(f"locks[{n}]", line) for n in range(count)]
    outer, inner = source.site("with mine", "work"), source.site("with next", "work")

    def work(low: Lock, high: Lock) -> Body:
        for _ in range(rounds):
            yield from low.acquire(outer)
            yield from high.acquire(inner)
            yield from high.release(inner)
            yield from low.release(outer)

    def worker(n: int) -> Callable[[], Body]:
        low, high = sorted((n, (n + 1) % count))
        return lambda: work(locks[low], locks[high])

    return _live(source, [*locks], {f"Worker-{n + 1}": worker(n) for n in range(count)})


def hostile() -> ScriptedLive:
    """Names, items and output that would break a careless screen."""
    names = ("[/foo]", "\x1b[31mred\x1b[0m", "日本語のとても長いプロセスの名前", "x" * 500)
    source = Source("hostile.py", _SHELF)
    box = Queue("\x1b]0;title\x07[bold]box[/]" + "箱" * 60, 3)
    lock = Lock("[@click=app.quit]lock\n\n")

    def work(name: str) -> Callable[[], Body]:
        def body() -> Body:
            yield from lock.acquire(source.site("shelf.put", "bake"))
            yield from box.put(name, source.site("shelf.put", "bake"))
            yield say(name * 3 + "\r\n\x07[/bar]", source.site("print", "sell"))
            yield from lock.release()

        return body

    return _live(source, [box, lock], {name: work(name) for name in names})
