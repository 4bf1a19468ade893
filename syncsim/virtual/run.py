"""The virtual body of ``Run``: the same steps as the real one, over greenlets."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from msgspec.structs import replace

from syncsim.core.atoms import ActorId
from syncsim.core.faults import possible
from syncsim.core.kinds import MANAGED, Role
from syncsim.core.operation import Operation, Verb
from syncsim.core.recorder import Recorder
from syncsim.core.run import Run
from syncsim.core.schedule import Choice, Grain
from syncsim.core.schedule import Move as Happens
from syncsim.core.state import Actor, Life
from syncsim.core.state import State as ShownState
from syncsim.core.steps import Step
from syncsim.core.transition_system import Move
from syncsim.program.safe_text import named, safe_text
from syncsim.program.source import Program
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.automaton import (
    FIRST_PID,
    Back,
    Ended,
    Event,
    Made,
    Noted,
    Over,
    Said,
    Wrote,
)
from syncsim.virtual.model.data_atoms import GONE, Items, SharedMemory
from syncsim.virtual.model.states import DROPPED, Did, State, Taken
from syncsim.virtual.model.system import System

#: What changes a channel and is no step in the recorder's books.
_UNSTEPPED = frozenset((Verb.SEND, Verb.SENT, Verb.CLOSE))
#: The calls whose name says which signal they send.
_CALLS = frozenset(("Process.terminate", "Process.kill"))
#: The faults that end a process, each with the exit code of the process.
_EXIT_CODES = {Happens.KILL: -9, Happens.TERMINATE: -15}


class VirtualRun(Run):
    """One run of a program in the virtual world; or of a system that is there, at its grain.

    ``on_step`` hears of every step, ``on_print`` of everything written.
    """

    def __init__(
        self,
        program: Program | System,
        *,
        on_step: Callable[[Step], None] = lambda step: None,
        on_print: Callable[[ActorId | None, str, str], None] = lambda actor, stream, text: None,
    ) -> None:
        self._on_step = on_step
        self._on_print = on_print
        self._steps: list[Step] = []
        self._recorder = Recorder(self._stepped)
        self._actors: dict[int, ActorId] = {}
        if isinstance(program, System):
            self.system = program
            self._recorder.grain = Grain.ATOM if program.xray else Grain.CALL
        else:
            self.system = System(VirtualProgram(program).main(), eager=False)
            self.system.xray = False
        self._at: State
        self._apply(self.system.start())

    def close(self) -> None:
        """Give up all processes."""
        self.system.close()

    @property
    def state(self) -> ShownState:
        """The state now."""
        return self._recorder.state

    def choices(self) -> tuple[Choice, ...]:
        """Return the choices that are possible next."""
        return self._recorder.choices()

    @property
    def over(self) -> bool:
        """Whether every process has ended."""
        return all(actor.ended for actor in self._recorder.actors)

    def faults(self) -> tuple[Choice, ...]:
        """Return the faults that a person may do to the processes."""
        return possible(self.state)

    def adapt(self, grain: Grain, deadline: float | None = None) -> None:
        """Offer choices at that grain from here on.

        By the atom a call is stepped inside.  No feeder is: what is put is sent at once, as by
        the call.
        """
        if grain is self._recorder.grain:
            return
        self._recorder.grain = grain
        self.system.xray = grain is Grain.ATOM
        if grain is Grain.CALL:
            self._apply(self.system.settled(self._at))

    def settle(self, deadline: float | None = None) -> None:
        """Return at once: nothing happens here between two choices."""

    def pump(self, timeout: float) -> bool:
        """Return False at once, for the same reason."""
        return False

    def may_still_move(self) -> bool:
        """Return False: everything is seen."""
        return False

    def is_final(self, stuck: Sequence[ActorId]) -> bool:
        """Return True: what the state says is all there is."""
        return True

    def hear_out(self, seconds: float, deadline: float | None = None) -> bool:
        """Return True: nothing is left when all is over."""
        return True

    def take(self, choice: Choice, deadline: float | None = None) -> tuple[Step, ...]:
        """Let that happen (a choice or a fault), until its call is over or must wait."""
        self._steps = []
        if choice.move.is_fault:
            self._strike(choice.actor, choice.move)
            return tuple(self._steps)
        self._take(choice)
        if choice.grain is Grain.CALL:
            while self._goes_on(choice.actor):
                self._take(Choice(choice.actor))
        else:
            self._feed()
        return tuple(self._steps)

    def _feed(self) -> None:
        """Let the feeders send all that was put."""
        members = self.system.members
        while moves := [m for m in self.system.moves(self._at) if members[m.actor].feeds]:
            self.make(moves[0])

    def _strike(self, actor: ActorId, fault: Happens) -> None:
        """Apply the fault to the process.

        Raises ValueError for an end that somebody could notice at a pipe or a manager.
        """
        exitcode = _EXIT_CODES.get(fault)
        if exitcode is not None and (self.system.pipes or self.system.kept_by):
            raise ValueError("no process is killed here where there are pipes or a manager")
        self._recorder.fault(actor, fault)
        if exitcode is None:
            return
        number, nodes = self._number(actor), list(self._at.nodes)
        node = nodes[number]
        assert node is not None
        nodes[number] = self.system.killed_at(node, Ended(exitcode))
        self._recorder.end(actor, exitcode)
        self._apply(self.system.settled(State(tuple(nodes), self._at.atoms)))

    def _number(self, actor: ActorId) -> int:
        """The number of the actor in the system."""
        return next(number for number, known in self._actors.items() if known == actor)

    def _goes_on(self, actor: ActorId) -> bool:
        who = self._recorder.actors[actor]
        return bool(who.call and who.pending) and self._recorder.can_go(who)

    def _take(self, choice: Choice) -> None:
        self.make(Move(self._number(choice.actor), choice.move is Happens.TIME_OUT))

    def make(self, move: Move) -> None:
        """Let that move of the system happen."""
        # (Not ``take``: what is known of a step at one grain is not so at another.)
        self._apply(self.system.follow(self._at, move))

    def _apply(self, taken: Taken) -> None:
        self._at = taken.state
        self._write(taken.did)

    def _stepped(self, step: Step) -> None:
        self._steps.append(step)
        self._on_step(step)

    # -- what happened, in the recorder ---------------------------------------------------

    def _write(self, dids: tuple[Did, ...]) -> None:
        touched: dict[int, None] = {}
        for did in dids:
            if not did.helper:
                touched[did.actor] = None
            if did.verb is Verb.BORN:
                self._born(did.actor)
            elif self.system.members[did.actor].feeds is not None:
                self._fed(did)
                continue
            elif did.request is None:
                continue
            elif did.helper:
                self._helped(did)
            else:
                self._done(did)
            for event in did.events:
                self._happened(did.actor, event)
        for number in touched:
            if self.system.members[number].feeds is None:
                self._ask(number)

    def _born(self, number: int) -> None:
        member = self.system.members[number]
        assert member.automaton is not None
        seed, root = member.automaton.seed, member.automaton.root.node
        actor = Actor(
            id=len(self._recorder.actors),
            name=seed.name,
            pid=seed.pid,
            parent=self._actors.get(member.parent) if member.parent is not None else None,
            daemon=seed.daemon,
            life=Life.ALIVE,
            is_server=root.request is None and root.ended is None,
        )
        self._actors[number] = actor.id
        self._recorder.add(actor)

    def _fed(self, did: Did) -> None:
        feeds = self.system.members[did.actor].feeds
        assert feeds is not None
        process, pipe = feeds
        name = next(name for name, at in self.system.atoms.items() if at == pipe)
        if did.request is not None:
            self._recorder.move(self._actors[process], did.request.operation)
        elif did.verb is Verb.SEND and did.part == DROPPED:
            self._recorder.drop(name, self._actors[process])
        elif did.verb is Verb.SEND:
            self._recorder.send(self._actors[process], name)

    def _helped(self, did: Did) -> None:
        """A thread of the library did something: it counts for its process, and is no step."""
        assert did.request is not None
        actor, operation = self._actors[did.actor], did.request.operation
        if did.verb is Verb.START:
            self._recorder.hire(operation.atom, self._actors[did.atom])
        elif did.verb is Verb.WAIT_ANY:
            assert isinstance(did.result, tuple)
            for pid, _ in did.result:
                self._recorder.change(self._actors[pid - FIRST_PID], reaped=True)
        elif did.result is not False:
            self._recorder.move(actor, operation)

    def _done(self, did: Did) -> None:
        """Record what a process did itself; not all of it is a step."""
        assert did.request is not None
        actor, operation = self._actors[did.actor], did.request.operation
        if _is_part_of_a_step(did):
            if did.verb is not Verb.CLOSE:
                self._recorder.move(actor, operation)
            return
        self._reap(actor, did)
        if did.verb is Verb.ACQUIRE and did.result == GONE and not did.request.silent:
            self._recorder.change(actor, pending=None)
            return
        self._serve(did)
        if _is_unseen(did):
            return
        if did.verb is Verb.CALL and not operation.atom:
            self._shut_down(did)
        self._recorder.effect(actor, self._named(self._in_words(did)), self._text(did))
        if did.verb is Verb.START and operation.atom:
            self._recorder.hire(operation.atom, self._actors[did.atom])
        elif did.verb is Verb.TERMINATE and did.atom in self._actors:
            self._end(did)

    def _in_words(self, did: Did) -> Operation:
        """Return the operation with what it does in words, where the virtual one has none."""
        assert did.request is not None
        operation = did.request.operation
        if did.verb is Verb.TERMINATE and did.atom in self._actors:
            victim = self._recorder.actors[self._actors[did.atom]]
            to = "" if operation.call in _CALLS else f"{operation.detail} to "
            return replace(operation, detail=to + victim.name)
        if did.verb is Verb.WRITE and isinstance(did.request.payload, Items):
            memory = self._at.atoms[did.atom]
            assert isinstance(memory, SharedMemory)
            return replace(operation, detail=safe_text(memory.value))
        return operation

    def _end(self, did: Did) -> None:
        """Record that a process was ended by another one, or by itself."""
        target = self._actors[did.atom]
        if did.atom != did.actor:
            self._recorder.change(target, terminated=True)
        node = self._at.nodes[did.atom]
        if node is not None and node.ended is not None:
            self._recorder.end(target, node.ended.exitcode)

    def _reap(self, actor: ActorId, did: Did) -> None:
        """Note that a process that asks for the exit code of a child takes notice of its end.

        Who starts another one does so of all (``multiprocessing.process._cleanup``).
        """
        if did.verb is Verb.START:
            ended = [a.id for a in self._recorder.actors if a.parent == actor and a.ended]
        elif did.verb in (Verb.JOIN, Verb.ALIVE) and did.result is not None:
            ended = [self._actors[did.atom]]
        else:
            return
        for child in ended:
            self._recorder.change(child, reaped=True)

    def _serve(self, did: Did) -> None:
        """Record what the server tells of a call: who is woken, and the value now."""
        if did.served is None or did.request is None:
            return
        name = did.request.operation.atom
        kept = next(p for p in self._recorder.primitives.values() if name in p.parts.values())
        for number in did.served.wakes:
            sleeper = self._actors[number]
            callers = self._recorder.callers(*kept.parts.values())
            by = [one for one in callers if one != sleeper]
            self._recorder.wake(kept.parts[Role.WAIT], sleeper, by[0] if len(by) == 1 else None)
        if Role.VALUE in kept.parts:
            text = named(did.served.text, self._recorder.name_of)
            self._recorder.show(kept.parts[Role.VALUE], text)

    def _shut_down(self, did: Did) -> None:
        """The server of a manager ends."""
        if did.atom in self._actors:
            server = self._actors[did.atom]
            operation = Operation(Verb.EXIT, call="exit", detail="0")
            if not self._recorder.actors[server].ended:
                self._recorder.effect(server, operation, "None")
                self._recorder.change(server, reaped=True)
                self._recorder.end(server, 0)
                system = self.system
                gone = {at for at, keeper in system.kept_by.items() if keeper == did.atom}
                self._recorder.vanish(
                    primitive.id
                    for primitive in self._recorder.primitives.values()
                    if any(system.atoms.get(one) in gone for one in primitive.parts.values())
                )

    def _named(self, operation: Operation) -> Operation:
        """The operation, with the names of primitives in its words."""
        detail = named(operation.detail, self._recorder.name_of)
        return operation if detail == operation.detail else replace(operation, detail=detail)

    def _happened(self, number: int, event: Event) -> None:
        actor = self._actors[number]
        match event:
            case Back(result):
                self._recorder.back(actor, named(result, self._recorder.name_of))
            case Made(primitive, atoms):
                self._recorder.create(primitive, dict(atoms))
            case Noted(operation, _):
                self._recorder.move(actor, self._named(operation))
            case Over(outcome):
                self._recorder.settle(outcome)
            case Wrote(stream, text):
                self._on_print(actor, stream, text)

    def _ask(self, number: int) -> None:
        """Record the next request of the process, or its end."""
        node = self._at.nodes[number]
        assert node is not None
        actor = self._actors[number]
        raised = node.ended.raised if node.ended is not None else None
        if node.request is not None:
            raised = node.request.raised
        if raised is not None and not self._recorder.actors[actor].error:
            self._recorder.change(
                actor,
                error=raised.error,
                error_site=raised.site,
                is_assertion=raised.is_assertion,
            )
        if node.ended is not None:
            if not self._recorder.actors[actor].ended:
                self._recorder.end(actor, node.ended.exitcode)
        elif node.request is not None and not node.request.silent:
            self._recorder.announce(actor, self._named(node.request.operation))
            if node.request.operation.verb is Verb.AWAIT:
                self._recorder.stops(actor)

    def _text(self, did: Did) -> str:
        """The result as the real process would report it."""
        said = [event.text for event in did.events if isinstance(event, Said)]
        return named(said[0], self._recorder.name_of) if said else _text(did)


def _is_part_of_a_step(did: Did) -> bool:
    """Return whether it changes a channel, and is no step in the recorder's books."""
    assert did.request is not None
    sends = did.verb is Verb.SEND and did.request.operation.call.startswith("Connection.")
    return did.verb in _UNSTEPPED and not sends


def _is_unseen(did: Did) -> bool:
    """Return whether nobody sees it: it is silent, and not the release of a manager's lock."""
    assert did.request is not None
    gives = did.verb is Verb.RELEASE and did.request.operation.call.startswith(MANAGED)
    return did.request.silent and not gives


def _text(did: Did) -> str:
    """The result as the real process would report it."""
    result: Hashable = did.result
    if did.times_out:
        return "False"
    match did.verb:
        case Verb.READ:
            items = did.request.payload if did.request is not None else None
            if isinstance(items, Items) and isinstance(result, tuple):
                return safe_text(result[0] if len(result) == 1 else list(result))
            return safe_text(result)
        case Verb.RECEIVE:
            return "" if result is not None else "EOFError"
        case Verb.ALIVE:
            return str(result is None)
        case Verb.ACQUIRE | Verb.VALUE | Verb.POLL | Verb.AWAIT:
            return str(result)
        case Verb.WAKE:
            return "EOFError" if result == GONE else "True"
        case Verb.RELEASE:
            return "None" if result in (None, GONE) else str(result)
        case Verb.OUTPUT | Verb.SLEEP | Verb.TERMINATE | Verb.EXIT:
            return ""
        case _:
            return "None"
