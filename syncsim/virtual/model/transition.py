"""One transition: a state as lists that may be changed, and what was done to it so far.

``choose`` makes the operation that was chosen, and all that follows of itself.  What an operation
does stands in ``effects``, whether it would block in ``enabled``.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.virtual.model.automaton import FIRST_PID, AutomatonState, Back, Edge, Made
from syncsim.virtual.model.data_atoms import Pipe, Thing
from syncsim.virtual.model.effects import Attempt, take_effect
from syncsim.virtual.model.enabled import would_go
from syncsim.virtual.model.exits import (
    apply_exits,
    closed_ends,
    exit_matters,
    looks_at_the_rest,
    lost_feeders,
)
from syncsim.virtual.model.feeders import feed, feed_all
from syncsim.virtual.model.reports import create, looked, meddles, meet, missed_tries, settled
from syncsim.virtual.model.states import Did, State, Taken
from syncsim.virtual.process.library_threads import Helped

if TYPE_CHECKING:
    from syncsim.virtual.model.system import System

#: Verbs that commute with all that others do (invisible): nobody else can tell the time of such a
#: step, so a search takes it at once.
INVISIBLE = frozenset(
    (
        Verb.START, Verb.OUTPUT, Verb.SLEEP, Verb.JOIN, Verb.EXIT, Verb.FLUSH, Verb.PUT,
    )
)  # fmt: skip
#: So many of them are taken at once.
MOST_AT_ONCE = 100
#: Those of them that wait for others.
AWAITS = frozenset((Verb.JOIN, Verb.FLUSH, Verb.AWAIT))


class Transition:
    """A state that is being changed: nodes and atoms as lists, and the operations done."""

    __slots__ = ("atoms", "did", "newborn", "nodes", "system")

    def __init__(self, system: System, state: State) -> None:
        self.system = system
        self.nodes: list[AutomatonState | None] = list(state.nodes)
        self.atoms: list[Thing | None] = list(state.atoms)
        self.did: list[Did] = []
        self.newborn: list[int] = []

    def taken(self) -> Taken:
        """Return the state as it is now, and what was done."""
        return Taken(State(tuple(self.nodes), tuple(self.atoms)), tuple(self.did))

    def born(self, actor: int, edge: Edge) -> None:
        """Add a process."""
        while len(self.nodes) <= actor:
            self.nodes.append(None)
        self.nodes[actor] = edge.node
        self.newborn.append(actor)
        self._arrive(actor, edge)
        self.did.append(Did(actor, Verb.BORN, actor, None, False, events=edge.events))

    # -- the state so far ---------------------------------------------------------------

    def process(self, pid: int) -> AutomatonState | None:
        """Return the node of the process with that pid; None if there is none yet."""
        actor = pid - FIRST_PID
        return self.nodes[actor] if actor < len(self.nodes) else None

    def ended_among(self, pids: str) -> tuple[tuple[int, int], ...]:
        """Return those of the processes, each on a line, that have ended, with exit codes."""
        ended = []
        for pid in map(int, pids.splitlines()):
            node = self.process(pid)
            if node is not None and node.ended is not None:
                ended.append((pid, node.ended.exitcode))
        return tuple(ended)

    def pipe(self, name: str) -> Pipe:
        """Return the pipe with that name."""
        pipe = self.atoms[self.system.atoms[name]]
        assert isinstance(pipe, Pipe)
        return pipe

    def place(self, name: str) -> int:
        """Return the number of the atom with that name; there is room for it in the lists."""
        number = self.system.atom(name)
        while number >= len(self.atoms):
            self.atoms.append(None)
        return number

    def can_go(self, actor: int) -> bool:
        """Return whether the next operation of the actor would not block."""
        node = self.nodes[actor]
        return node is not None and node.request is not None and would_go(self, actor, node.request)

    def can_time_out(self, actor: int) -> bool:
        """Return whether the actor waits for a time at most."""
        node = self.nodes[actor]
        return node is not None and node.request is not None and node.request.operation.can_time_out

    # -- making it happen ---------------------------------------------------------------

    def choose(self, move: Move) -> None:
        """Make what was chosen, and what follows of itself."""
        system, actor = self.system, move.actor
        feeds = system.members[actor].feeds
        if feeds is not None:
            feed(self, *feeds, token=True)
            self.settle()
            return
        self._make(actor, times_out=move.times_out, token=True)
        self._help()
        while system.by_call and self._in_call(actor):
            if not self.can_go(actor):
                self._stop(actor)
                break
            self._make(actor, token=False)
            self._help()
        self.settle((actor,))

    def _stop(self, actor: int) -> None:
        """Note what the actor's call waits for: in another state it would have gone on."""
        node = self.nodes[actor]
        assert node is not None
        assert node.request is not None
        operation = node.request.operation
        if operation.verb is Verb.JOIN:
            waits_for = int(operation.atom) - FIRST_PID
        else:
            waits_for = self.system.atom(operation.atom)
        last = self._last_of(actor)
        self.did[last] = replace(self.did[last], stopped=(waits_for, operation.verb))

    def _last_of(self, actor: int) -> int:
        """Return the place of what the process last did itself, by no thread of the library."""
        return next(
            place
            for place in reversed(range(len(self.did)))
            if self.did[place].actor == actor and not self.did[place].helper
        )

    def _in_call(self, actor: int) -> bool:
        """Return whether the actor's next operation belongs to the call it is in the middle of."""
        node = self.nodes[actor]
        if node is None or node.request is None or not node.request.operation.compound:
            return False
        last = self.did[self._last_of(actor)]
        if last.request is None or not last.request.operation.compound:
            return False
        return not any(type(event) is Back for event in last.events)

    def settle(self, first: tuple[int, ...] = ()) -> None:
        """Make what follows of itself: silent operations and, if eager, invisible steps.

        It begins with the ``first`` actors.
        """
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
            if not system.xray and feed_all(self):
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
        """Let the threads of the library do all that they can."""
        while self.system.helped:
            for actor, node in enumerate(self.nodes):
                if node is None or node.request is None:
                    continue
                able = [
                    helper for helper, asked in node.request.beside if would_go(self, actor, asked)
                ]
                if able:
                    self._make(actor, helper=able[0], token=False)
                    break
            else:
                return

    def _follow(self, actor: int) -> None:
        """Make the actor's steps as long as they need not be chosen."""
        passed: set[AutomatonState] = set()
        while self._follows(actor):
            silent = self._is_silent(actor)
            if not silent and self._circles(actor, passed):
                return
            self._make(actor, token=not silent)
            self._help()

    def _circles(self, actor: int, passed: set[AutomatonState]) -> bool:
        """Return whether the actor comes to where it has just been, or to no end.

        Then its steps are chosen.
        """
        node = self.nodes[actor]
        assert node is not None
        node.circles = node in passed or len(passed) > MOST_AT_ONCE
        passed.add(node)
        return node.circles

    def _is_silent(self, actor: int) -> bool:
        node = self.nodes[actor]
        if node is None or node.request is None:
            return False
        return node.request.silent or (node.request.inner and not self.system.xray)

    def _follows(self, actor: int) -> bool:
        """Return whether the actor's next operation is made without being chosen."""
        node = self.nodes[actor]
        if node is None or node.request is None:
            return False
        request = node.request
        if request.silent or (request.inner and not self.system.xray):
            return would_go(self, actor, request)
        operation = request.operation
        if not self.system.eager or operation.verb not in INVISIBLE or node.circles:
            return False
        if operation.can_time_out:
            return False
        if request.beside and operation.verb in AWAITS:
            # What its helpers do thereafter is its own doing, not that of whoever lets it go on.
            return False
        if operation.verb is Verb.EXIT and (
            (self.system.pipes and exit_matters(self, actor))
            or actor in self.system.discoveries.exit_observed
        ):
            return False
        return would_go(self, actor, request)

    def _make(
        self, actor: int, *, times_out: bool = False, token: bool, helper: int | None = None
    ) -> None:
        """Make the actor's next operation, or that of a library thread in its process."""
        system, node = self.system, self.nodes[actor]
        assert node is not None
        before = node.request
        assert before is not None
        request = before if helper is None else dict(before.beside)[helper]
        verb = request.operation.verb
        closed = closed_ends(self, actor, request) if system.pipes else ()
        effect = take_effect(self, Attempt(actor, node, request, times_out))
        ends = verb is Verb.EXIT or verb is Verb.TERMINATE
        lost = lost_feeders(system, effect.atom) if ends else ()
        answer = effect.result if helper is None else Helped(helper, effect.result)
        edge = self._answer(actor, node, answer)
        events = edge.events
        self.did.append(
            Did(
                actor,
                verb,
                effect.atom,
                effect.result,
                token,
                effect.part,
                request,
                events,
                times_out,
                effect.bounded,
                effect.own,
                lost=lost,
                closed=closed,
                served=effect.served,
                kept=effect.kept,
                helper=helper is not None,
                settled=settled(system, events) if events else (),
                looked=looked(system, events) if events else (),
                meddles=helper is not None and meddles(self, actor, verb, events),
                work=system.atom(request.work) if request.work else -1,
            )
        )
        self.did += effect.let_go
        if lost:
            self.did += looks_at_the_rest(system, actor, lost)
        following = edge.node.request
        if following is not None and following.beside:
            self.did += missed_tries(self, actor, before, following)

    def _answer(self, actor: int, node: AutomatonState, result: Hashable) -> Edge:
        """Let the process go on from the node with the result of its operation."""
        current = self.nodes[actor]
        edge = node.automaton.follow(node, result)
        if current is node:  # and not ended by what it did
            self.nodes[actor] = edge.node
        self._arrive(actor, edge)
        if edge.node.ended is not None:
            apply_exits(self, actor)
        return edge

    def _arrive(self, actor: int, edge: Edge) -> None:
        """Note what happens on the way along the edge, and the node at its end."""
        for event in edge.events:
            if type(event) is Made:
                create(self, actor, event)
        meet(self.system, edge.node)
