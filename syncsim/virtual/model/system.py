"""A program as a system of transitions: what may happen next, and what comes of it.

Pure over what the automata have learned: a ``State`` is a value, a step makes another one.
Taking a step costs microseconds and runs none of the program's code, unless a process gets an
answer that it never got before.
"""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy

from syncsim.core.enabled import permits
from syncsim.core.operation import Verb
from syncsim.core.state import Primitive
from syncsim.core.transition_system import Move
from syncsim.virtual.model.automaton import (
    FIRST_PID,
    Automaton,
    AutomatonState,
    BodyCache,
    Ended,
    Key,
    Request,
    Seed,
)
from syncsim.virtual.model.discoveries import Discoveries, NamedDiscoveries
from syncsim.virtual.model.feeders import can_feed, feeding
from syncsim.virtual.model.reports import ATOMLESS, PRIVATE
from syncsim.virtual.model.states import Member, Name, PlaceOfData, State, Taken
from syncsim.virtual.model.transition import AWAITS, Transition

#: So many steps that are not about one process alone are remembered.
MOST_TAKEN = 50_000
#: Many moves are the same: made once.
_moves = [Move(actor) for actor in range(4096)]


class System:
    """The program.  By the *atom* each operation is a step; by the *call* a whole call is one.

    ``eager`` steps that are local to a process are taken along with the step before them;
    ends of processes are not local once it is discovered that somebody looks at them.
    """

    def __init__(self, main: Seed, *, by_call: bool = False, eager: bool = True) -> None:
        self.by_call = by_call
        #: Whether what is inside a call, and a feeder, is a step of its own.
        self.xray = not by_call
        self.eager = eager
        self.body_cache = BodyCache()
        self.members: list[Member] = []
        self.atoms: dict[str, int] = {}
        self._by_key: dict[Key, int] = {}
        self._automata: dict[tuple[int, int], Automaton] = {}
        self._same: dict[int, dict[Hashable, AutomatonState]] = {}
        #: The feeder threads by process and pipe.
        self.feeders: dict[tuple[int, int], int] = {}
        #: The primitive that each atom is part of: the first, if there are several.
        self.primitives: dict[int, Primitive] = {}
        #: What is known of the program by now that makes more steps to be ordered.
        self.discoveries = Discoveries()
        #: What the servers of managers keep: the server of each atom.
        self.kept_by: dict[int, int] = {}
        #: Whether there is a pipe, and so perhaps a feeder.
        self.pipes = False
        #: Every primitive that was ever made, by its id, and then by its name (in another run an
        #: id may be that of another one); and what each message looks like.
        self.named: dict[str, dict[str, Primitive]] = {}
        self.labels: dict[bytes, str] = {}
        #: Whether a process has threads of the library, which do what they can by themselves.
        self.helped = False
        self._taken: dict[tuple[object, object, Move], Taken] = {}
        self._discovered = 0
        #: How many steps were made that had not been made, or were forgotten.
        self.learned = 0
        self._killed: dict[tuple[int, int], AutomatonState] = {}
        self._main = self.member((), None, main, None)

    def close(self) -> None:
        """Give up all processes."""
        self.body_cache.close()

    def stepwise(self, *, by_call: bool) -> System:
        """The same processes and atoms, where nothing happens along with what is chosen.

        As a person steps: also what nobody else can tell the time of is a step of its own.
        """
        other = copy(self)
        other.by_call, other.xray, other.eager = by_call, not by_call, False
        return other

    # -- who and what there is ----------------------------------------------------------

    def member(self, key: Key, parent: int | None, seed: Seed, start: AutomatonState | None) -> int:
        """Return the number of the process, which began where its parent was at ``start``."""
        number = self._by_key.get(key)
        if number is None:
            number = self._by_key[key] = len(self.members)
            # The place first: the body may want to know its pid.
            self.members.append(Member(key, parent, None))
            self._same[number] = {}
            self.members[number] = Member(key, parent, self.automaton(number, start, seed))
            self.discoveries.meet_actor(number, self.name)
        return number

    def automaton(self, actor: int, start: AutomatonState | None, seed: Seed) -> Automaton:
        """Return the automaton of a process that another one started at the node ``start``.

        Its beginning depends on what its parent had seen by then.
        """
        key = actor, start.number if start is not None else 0
        automaton = self._automata.get(key)
        if automaton is None:
            seed.pid = self.pid(actor)
            automaton = self._automata[key] = Automaton(seed, self.body_cache, self._same[actor])
        return automaton

    def feeder(self, process: int, pipe: int) -> int:
        """Return the number of the feeder thread of the process at the pipe."""
        number = self.feeders.get((process, pipe))
        if number is None:
            number = self.feeders[process, pipe] = len(self.members)
            self.members.append(Member((), process, None, (process, pipe)))
            self.discoveries.meet_actor(number, self.name)
        return number

    def actor(self, key: Key) -> int:
        """The process with that key, which there has been."""
        return self._by_key[key]

    def atom(self, name: str) -> int:
        """Return the number of the atom with that name."""
        number = self.atoms.get(name)
        if number is None:
            number = self.atoms[name] = len(self.atoms)
            self.discoveries.meet_atom(number, name)
        return number

    def pid(self, actor: int) -> int:
        """The pid of that process."""
        return FIRST_PID + actor

    @property
    def discovered(self) -> int:
        """Grows whenever something that seemed to be in nobody's interest turns out to be.

        A search has to begin again then.
        """
        return self.discoveries.number

    def keep(self, what: PlaceOfData) -> None:
        """Have the states hold that, too: those that were made before do not."""
        self.discoveries.places.add(what)
        self._taken.clear()

    def name(self, actor: int) -> Name:
        """Return the name of the actor with that number."""
        member = self.members[actor]
        if member.feeds is None:
            return Name(member.key)
        process, pipe = member.feeds
        return Name(self.members[process].key, self.atom_name(pipe))

    def called(self, name: Name) -> int | None:
        """Return the number of the actor with that name; None if there has been none yet."""
        process = self._by_key.get(name.key)
        if process is None or not name.pipe:
            return process
        pipe = self.atoms.get(name.pipe)
        return self.feeder(process, pipe) if pipe is not None else None

    def atom_name(self, atom: int) -> str:
        """Return the name of the atom with that number."""
        return next(name for name, number in self.atoms.items() if number == atom)

    @property
    def named_discoveries(self) -> NamedDiscoveries:
        """Return what is known of the program, by name."""
        return self.discoveries.named(self.name, self.atom_name)

    def expect(self, told: NamedDiscoveries) -> None:
        """Add what another system of the same program has discovered."""
        known = self.named_discoveries
        both = known.union(told)
        if both == known:
            return
        self.discoveries.expect(both)
        for actor in range(len(self.members)):
            self.discoveries.meet_actor(actor, self.name)
        for name, atom in self.atoms.items():
            self.discoveries.meet_atom(atom, name)
        self._taken.clear()

    # -- states -------------------------------------------------------------------------

    def start(self) -> Taken:
        """Return the initial state: the main process is at its first operation."""
        transition = Transition(self, State((), ()))
        automaton = self.members[self._main].automaton
        assert automaton is not None
        transition.born(self._main, automaton.root)
        transition.settle((self._main,))
        return transition.taken()

    def moves(self, state: State) -> tuple[Move, ...]:
        """Return the moves that are possible in the state."""
        moves = []
        atoms = state.atoms
        transition: Transition | None = None
        for actor, node in enumerate(state.nodes):
            if node is None or node.ended is not None:
                continue
            if node.simple:
                # A semaphore or a cell: asked at every step, so without detours.
                atom = atoms[node.atom]
                if node.always or permits(atom, actor):  # type: ignore[arg-type]
                    moves.append(_moves[actor])
                elif node.request.operation.can_time_out:  # type: ignore[union-attr]
                    moves.append(Move(actor, True))
                continue
            if node.joins >= 0:
                target = state.nodes[node.joins]
                if target is None or target.ended is not None:
                    moves.append(_moves[actor])
                continue
            if transition is None:
                transition = Transition(self, state)
            if transition.can_go(actor):
                moves.append(_moves[actor])
            elif transition.can_time_out(actor):
                moves.append(Move(actor, True))
        if self.pipes:
            for actor, pipe in feeding(atoms):
                if can_feed(atoms, actor, pipe):
                    moves.append(Move(self.feeder(actor, pipe)))
        return tuple(moves)

    def can(self, state: State, move: Move) -> bool:
        """Return whether the move is possible in the state."""
        member = self.members[move.actor]
        if member.feeds is not None:
            return can_feed(state.atoms, *member.feeds)
        if move.actor >= len(state.nodes):
            return False
        transition = Transition(self, state)
        if move.times_out:
            return transition.can_time_out(move.actor) and not transition.can_go(move.actor)
        return transition.can_go(move.actor)

    def take(self, state: State, move: Move) -> Taken:
        """Make the move; return the state after it, and what was done."""
        actor = move.actor
        nodes = state.nodes
        if actor < len(nodes) and not move.times_out:
            node = nodes[actor]
            if node is not None and node.simple:
                number = node.atom
                atoms = state.atoms
                step = node.steps.get(atoms[number])
                if step is not None and not (self.helped and self._is_awaited(state, number)):
                    atom, after, did = step
                    if after.ended is None or not self._exit_matters(state, actor):
                        return Taken(
                            State(
                                (*nodes[:actor], after, *nodes[actor + 1 :]),
                                (*atoms[:number], atom, *atoms[number + 1 :]),
                            ),
                            did,
                        )
                return self._take(state, move, node if step is None else None)
        return self._take(state, move, None)

    def settled(self, state: State) -> Taken:
        """Make all that follows of itself in the state."""
        transition = Transition(self, state)
        transition.settle()
        return transition.taken()

    def follow(self, state: State, move: Move) -> Taken:
        """Make the move, and keep nothing of it: at another grain something else comes of it."""
        transition = Transition(self, state)
        transition.choose(move)
        return transition.taken()

    def _exit_matters(self, state: State, actor: int) -> bool:
        """Return whether anything but the process itself is about its end there."""
        return (
            self.pipes
            or actor in self.discoveries.exit_observed
            or any(node is not None and node.joins == actor for node in state.nodes)
        )

    def _is_awaited(self, state: State, number: int) -> bool:
        """Return whether a thread of the library waits for that semaphore."""
        return any(
            self.atoms.get(asked.operation.atom) == number
            for node in state.nodes
            if node is not None and node.request is not None
            for _, asked in node.request.beside
        )

    def _learn_step(self, state: State, node: AutomatonState, actor: int, taken: Taken) -> bool:
        """Keep the step if it was about one process and one atom alone; return whether it was."""
        after, atoms = taken.state.nodes, taken.state.atoms
        number = node.atom
        following = after[actor]
        request = following.request if following is not None else None
        if request is not None and (request.silent or request.operation.verb in AWAITS):
            return False  # it may follow at once in another state
        if (
            len(after) == len(state.nodes)
            and len(atoms) == len(state.atoms)
            and all(did.actor == actor and did.verb in PRIVATE for did in taken.did)
            and not (self.helped and self._is_awaited(state, number))
            and all(did.atom in (number, -1) or did.verb in ATOMLESS for did in taken.did)
            and not (self.pipes and taken.did[-1].verb is Verb.EXIT)
        ):
            node.steps[state.atoms[number]] = atoms[number], after[actor], taken.did
            return True
        return False

    def _take(self, state: State, move: Move, simple: AutomatonState | None) -> Taken:
        key = state.nodes, state.atoms, move
        taken = self._taken.get(key)
        if taken is None:
            transition = Transition(self, state)
            transition.choose(move)
            taken = transition.taken()
            self.learned += 1
            discovered = self.discovered
            if discovered != self._discovered:
                # An end that was in nobody's interest has become a step of its own.
                self._discovered = discovered
                self._taken.clear()
                return taken
            if simple is not None and self._learn_step(state, simple, move.actor, taken):
                return taken
            if len(self._taken) >= MOST_TAKEN:
                self._taken.clear()
            self._taken[key] = taken
        return taken

    def waiting(self, state: State) -> tuple[int, ...]:
        """Return the processes that have not ended (a server waits for nothing)."""
        return tuple(
            actor
            for actor, node in enumerate(state.nodes)
            if node is not None and node.ended is None and node.request is not None
        )

    def request(self, state: State, actor: int) -> Request | None:
        """Return the request of the process."""
        node = state.nodes[actor] if actor < len(state.nodes) else None
        return node.request if node is not None else None

    def killed_at(self, node: AutomatonState, how: Ended) -> AutomatonState:
        """Return the end of a process that was killed; one for each process and signal."""
        key = node.automaton.seed.pid, how.exitcode
        killed = self._killed.get(key)
        if killed is None:
            killed = self._killed[key] = AutomatonState(node.automaton, None, None)
            killed.ended = how
            killed.number = self.body_cache.number()
        return killed
