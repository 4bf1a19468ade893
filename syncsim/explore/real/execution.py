"""One run of a program for the search on real processes: its states, and what each step touched."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from syncsim.core.atoms import ActorId, Block, Channel
from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.operation import ALONE, Operation, Verb
from syncsim.core.schedule import Choice, Grain, format_schedule
from syncsim.core.schedule import Move as Happens
from syncsim.core.state import Primitive, State
from syncsim.core.steps import Step
from syncsim.core.transition_system import Move
from syncsim.driver import Driver, Rest
from syncsim.explore.dependence.footprints import Grant, Names, Toucher
from syncsim.explore.dependence.relation import EMPTY, KILL, POLL, Event, Follower, Touch, net
from syncsim.program.source import Program
from syncsim.real import kernel
from syncsim.real.run import RealRun

#: Seconds for which who is outside our view may be asleep there, when others could go on.
_ASLEEP = 0.15
#: Seconds that a thread may take to its first operation: it comes unannounced.
_BEGINS = 0.5
#: Seconds for which it may be at work there, itself or with a program of its own that it has
#: started, and for which something unseen is expected where nobody can go on: first, and once
#: nothing can be proven any more.
_AWAY, _IN_DOUBT = 10.0, 2.0
#: What two processes can be about to do to the same thing, so that it matters who is first.
_CONTESTED = frozenset(
    (Verb.ACQUIRE, Verb.READ, Verb.WRITE, Verb.SEND, Verb.PUT, Verb.RECEIVE, Verb.POLL, Verb.CALL)
)


class RealState:
    """A state, and the way to it: ``before`` and the ``move`` from there.

    ``signs`` is what was seen of the last step, to be seen again whenever one comes by.  ``lost``
    means that nothing can be said of what lies behind: it cannot be entered again.
    """

    __slots__ = (
        "after", "before", "choice", "choices", "depth", "event", "exitcode", "failure", "lost",
        "move", "pending", "signs", "verdict",
    )  # fmt: skip

    def __init__(self, before: RealState | None, move: Move | None, choice: Choice | None) -> None:
        self.before = before
        self.move = move
        self.choice = choice
        self.depth: int = before.depth + 1 if before is not None else 0
        self.after: dict[Move, RealState] = {}
        self.choices: dict[Move, Choice] = {}
        self.event: Event | None = None
        self.signs: object = None
        #: What each process that has not ended would touch next.
        self.pending: dict[int, tuple[Touch, ...]] = {}
        #: What the state amounts to, if nothing can follow; and the failure that has happened.
        self.verdict: Verdict | None = None
        self.failure: Verdict | None = None
        #: That of the main process, once it has ended.
        self.exitcode: int | None = None
        self.lost = False

    def way(self) -> list[RealState]:
        """The states from the first one to this."""
        nodes, node = [self], self
        while node.before is not None:
            node = node.before
            nodes.append(node)
        return nodes[::-1]

    @property
    def schedule(self) -> str:
        """The way as a schedule."""
        return format_schedule(node.choice for node in self.way() if node.choice is not None)


class _ObservedRun(RealRun):
    """A run of which each single operation is heard that is let go."""

    def __init__(self, program: Program, on_step: list[Step]) -> None:
        super().__init__(program, patience=10.0, on_step=on_step.append)
        self.grants: list[Grant] = []

    def grant(self, choice: Choice) -> None:
        """Open the gate of one actor once."""
        operation = self.state.actors[choice.actor].pending
        assert operation is not None
        times_out = choice.move is Happens.TIME_OUT
        self.grants.append(Grant(choice.actor, operation, times_out, self.state))
        super().grant(choice)

    def doubt(self) -> str:
        """Why what was seen of the run, which is at its end, is not all of it; empty if it is."""
        return self.processes.view().doubts.removesuffix(".")


class Execution:
    """One run of the program, with names for all that are the same in each of them."""

    def __init__(self, program: Program, names: Names, grain: Grain, deadline: float) -> None:
        self._steps: list[Step] = []
        self._names = names
        self._grain = grain
        self._deadline = deadline
        self._numbers: list[int] = []  # of the actors
        self._children: Counter[tuple[int, str]] = Counter()
        self._primitives: dict[str, tuple[Primitive, object]] = {}
        self._atoms: dict[str, object] = {}
        self._made: Counter[int] = Counter()
        self.unseen = ""
        self.ended: set[int] = set()  # by the program
        self._looked = False
        self.started = self.touched = False
        self.contested: dict[str, set[str]] = {}
        self._last: int | None = None
        self._toucher = Toucher(names, self.key_of, self.number)
        self.run = _ObservedRun(program, self._steps)
        self._driver = Driver(self.run, deadline=deadline, failure_suffices=True)

    def close(self) -> None:
        """End the run."""
        self.run.close()

    def number(self, actor: ActorId) -> int:
        """Return the number of an actor, by its index among its siblings."""
        actors = self.run.state.actors
        while len(self._numbers) <= actor:
            who = actors[len(self._numbers)]
            if who.is_main:
                key: tuple[object, ...] = ("actor",)
            else:
                parent = self._numbers[who.parent] if who.parent is not None else -1
                # (Threads come in any order, but have names.)
                kind = "feeder" if who.library else who.thread
                self._children[parent, kind] += 1
                key = ("actor", parent, kind, self._children[parent, kind])
            number = self._names.number(*key)
            self._numbers.append(number)
            if not who.is_main:
                self._names.parents[number] = parent
        return self._numbers[actor]

    def key_of(self, name: str) -> object:
        """Return the name of an atom or a primitive that is the same in every run."""
        for primitive in self.run.state.primitives.values():
            known = self._primitives.get(primitive.id)
            if known is None or known[0] is not primitive:
                creator = self.number(primitive.creator)
                self._made[creator] += 1
                key = creator, self._made[creator]
                self._primitives[primitive.id] = primitive, key
                for role, atom in primitive.parts.items():
                    if known is not None or atom not in self._atoms:
                        self._atoms[atom] = key, role
        if name in self._primitives:
            return self._primitives[name][1]
        return self._atoms.get(name, "")

    # -- steps --------------------------------------------------------------------------

    def settle(self) -> None:
        """Until it is quiet, and who is outside our view has had the time to come back."""
        run = self.run
        self._driver.settle()
        self._await_threads()
        began = awake = time.monotonic()
        while away := self._away():
            now = time.monotonic()
            if self._are_at_work(away):
                awake = now
            if now > min(awake + _ASLEEP, began + self._patience):
                break
            run.pump(0.01)
            self._driver.settle()
        doubt = (
            "it makes processes by os.fork, which are not seen"
            if run.processes.forked_unseen
            else ""
        )
        if not doubt and away and run.choices():
            doubt = _absence(run.state, away[0])
        self.unseen = self.unseen or doubt or self._hidden(run.state)

    def _await_threads(self) -> None:
        """Wait until threads that have just begun announce something, sleep, or take long."""
        run = self.run
        until = min(time.monotonic() + _BEGINS, self._deadline)
        while time.monotonic() < until:
            alive = {actor.pid for actor in run.state.actors if not actor.ended}
            threaded = [pid for pid in alive if kernel.threads(pid) > 1]
            asleep = all(map(kernel.is_asleep, threaded))
            # (What one has said before it fell asleep may not have been read yet.)
            if not threaded or (not run.pump(0 if asleep else 0.01) and asleep):
                return
            self._driver.settle()

    def _hidden(self, state: State) -> str:
        """Return what the program does past its operations, and so in no order that is known."""
        if any(one.thread and not one.library for one in state.actors):
            return "it has threads, and what they share is not seen"
        if any(isinstance(atom, Block) for atom in state.atoms.values()):
            return "it has blocks of shared memory, and who reads and writes there is not seen"
        if self._looked and any(isinstance(a, Channel) and a.ended for a in state.atoms.values()):
            return "it looks whether there is something in a Pipe, and who closes one is not seen"
        return ""

    def _away(self) -> list[ActorId]:
        """Return who runs, or sleeps, where we do not see it; of a thread it is never known."""
        return [
            actor.id
            for actor in self.run.state.actors
            if (actor.outside and not actor.serves)
            or (actor.thread and not (actor.library or actor.ended or actor.pending))
        ]

    @property
    def _patience(self) -> float:
        return _IN_DOUBT if self.unseen else _AWAY

    def _are_at_work(self, away: Iterable[ActorId]) -> bool:
        actors = self.run.state.actors
        ours = {one.pid for one in actors}
        return any(_is_at_work(actors[one].pid, ours) for one in away)

    def begin(self) -> RealState:
        """To the first choice."""
        node = RealState(None, None, None)
        self.settle()
        self.run.adapt(self._grain, self._deadline)
        return self._seen(node, None)

    def step(self, before: RealState, move: Move) -> RealState:
        """That move, from where the run is; what came of it."""
        choice = replace(before.choices[move], actor=self._numbers.index(move.actor))
        run, born = self.run, len(self.run.state.actors)
        run.grants.clear()
        self._steps.clear()
        run.take(choice, self._deadline)
        self.settle()
        node = RealState(before, move, choice)
        self._last = move.actor
        touches: list[Touch] = []
        for at, grant in enumerate(run.grants):
            touches += self._toucher.touches(grant, first=at == 0)
            self.touched = self.touched or grant.operation.verb not in ALONE
        self._looked = self._looked or any(touch.kind in (POLL, EMPTY) for touch in touches)
        self.ended.update(-1 - touch.thing for touch in touches if touch.kind == KILL)
        children = [self.number(one) for one in range(born, len(run.state.actors))]
        follow = tuple(Follower(child, True, ()) for child in children)
        touches = list(dict.fromkeys(net(touches)))
        fickle = self._toucher.fickle(touches)
        event = Event(move, (), tuple(touches), follow, fickle)
        return self._seen(node, event)

    def _seen(self, node: RealState, event: Event | None) -> RealState:
        """Look at the state that the run has come to."""
        run = self.run
        state = run.state
        node.event = event
        choices = run.choices()
        found: dict[Move, Choice] = {}
        for choice in choices:
            move = Move(self.number(choice.actor), choice.move is Happens.TIME_OUT)
            found[move] = choice
        # Who has just gone on goes first: so few switches are made that need not be.
        for move in sorted(found, key=lambda one: (one.actor != self._last, one)):
            node.choices[move] = found[move]
        alive = [actor for actor in state.actors if not (actor.ended or actor.serves)]
        node.signs = (
            frozenset(found),
            event.touches if event is not None else (),
            self._signs(),
            # (When it is noticed that a thread has ended is by chance.)
            frozenset((a.name, a.thread or a.life, a.exitcode) for a in state.actors),
        )
        self._note_contest(state, choices)
        diagnosis = diagnose(state)
        if diagnosis.verdict in (Verdict.ASSERTION, Verdict.CRASH):
            node.failure = diagnosis.verdict
        node.pending = {
            self.number(actor.id): self._toucher.pending(actor.id, state)
            for actor in alive
            if actor.pending is not None
        }
        self.started = self.started or any(not (a.is_main or a.thread) for a in state.actors)
        if not choices:
            node.verdict = self._end()
            self.unseen = self.unseen or self.run.doubt()
            node.exitcode = run.state.actors[0].exitcode
            if node.verdict is Verdict.UNDECIDED and not self.unseen:
                self.unseen = "it hangs where we do not see"
        return node

    def _signs(self) -> tuple[object, ...]:
        """The steps of each process, in its order.

        Which of two processes that run at once is heard first, is by chance.
        """
        return tuple(map(_sign, sorted(self._steps, key=lambda step: self.number(step.actor))))

    def _note_contest(self, state: State, choices: Iterable[Choice]) -> None:
        """Note the actors that may be next at the same atom."""
        there: dict[str, list[tuple[str, Operation]]] = {}
        for choice in choices:
            who = state.actors[choice.actor]
            if who.pending is not None and who.pending.verb in _CONTESTED:
                there.setdefault(who.pending.atom, []).append((who.name, who.pending))
        for users in there.values():
            primitive = state.primitives.get(users[0][1].primitive)
            verbs = {operation.verb for _, operation in users}
            if len(users) > 1 and primitive is not None and verbs != {Verb.READ}:
                self.contested.setdefault(primitive.name, set()).update(name for name, _ in users)

    def _end(self) -> Verdict:
        """Return the verdict of a state in which nobody can go on."""
        standing = self._driver.await_standing(self._patience)
        if standing.rest in (Rest.PROVEN, Rest.OVER):
            return standing.diagnosis.verdict or Verdict.UNDECIDED
        away = self._away()
        if self.run.choices():
            self.unseen = self.unseen or "it goes on by what is not seen"
        elif away:
            self.unseen = _absence(self.run.state, away[0])
        return Verdict.UNDECIDED


def _sign(step: Step) -> object:
    """A step, but for what differs from run to run anyway: what is printed nobody reads again."""
    detail = "" if step.verb == "print" else step.detail
    return step.process, step.call, step.operation, step.primitive, step.result, detail, step.line


def _absence(state: State, actor: ActorId) -> str:
    who = state.actors[actor]
    seen = who.whereabouts
    doing = seen.doing if seen is not None else ""
    place = seen.place if seen is not None else ""
    return f"{who.name} {who.left or 'is outside our view'}" + "".join(
        f", {words}" for words in (doing, place) if words and not who.left
    )


def _is_at_work(pid: int, ours: set[int]) -> bool:
    """Return whether the process runs, or has children that are not the program's processes."""
    if not kernel.is_asleep(pid):
        return True
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return True
    return any(int(child) not in ours for child in told.split())
