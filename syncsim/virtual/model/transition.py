"""One step in the making: what an operation does to the nodes and atoms of a state."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncsim.core.atoms import Semaphore
from syncsim.core.enabled import permits
from syncsim.core.operation import Operation, Verb
from syncsim.virtual.errors import NotVirtualError
from syncsim.virtual.model.automaton import (
    AWAITED,
    FIRST_PID,
    AutomatonState,
    Back,
    Edge,
    Ended,
    Event,
    Look,
    Looked,
    Made,
    Meddled,
    Noted,
    Over,
    Request,
)
from syncsim.virtual.model.data_atoms import (
    GONE,
    SEM_VALUE_MAX,
    UNSENDABLE,
    Alias,
    Gone,
    Lent,
    Pipe,
    SharedMemory,
    Thing,
)
from syncsim.virtual.model.managed import Died, Referent, Woken
from syncsim.virtual.model.states import (
    DROPPED,
    LIVES,
    Did,
    Move,
    PlaceOfData,
    Served,
    State,
    Taken,
)
from syncsim.virtual.process.library_threads import Helped

if TYPE_CHECKING:
    from syncsim.virtual.model.system import System

#: How the server of a manager ends that is shut down.
SHUT_DOWN = Ended(0)
#: What a killed process answers to nobody.
TERMINATED, KILLED = Ended(-15), Ended(-9)
#: Steps that nobody else can tell the time of: a search takes them at once.
INVISIBLE = frozenset(
    (
        Verb.START, Verb.OUTPUT, Verb.SLEEP, Verb.JOIN, Verb.EXIT, Verb.FLUSH, Verb.PUT,
    )
)  # fmt: skip
#: So many of them are taken at once.
MOST_LOCAL = 100
#: Those of them that wait for others.
AWAITS = frozenset((Verb.JOIN, Verb.FLUSH, Verb.AWAIT))
#: What concerns one process alone and needs no atom.
ATOMLESS = frozenset((Verb.OUTPUT, Verb.SLEEP, Verb.EXIT))
PRIVATE = ATOMLESS | {Verb.ACQUIRE, Verb.RELEASE, Verb.READ, Verb.WRITE, Verb.VALUE}


def _is_own(atom: Semaphore, verb: Verb, actor: int) -> bool:
    """Whether nobody else can tell that the actor takes or releases its RLock."""
    if verb is Verb.RELEASE:
        return atom.holders != (actor,)
    return actor in atom.holders


class Transition:
    """One step in the making: the state as lists that may be changed."""

    __slots__ = ("atoms", "did", "newborn", "nodes", "system")

    def __init__(self, system: System, state: State) -> None:
        self.system = system
        self.nodes: list[AutomatonState | None] = list(state.nodes)
        self.atoms: list[Thing | None] = list(state.atoms)
        self.did: list[Did] = []
        self.newborn: list[int] = []

    def taken(self) -> Taken:
        """What came of it."""
        return Taken(State(tuple(self.nodes), tuple(self.atoms)), tuple(self.did))

    def born(self, actor: int, edge: Edge) -> None:
        """A process is there."""
        while len(self.nodes) <= actor:
            self.nodes.append(None)
        self.nodes[actor] = edge.node
        self.newborn.append(actor)
        self._note(actor, edge.events)
        self.did.append(Did(actor, Verb.BORN, actor, None, False, events=edge.events))
        self._look_at(edge.node)

    # -- may it go? ---------------------------------------------------------------------

    def _atom(self, at: int) -> Thing | None:
        return self.atoms[at] if at < len(self.atoms) else None

    def can_go(self, actor: int) -> bool:
        """Whether its next operation would not block."""
        node = self.nodes[actor]
        return node is not None and node.request is not None and self._can(actor, node.request)

    def _can(self, actor: int, request: Request) -> bool:
        operation = request.operation
        verb = operation.verb
        if request.ready is not None:
            return request.ready or not operation.blocking
        if verb is Verb.ACQUIRE:
            if not operation.blocking:
                return True
            atom = self.atoms[self.system.atoms[operation.atom]]
            assert isinstance(atom, Semaphore | Gone)
            return permits(atom, actor)
        if verb is Verb.RELEASE or verb is Verb.READ or verb is Verb.WRITE:
            return True
        if verb is Verb.JOIN:
            target = self._process(int(operation.atom))
            return target is None or target.ended is not None
        if verb is Verb.RECEIVE:
            pipe = self._pipe(operation.atom)
            return not operation.blocking or pipe.has_whole or not pipe.writers
        if verb is Verb.POLL:
            pipe = self._pipe(operation.atom)
            return not operation.blocking or bool(pipe.messages) or not pipe.writers
        if verb is Verb.WAKE:
            thing = self.atoms[self.system.atoms[operation.atom]]
            return not isinstance(thing, Referent) or actor in thing.can_wake
        if verb is Verb.FLUSH:
            return not self._pipe(operation.atom).unsent(actor)
        if verb is Verb.SENT:
            pipe = self._pipe(operation.atom)
            return actor not in pipe.sending or pipe.has_all_of(actor) or not pipe.readers
        if verb is Verb.WAIT_ANY:
            return bool(self._ended_of(operation.atom))
        return True

    def _ended_of(self, pids: str) -> tuple[tuple[int, int], ...]:
        """Those of the processes that have ended, with their exit codes."""
        found = []
        for pid in pids.splitlines():
            node = self._process(int(pid))
            if node is not None and node.ended is not None:
                found.append((int(pid), node.ended.exitcode))
        return tuple(found)

    def can_time_out(self, actor: int) -> bool:
        """Whether it waits for a time at most."""
        node = self.nodes[actor]
        return (
            node is not None and node.request is not None and (node.request.operation.can_time_out)
        )

    def _process(self, pid: int) -> AutomatonState | None:
        actor = pid - FIRST_PID
        return self.nodes[actor] if actor < len(self.nodes) else None

    def _pipe(self, name: str) -> Pipe:
        pipe = self.atoms[self.system.atoms[name]]
        assert isinstance(pipe, Pipe)
        return pipe

    def feeding(self) -> Iterable[tuple[int, int]]:
        """The processes with something in a buffer, or half in a pipe, and which pipe."""
        for at, atom in enumerate(self.atoms):
            if isinstance(atom, Pipe) and (atom.buffered or atom.sending):
                owners = dict.fromkeys([owner for owner, _ in atom.buffered])
                for owner in owners:
                    yield owner, at

    def can_feed(self, actor: int, at: int) -> bool:
        """Whether the feeder of that process has something for that pipe."""
        pipe = self._atom(at)
        if not isinstance(pipe, Pipe) or actor in pipe.sending:
            return False
        if pipe.torn and not pipe.drops(actor):
            return False  # who has torn it had the put lock
        return any(owner == actor for owner, _ in pipe.buffered)

    # -- making it happen ---------------------------------------------------------------

    def choose(self, move: Move) -> None:
        """Make what was chosen, and what follows of itself."""
        system = self.system
        feeds = system.members[move.actor].feeds
        if feeds is not None:
            self._feed(*feeds, token=True)
            self.settle()
            return
        self._make(move.actor, times_out=move.times_out, token=True)
        self._help()
        while system.by_call and self._in_call(move.actor):
            if not self.can_go(move.actor):
                self._stop(move.actor)
                break
            self._make(move.actor, token=False)
            self._help()
        self.go_on(move.actor)

    def _stop(self, actor: int) -> None:
        """Note what its call waits for: in another state it would have gone on."""
        node = self.nodes[actor]
        assert node is not None
        assert node.request is not None
        operation = node.request.operation
        if operation.verb is Verb.JOIN:
            at = int(operation.atom) - FIRST_PID
        else:
            at = self.system.atom(operation.atom)
        last = next(n for n in reversed(range(len(self.did))) if self._is_of(self.did[n], actor))
        self.did[last] = replace(self.did[last], stopped=(at, operation.verb))

    def _is_of(self, did: Did, actor: int) -> bool:
        """Whether the process itself did it, and not a thread of the library."""
        return did.actor == actor and not did.helper

    def _in_call(self, actor: int) -> bool:
        """Whether its next operation belongs to the call it is in the middle of."""
        node = self.nodes[actor]
        if node is None or node.request is None or not node.request.operation.compound:
            return False
        last = next(did for did in reversed(self.did) if self._is_of(did, actor))
        if last.request is None or not last.request.operation.compound:
            return False
        return not any(type(event) is Back for event in last.events)

    def go_on(self, actor: int) -> None:
        """Make what follows of itself: silent operations and, if eager, local steps."""
        self.settle((actor,))

    def settle(self, first: tuple[int, ...] = ()) -> None:
        """Make what follows of itself, beginning with those actors."""
        system = self.system
        todo = list(first)
        while True:
            self._help()
            while todo:
                actor = todo.pop(0)
                if self._follows(actor):
                    self._follow(actor)
                todo += self.newborn
                self.newborn.clear()
            if not system.xray and self._feed_all():
                continue
            # Whoever waited for an end or for a pipe may go on now.
            todo = [
                actor
                for actor, node in enumerate(self.nodes)
                if node is not None and node.request and not node.simple and self._follows(actor)
            ]
            if not todo:
                return

    def _help(self) -> None:
        """The threads of the library do all that they can."""
        while self.system.helped:
            for actor, node in enumerate(self.nodes):
                if node is None or node.request is None:
                    continue
                able = [n for n, asked in node.request.beside if self._can(actor, asked)]
                if able:
                    self._make(actor, helper=able[0], token=False)
                    break
            else:
                return

    def _follow(self, actor: int) -> None:
        passed: set[AutomatonState] = set()
        while self._follows(actor):
            silent = self._silent(actor)
            if not silent and self._circles(actor, passed):
                return
            self._make(actor, token=not silent)
            self._help()

    def _circles(self, actor: int, passed: set[AutomatonState]) -> bool:
        """Whether it comes to where it has just been, or to no end: then its steps are chosen."""
        node = self.nodes[actor]
        assert node is not None
        node.circles = node in passed or len(passed) > MOST_LOCAL
        passed.add(node)
        return node.circles

    def _silent(self, actor: int) -> bool:
        node = self.nodes[actor]
        if node is None or node.request is None:
            return False
        return node.request.silent or (node.request.inner and not self.system.xray)

    def _follows(self, actor: int) -> bool:
        """Whether its next operation is made without being chosen."""
        node = self.nodes[actor]
        if node is None or node.request is None:
            return False
        request = node.request
        if request.silent or (request.inner and not self.system.xray):
            return self.can_go(actor)
        operation = request.operation
        if not self.system.eager or operation.verb not in INVISIBLE or node.circles:
            return False
        if operation.can_time_out:
            return False
        if request.beside and operation.verb in AWAITS:
            # What its helpers do thereafter is its own doing, not that of whoever lets it go on.
            return False
        if operation.verb is Verb.EXIT and (
            (self.system.pipes and self._loses(actor)) or actor in self.system.watched
        ):
            return False
        return self.can_go(actor)

    def _loses(self, actor: int) -> bool:
        """Whether the end of that process loses something; then it is a step to be ordered."""
        system = self.system
        for at, atom in enumerate(self.atoms):
            if isinstance(atom, Pipe) and atom.unsent(actor):
                system.watched.add(actor)
                system.killable.add(system.feeder(actor, at))
        if self._halved(actor):
            system.watched.add(actor)
        return actor in system.watched

    def _feed_all(self) -> bool:
        """By the call, feeders are not seen: they do their work at once."""
        fed = False
        for actor, at in list(self.feeding()):
            while self.can_feed(actor, at):
                self._feed(actor, at, token=False)
                fed = True
        return fed

    def _feed(self, actor: int, at: int, *, token: bool) -> None:
        pipe = self.atoms[at]
        assert isinstance(pipe, Pipe)
        if pipe.drops(actor):
            self._drop(actor, at, pipe, token=token)
            return
        part = pipe.received + len(pipe.messages)
        self.atoms[at] = after = pipe.fed(actor)
        feeder = self.system.feeder(actor, at)
        whole = actor not in after.sending
        if not whole and feeder in self.system.killable:
            self.system.cut.add(at)
        self.did.append(Did(feeder, Verb.SEND, at, actor, token, part, whole=whole))

    def _drop(self, actor: int, at: int, pipe: Pipe, *, token: bool) -> None:
        """A feeder cannot pickle its next item: it gives the slot back, and goes on."""
        feeder = self.system.feeder(actor, at)
        name = pipe.next_of(actor).removeprefix(UNSENDABLE).decode()
        operation = Operation(Verb.RELEASE, name)
        slots = self.system.atoms[name]
        before = self.atoms[slots]
        assert isinstance(before, Semaphore)
        self.atoms[at] = pipe.dropped(actor)
        self.atoms[slots] = before.apply(operation, feeder)[0]
        self.did.append(Did(feeder, Verb.SEND, at, actor, token, DROPPED))
        given = Did(feeder, Verb.RELEASE, slots, None, False, before.value, Request(operation))
        self.did.append(replace(given, bounded=before.maximum < SEM_VALUE_MAX))

    def _make(
        self, actor: int, *, times_out: bool = False, token: bool, helper: int | None = None
    ) -> None:
        node = self.nodes[actor]
        assert node is not None
        request = node.request
        assert request is not None
        if helper is not None:
            request = dict(request.beside)[helper]
        operation = request.operation
        verb = operation.verb
        at, part, bounded, own = -1, 0, False, False
        let_go: list[Did] = []
        closed = self._closed(actor, request) if self.system.pipes else ()
        result: Hashable = None
        served: Served | None = None
        kept: tuple[int, ...] = ()
        if verb is Verb.START:
            result = self._start(actor, node, request)
            at = result - FIRST_PID
        elif verb in LIVES:
            at = int(operation.atom or FIRST_PID + actor) - FIRST_PID
            if verb is Verb.TERMINATE:
                kept = self._slept_in(at)
            result = self._live(actor, request, at, times_out)
        elif verb is Verb.WAIT_ANY:
            result = self._ended_of(operation.atom)
        elif request.ready is not None:
            at = self.system.atom(operation.atom)
            result = request.ready
        elif operation.atom:
            at = self.system.atom(operation.atom)
            while at >= len(self.atoms):
                self.atoms.append(None)
            atom = self.atoms[at]
            if isinstance(atom, Referent):
                result, served = self._serve(actor, at, atom, request, times_out)
            elif isinstance(atom, Gone):
                result = GONE
            elif verb is Verb.CALL:
                pass  # it is only seen that there is a server
            elif isinstance(atom, Semaphore):
                part = atom.value
                bounded = not atom.recursive and atom.maximum < SEM_VALUE_MAX
                own = atom.recursive and _is_own(atom, verb, actor)
                if times_out:
                    result = False
                elif verb is Verb.ACQUIRE:
                    if permits(atom, actor):
                        self.atoms[at] = atom.apply(operation, actor)[0]
                        result = True
                    else:
                        assert not operation.blocking, "it cannot go"
                        result = False
                elif verb is Verb.RELEASE:
                    after, word = atom.apply(operation, actor)
                    self.atoms[at] = after
                    result = None if word == "None" else word
                else:
                    result = atom.value
            elif isinstance(atom, SharedMemory):
                own = request.silent and at not in self.system.read_unlocked
                if verb is Verb.WRITE:
                    self.atoms[at] = atom.written(request.payload)
                else:
                    result = atom.read(request.payload)
            elif isinstance(atom, Pipe):
                begun = len(self.did)
                result, part = self._through(actor, at, atom, request, times_out)
                let_go = self.did[begun:]  # who that lets go on does so thereafter
                del self.did[begun:]
        elif verb is Verb.CALL:
            kept = self._shut_down(request)
            at = int(request.payload) - FIRST_PID  # type: ignore[call-overload]
        lost = self._lost(at) if verb is Verb.EXIT or verb is Verb.TERMINATE else ()
        answer = result if helper is None else Helped(helper, result)
        edge = self._answer(actor, node, answer)
        self.did.append(
            Did(
                actor,
                verb,
                at,
                result,
                token,
                part,
                request,
                edge.events,
                times_out,
                bounded,
                own,
                lost=lost,
                closed=closed,
                served=served,
                kept=kept,
                helper=helper is not None,
                settled=self._settled(edge.events) if edge.events else (),
                looked=self._looked(edge.events) if edge.events else (),
                meddles=helper is not None and self._meddles(actor, verb, edge.events),
                work=self.system.atom(request.work) if request.work else -1,
            )
        )
        self.did += let_go
        if lost:
            self._look_at_the_rest(actor, lost)
        if edge.node.request is not None and edge.node.request.beside:
            self._look_beside(actor, node.request, edge.node.request)

    def _look_at_the_rest(self, actor: int, lost: tuple[int, ...]) -> None:
        """Who ends feeders may tear a message: that depends on what was received by then."""
        for feeder in lost:
            feeds = self.system.members[feeder].feeds
            assert feeds is not None
            _, at = feeds
            if at in self.system.cut:
                name = next(name for name, number in self.system.atoms.items() if number == at)
                asked = Request(Operation(Verb.POLL, name, blocking=False))
                self.did.append(Did(actor, Verb.POLL, at, True, False, 0, asked, helper=True))

    def _look_beside(self, actor: int, before: Request | None, request: Request) -> None:
        """A thread of the library that has to wait for a lock has tried to take it now."""
        for asks in request.beside:
            asked = asks[1]
            if (
                asked.operation.verb is Verb.ACQUIRE
                and (before is None or asks not in before.beside)
                and not self._can(actor, asked)
            ):
                at = self.system.atoms[asked.operation.atom]
                self.did.append(Did(actor, Verb.ACQUIRE, at, False, False, 0, asked, helper=True))

    def _meddles(self, actor: int, verb: Verb, events: tuple[Event, ...]) -> bool:
        """Whether a thread of the library runs the program's code, now that it may go on."""
        # (Once its pipe has room, the one for tasks may ask the program for the next.)
        # A child that one of them starts gets what is in the memory just then.
        found = (
            verb is Verb.START
            or any(type(event) is Meddled for event in events)
            or (verb is Verb.SENT and not any(d.helper and d.verb is Verb.SEND for d in self.did))
        )
        if found:
            self.system.killable.add(actor)
        return found

    def _settled(self, events: tuple[Event, ...]) -> tuple[int, ...]:
        """The outcomes that are there after those."""
        names = []
        for event in events:
            if isinstance(event, Over):
                names.append(event.outcome)
            elif isinstance(event, Noted) and event.settles:
                names.append(event.operation.atom)
        return tuple(self.system.atom(name) for name in names)

    def _looked(self, events: tuple[Event, ...]) -> tuple[tuple[int, Look], ...]:
        """The outcomes at which somebody looks in those."""
        return tuple(
            (self.system.atom(one.outcome), one.look) for one in events if type(one) is Looked
        )

    def _serve(
        self, actor: int, at: int, thing: Referent, request: Request, times_out: bool
    ) -> tuple[Hashable, Served | None]:
        """A call on something that a server keeps, or a half of one: its result."""
        wakes = request.operation.verb is Verb.WAKE
        asked = Woken(not times_out) if wakes else request.payload
        if asked is None:  # it is only seen that there is a server, or it cannot be sent
            return None, None
        answer = thing.ask(actor, asked)  # type: ignore[arg-type]
        self.atoms[at] = after = answer.after
        if after.counts_tasks:
            self.system.counting.add(at)
        served = Served(after is not thing, answer.wakes, after.text)
        return (not times_out, answer.reply) if wakes else answer.reply, served

    def _slept_in(self, actor: int) -> tuple[int, ...]:
        """What a server keeps in which that process sleeps."""
        return tuple(
            at
            for at, atom in enumerate(self.atoms)
            if isinstance(atom, Referent) and actor in atom.asleep
        )

    def _shut_down(self, request: Request) -> tuple[int, ...]:
        """A server ends: what it kept is gone."""
        assert isinstance(request.payload, int)
        target = request.payload - FIRST_PID
        node = self.nodes[target]
        if node is None or node.ended is not None:
            return ()
        self.nodes[target] = self.system.killed_at(node, SHUT_DOWN)
        self._apply_exits(target)
        kept = tuple(at for at, server in self.system.kept_by.items() if server == target)
        gone = []
        for at in kept:
            last = self._atom(at)
            if isinstance(last, Semaphore | Referent):
                self.atoms[at] = Gone(last)
                gone.append(at)
        return tuple(gone)

    def _closed(self, actor: int, request: Request) -> tuple[tuple[int, bool, bool], ...]:
        """The ends of pipes that somebody misses after that operation."""
        system, operation = self.system, request.operation
        if operation.verb is Verb.CLOSE:
            assert isinstance(request.payload, tuple)
            at = system.atoms[operation.atom]
            system.half_open.add(at)
            return ((at, *request.payload),)
        if operation.verb is Verb.TERMINATE:
            actor = int(operation.atom) - FIRST_PID
        elif operation.verb is not Verb.EXIT:
            return ()
        return tuple(
            (at, actor in pipe.readers, actor in pipe.writers) for at, pipe in self._halved(actor)
        )

    def _halved(self, actor: int) -> list[tuple[int, Pipe]]:
        """The pipes with an end open in that process of which somebody has one end alone."""
        return [
            (at, pipe)
            for at, pipe in enumerate(self.atoms)
            if isinstance(pipe, Pipe)
            and at in self.system.half_open
            and (actor in pipe.readers or actor in pipe.writers)
        ]

    def _lost(self, process: int) -> tuple[int, ...]:
        """The feeders that end with that process."""
        system = self.system
        return tuple(
            feeder
            for (owner, _), feeder in system.feeders.items()
            if owner == process and feeder in system.killable
        )

    def _answer(self, actor: int, node: AutomatonState, result: Hashable) -> Edge:
        current = self.nodes[actor]
        edge = node.automaton.follow(node, result)
        if current is node:  # and not ended by what it did
            self.nodes[actor] = edge.node
        self._note(actor, edge.events)
        self._look_at(edge.node)
        if edge.node.ended is not None:
            self._apply_exits(actor)
        return edge

    def _look_at(self, node: AutomatonState) -> None:
        """Get to know a node: its atom, and whether it looks at the life of a process."""
        request = node.request
        if request is None:
            return
        operation = request.operation
        verb = operation.verb
        if request.beside:
            self.system.helped = True
        if node.atom < 0 and verb in PRIVATE and verb not in ATOMLESS and request.ready is None:
            node.atom = self.system.atoms[operation.atom]
            node.always = verb is not Verb.ACQUIRE or not operation.blocking
            node.simple = not (self.system.by_call or request.silent or request.beside)
        if verb is Verb.ALIVE and operation.call != AWAITED:
            self.system.watched.add(int(operation.atom) - FIRST_PID)
        if request.silent:
            return
        if operation.call == "Barrier.read":
            self.system.read_unlocked.add(self.system.atoms[operation.atom])
        if verb is Verb.JOIN and not operation.can_time_out:
            node.joins = int(operation.atom) - FIRST_PID
        if verb is Verb.TERMINATE or (verb is Verb.JOIN and operation.can_time_out):
            target = int(operation.atom) - FIRST_PID
            self.system.watched.add(target)
            if verb is Verb.TERMINATE:
                self.system.killable.add(target)

    def _note(self, actor: int, events: tuple[Event, ...]) -> None:
        system = self.system
        for event in events:
            if type(event) is Made:
                primitive = event.primitive
                system.named.setdefault(primitive.id, {})[primitive.name] = primitive
                contents = dict(event.contents)
                for name, atom in event.atoms:
                    at = system.atom(name)
                    system.primitives.setdefault(at, primitive)
                    while len(self.atoms) <= at:
                        self.atoms.append(None)
                    content = contents.get(name, atom)
                    if isinstance(content, Lent):
                        if isinstance(content.content, Alias):
                            self.system.atoms[name] = self.system.atoms[content.content.of]
                            continue
                        self.system.kept_by[at] = content.server - FIRST_PID
                        content = content.content or atom
                    if isinstance(content, Pipe):
                        system.pipes = True
                        content = content.opened(actor, writer=True, reader=True)
                        if PlaceOfData.HISTORY in system.kept:
                            content = replace(content, history=())
                    elif isinstance(content, Semaphore) and PlaceOfData.HOLDERS not in system.kept:
                        # Who holds it matters to a recursive one alone; else it is for show.
                        content = replace(content, resource=content.recursive)
                    if isinstance(content, Semaphore | Pipe | SharedMemory | Referent):
                        self.atoms[at] = content

    def _apply_exits(self, actor: int) -> None:
        if not (self.system.pipes or self.system.kept_by):
            return
        for at, atom in enumerate(self.atoms):
            if isinstance(atom, Pipe):
                self.atoms[at] = atom.forgotten(actor)
            elif isinstance(atom, Referent) and actor in atom.asleep:
                self.atoms[at] = atom.ask(actor, Died()).after

    def _through(
        self, actor: int, at: int, pipe: Pipe, request: Request, times_out: bool
    ) -> tuple[Hashable, int]:
        """An operation on a pipe: its result, and which message it was about."""
        verb = request.operation.verb
        put = pipe.received + len(pipe.messages)
        match verb:
            case Verb.PUT:
                assert isinstance(request.payload, bytes)
                self.system.labels[request.payload] = request.operation.detail
                self.atoms[at] = pipe.put(actor, request.payload)
                return None, 0
            case Verb.SEND:
                assert isinstance(request.payload, bytes)
                self.system.labels[request.payload] = request.operation.detail
                if not pipe.readers:
                    return "BrokenPipeError", put
                if pipe.torn:
                    raise NotVirtualError("what is sent after half a message")
                self.atoms[at] = pipe.sent(actor, request.payload)
                return None, put
            case Verb.SENT:
                self.atoms[at] = pipe.arrived(actor)
                return None, 0
            case Verb.RECEIVE:
                if pipe.torn and not pipe.has_whole:
                    raise NotVirtualError("the end of a pipe in the middle of a message")
                if not pipe.messages:
                    assert not pipe.writers, "it cannot go"
                    return None, put
                self.atoms[at] = after = pipe.taken()
                for waiting in after.sending:
                    if after.torn:
                        break
                    if after.has_all_of(waiting) and waiting not in self._asking_sent():
                        after = after.arrived(waiting)
                        feeder = self.system.feeder(waiting, at)
                        self.did.append(Did(feeder, Verb.SENT, at, None, self.system.xray))
                self.atoms[at] = after
                return pipe.messages[0], pipe.received
            case Verb.POLL:
                got = not times_out and bool(pipe.messages or not pipe.writers)
                return got, pipe.received
            case Verb.CLOSE:
                assert isinstance(request.payload, tuple)
                reader, writer = request.payload
                self.atoms[at] = pipe.closed(actor, reader=reader, writer=writer)
        return None, 0

    def _asking_sent(self) -> set[int]:
        """The processes that themselves wait until their message is in the pipe."""
        return {
            actor
            for actor, node in enumerate(self.nodes)
            if node is not None and node.request is not None
            for asked in (node.request, *(asked for _, asked in node.request.beside))
            if asked.operation.verb is Verb.SENT
        }

    def _start(self, actor: int, node: AutomatonState, request: Request) -> int:
        """Begin a child; its pid."""
        system = self.system
        assert request.child is not None
        child = system.member(request.child.key, actor, request.child, node)
        self._inherit(actor, child, request.payload)
        self.born(child, system.automaton(child, node, request.child).root)
        return system.pid(child)

    def _live(self, actor: int, request: Request, target: int, times_out: bool) -> Hashable:
        """What is done with the life of a process."""
        system = self.system
        verb = request.operation.verb
        if verb is Verb.EXIT:
            return None
        node = self.nodes[target] if target < len(self.nodes) else None
        if node is None:
            return None
        if verb is Verb.JOIN:
            return node.ended.exitcode if node.ended is not None else None
        if verb is Verb.ALIVE:
            return node.ended.exitcode if node.ended is not None else None
        if verb is Verb.TERMINATE and target == actor:
            self._loses(target)  # it ends itself, as by os._exit
            return None
        if verb is Verb.TERMINATE and node.ended is None:
            if node.request is None:
                raise NotVirtualError("a server of a manager that is terminated")
            if node.request is not None and node.request.beside:
                raise NotVirtualError("the end of a process whose Pool goes on")
            self._loses(target)
            operation = request.operation
            kills = operation.call == "Process.kill" or operation.detail == "SIGKILL"
            how = KILLED if kills else TERMINATED
            self.nodes[target] = system.killed_at(node, how)
            self._apply_exits(target)
        return None

    def _inherit(self, parent: int, child: int, ends: Hashable) -> None:
        """A forked child has all ends open that its parent has; else those it was given."""
        given = None if ends is None else dict(ends)  # type: ignore[call-overload]
        names = {at: name for name, at in self.system.atoms.items()}
        for at, atom in enumerate(self.atoms):
            if isinstance(atom, Pipe):
                if given is None:
                    reader, writer = parent in atom.readers, parent in atom.writers
                else:
                    reader, writer = given.get(names[at], (False, False))
                    if reader is not writer:
                        self.system.half_open.add(at)
                self.atoms[at] = atom.opened(child, reader=reader, writer=writer)
