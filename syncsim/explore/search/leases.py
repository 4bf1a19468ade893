"""A search of executions in pieces: what is lent to another process, and what comes back.

A *lease* is an open leaf of the tree of executions: the way to it, and what is known of the places
on the way.  Whoever gets it explores what is below as ever (``DPOR``), for as long as it may; what
it *returns* is what it counted and found, what is still open below, and what races in there want
to have explored at the places on the way, which it does not own.

All of it is told in names that mean the same in every process (``Token``): each of them learns
the program for itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.transition_system import Move
from syncsim.explore.bounds import Bounds
from syncsim.explore.dependence.relation import Event
from syncsim.explore.results import Path, SearchResult
from syncsim.explore.search.dpor import DPOR, SearchFrame
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.wakeup import Branch, Word, still_asleep
from syncsim.explore.virtual.system import VirtualSystem
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.discoveries import NamedDiscoveries
from syncsim.virtual.model.states import Name, State
from syncsim.virtual.model.system import System

#: A move, by the name of who makes it; whether it is a timeout.
Token: TypeAlias = tuple[Name, bool]
#: Wakeup trees: each node before those below it, with how many of them are right below.
Forest: TypeAlias = tuple[tuple[Token, int], ...]
#: The moves from the start on.
Way: TypeAlias = tuple[Token, ...]


class Level(NamedTuple):
    """A place that is still open: what it sleeps for, what is to be explored, who is on the way."""

    sleep: Way
    open: Forest
    move: Token | None


class Lease(NamedTuple):
    """An order to explore what is below a way for so many seconds, of the processor's.

    For each place on the way there is what has been explored from there, or is being, wholly; those
    from ``new`` on were never looked at for races.  All this holds for whoever knows the same
    ``discoveries``, and whether some process is ``cyclic``.
    """

    way: Way
    sleep: tuple[Way, ...]
    new: int
    discoveries: NamedDiscoveries
    cyclic: bool
    seconds: float


class Wanted(NamedTuple):
    """A word to be explored at the place ``at`` of the way, with the order in it."""

    at: int
    words: tuple[tuple[Token, int, int], ...]


class Counts(NamedTuple):
    """The numbers of what was visited."""

    steps: int = 0
    executions: int = 0
    blocked: int = 0
    depth: int = 0
    limit: str = ""


class Returned(NamedTuple):
    """The result of a lease.

    If the ``discoveries`` are not those of the lease, all is to be begun again, and nothing else
    counts.
    """

    discoveries: NamedDiscoveries
    cyclic: bool = False
    counts: Counts = Counts()
    rest: tuple[Level, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    #: What comes before each of the events on the way: a bit for each.
    pasts: tuple[int, ...] = ()
    #: Beside the counts, what was seen for the first time there.
    failures: tuple[tuple[Verdict, Way], ...] = ()
    endings: tuple[Way, ...] = ()
    races: tuple[Way, ...] = ()
    contested: tuple[tuple[str, tuple[Name, ...]], ...] = ()


class Names:
    """The moves of a system by names, and back; events as the system sees them."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.walked = VirtualSystem(system)
        self._tokens: dict[Move, Token] = {}
        self._moves: dict[Token, Move] = {}

    def token(self, move: Move) -> Token:
        """Return the move as every process has it."""
        token = self._tokens.get(move)
        if token is None:
            token = self._tokens[move] = self.system.name(move.actor), move.times_out
        return token

    def move(self, token: Token) -> Move:
        """Return the move as this process has it."""
        move = self._moves.get(token)
        if move is None:
            name, times_out = token
            actor = self.system.called(name)
            assert actor is not None
            move = self._moves[token] = Move(actor, times_out)
        return move

    def way(self, moves: Iterable[Move]) -> Way:
        """Return the moves as every process has them."""
        return tuple(map(self.token, moves))

    def step(self, state: State, token: Token) -> tuple[Event, State]:
        """Return the event of the move, and the state after it."""
        move = self.move(token)
        state, event = self.walked.take(state, move)
        return event, state

    def walk(self, way: Iterable[Token]) -> tuple[tuple[Event, ...], State]:
        """Return the events of the moves from the start on, and the state after them."""
        state = self.system.start().state
        events = []
        for token in way:
            event, state = self.step(state, token)
            events.append(event)
        return tuple(events), state

    def forest(self, branches: Sequence[Branch]) -> Forest:
        """Return the branches as every process has them."""
        found, todo = [], [*reversed(branches)]
        while todo:
            branch = todo.pop()
            found.append((self.token(branch.move), len(branch.children)))
            todo += reversed(branch.children)
        return tuple(found)

    def level(self, place: SearchFrame) -> Level:
        """Return the place as every process has it: its first branch is the one taken."""
        event = place.event
        return Level(
            self.way(place.sleep),
            self.forest(place.children[1:] if event is not None else place.children),
            self.token(event.move) if event is not None else None,
        )

    def sleep(self, state: State, way: Way) -> dict[Move, Event]:
        """Return the events that have been explored from the state."""
        events = [self.step(state, token)[0] for token in way]
        return {event.move: event for event in events}

    def places(self, lease: Lease) -> list[SearchFrame]:
        """The places on the way, and the last one, which is new."""
        state, found = self.system.start().state, []
        asleep: dict[Move, Event] = {}
        for token, sleep in zip(lease.way, lease.sleep, strict=True):
            event, after = self.step(state, token)
            asleep = {**asleep, **self.sleep(state, sleep)}
            found.append(SearchFrame(state, asleep, [Branch(event.move, event, [])]))
            asleep = still_asleep(asleep, event)
            state = after
        # (Nothing sleeps at a leaf; if it seems so, it is explored all the same.)
        return [*found, SearchFrame(state, {}, [])]


class Borrower:
    """Explores leases of one program; what it has learned of the program stays with it.

    It looks at the clock after so many ``steps``.
    """

    def __init__(self, system: System, steps: int = 500) -> None:
        self.system = system
        self._steps = steps
        self._begin()

    def _begin(self) -> None:
        self._known = self.system.named_discoveries
        self._names = Names(self.system)
        # What was found in other leases need not be told again.
        self._seen = SearchResult("dpor")

    def explore(self, lease: Lease) -> Returned:
        """Explore the lease; return its result."""
        system, until = self.system, time.process_time() + lease.seconds
        system.expect(lease.discoveries)
        if system.named_discoveries != lease.discoveries:
            return Returned(system.named_discoveries)
        if lease.discoveries != self._known:
            self._begin()
        system.body_cache.cyclic |= lease.cyclic
        names, seen = self._names, self._seen
        outcome = SearchResult(
            "dpor", endings=seen.endings, races=seen.races, failures=dict(seen.failures)
        )
        endings, races = set(seen.endings.ways), set(seen.races.data)
        dpor = DPOR(names.walked, 10_000, way=names.places(lease), new=lease.new)
        search = DPORSearch(system, dpor, outcome)
        discovered = system.discovered
        bounds = Bounds(states=2**62)
        while search.advance(self._steps, bounds) and time.process_time() < until:
            if system.discovered != discovered:
                break
        if system.discovered != discovered:
            return Returned(system.named_discoveries)
        rest = tuple(map(names.level, dpor.rest()))
        new = [path for kind, path in outcome.failures.items() if seen.failures.get(kind) != path]
        seen.failures.update(outcome.failures)
        return Returned(
            lease.discoveries,
            system.body_cache.cyclic,
            Counts(
                outcome.transitions,
                outcome.executions,
                outcome.blocked,
                outcome.depth,
                outcome.limit,
            ),
            rest,
            tuple(self._wanted(at, words) for (at, _), words in dpor.beyond.items()),
            dpor.pasts,
            failures=tuple((path.verdict, names.way(path.moves)) for path in new),
            endings=tuple(
                names.way(way) for left, way in seen.endings.ways.items() if left not in endings
            ),
            races=tuple(
                names.way(race.moves)
                for sites, race in seen.races.data.items()
                if sites not in races
            ),
            contested=tuple(
                (atom, tuple(map(system.name, actors)))
                for atom, at in system.atoms.items()
                if (actors := seen.races.contested.get(at))
            ),
        )

    def _wanted(self, at: int, words: Iterable[Word]) -> Wanted:
        token = self._names.token
        return Wanted(at, tuple((token(one.event.move), one.bit, one.past) for one in words))


class Asked(NamedTuple):
    """Which program, and by which grain."""

    path: str
    arguments: tuple[str, ...]
    start_method: str
    by_call: bool


@lru_cache(maxsize=1)
def _borrower(asked: Asked) -> Borrower:
    program = VirtualProgram(load(asked.path, asked.arguments, asked.start_method))
    return Borrower(System(program.main(), by_call=asked.by_call))


def explore(asked: Asked, lease: Lease) -> Returned:
    """Explore a lease, in whatever process this is: what an executor is given to call."""
    return _borrower(asked).explore(lease)


def add(outcome: SearchResult, returned: Returned, names: Names) -> None:
    """Add to the outcome what came of a lease."""
    counts = returned.counts
    outcome.transitions += counts.steps
    outcome.states = outcome.transitions
    outcome.executions += counts.executions
    outcome.ends += counts.executions
    outcome.blocked += counts.blocked
    outcome.depth = max(outcome.depth, counts.depth)
    outcome.limit = outcome.limit or counts.limit
    system = names.system
    start = system.start()
    for verdict, way in returned.failures:
        events, _ = names.walk(way)
        did = (*start.did, *[one for event in events for one in event.did])
        outcome.found(Path(verdict, tuple([event.move for event in events]), did))
    for way in returned.endings:
        events, state = names.walk(way)
        outcome.endings.note(state, partial(tuple, [event.move for event in events]))
    for race in returned.races:
        *before, one, other = race
        events, state = names.walk(before)
        moves = partial(tuple, [event.move for event in events])
        first, then = names.step(state, one)[0], names.step(state, other)[0]
        outcome.races.between(first.move, first.did, then.move, then.did, moves)
    for name, actors in returned.contested:
        # (Whoever is in no ending that was told is not known here.)
        at, known = system.atoms.get(name), [system.called(actor) for actor in actors]
        if at in system.primitives:
            who = {actor for actor in known if actor is not None}
            outcome.races.contested.setdefault(at, set()).update(who)
