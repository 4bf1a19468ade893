"""Optimal dynamic partial order reduction: one execution of each class of equivalent ones.

Two executions are equivalent if one becomes the other by exchanging neighbours that do not
conflict.  After each execution every race in it (two operations that conflict, with nothing
ordering them) is reversed: the *wakeup tree* of the place before the race gets a sequence
that leads to the other order, unless one that leads there is known.  So each class is visited
exactly once, and no visit is begun in vain (Abdulla, Aronis, Jonsson, Sagonas: "Source sets: a
foundation for optimal dynamic partial order reduction", JACM 64(4), 2017, algorithm 2 and
theorem 6.4).

Here a *lock is not data*: an acquire races with the acquire before it, and what lies between
(the release) is order.  At a dead end, what blocks races, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeAlias

from syncsim.core.transition_system import Move, TransitionSystem
from syncsim.explore.dependence.relation import (
    CONFLICTS,
    COUNTED,
    EOF,
    FEED,
    KILL,
    NEEDS,
    PUT,
    RACES,
    STOPS,
    Event,
    Touch,
    dependent,
)
from syncsim.explore.search.wakeup import Branch, Word, Words, insert, still_asleep

#: So many pairs of events are remembered that were in a race.
_MOST_PAIRS = 100_000


#: Called for two events that race, with what leads to a state where both may be next.
OnRace: TypeAlias = Callable[[Event, Event, Callable[[], tuple[Move, ...]]], None]
#: A touch: at which place, by whom, its kind and part, and what comes before it.
Access: TypeAlias = tuple[int, int, int, int, int]


class SearchFrame:
    """A state on the current path, and what is still to be explored from there."""

    __slots__ = (
        "before", "changed", "children", "event", "past", "races", "sleep", "state", "word",
    )  # fmt: skip

    def __init__(self, state: Any, sleep: dict[Move, Event], children: list[Branch]) -> None:
        self.state = state
        #: What need not be explored from here: it leads to what has been.
        self.sleep = sleep
        self.children = children
        #: The event that is being explored from here; its causal past with itself, and both as a
        #: word; the past of its actor before it, the clocks that it changed, and the places it
        #: races with.
        self.event: Event | None = None
        self.past = 0
        self.word: Word | None = None
        self.before = 0
        self.changed: list[tuple[int, int]] = []
        self.races: list[int] = []


class Execution(NamedTuple):
    """One complete execution: its events, and the state at its end.

    ``cut`` if it was longer than is allowed; ``blocked`` if it was begun in vain.
    """

    events: tuple[Event, ...]
    state: Any
    cut: bool = False
    blocked: bool = False


#: The most steps of an execution in which a process has come back to where it was.
_CIRCLES = 200


class DPOR:
    """A search over the executions of a system, ``most_steps`` long at the most.

    It may be given a ``way`` to a place, and visits what is below that alone.  The places on the
    way are somebody else's: what races want to have visited there is kept for their owner in
    ``beyond``, by the number of the place and the moves.  Those from ``new`` on were never looked
    at for races.
    """

    def __init__(
        self,
        system: TransitionSystem[Any, Event],
        most_steps: int = 100_000,
        *,
        way: Sequence[SearchFrame] = (),
        new: int = 0,
    ) -> None:
        self.system = system
        self.most_steps = most_steps
        self.steps = 0
        self.root, self.begun = system.start()
        self.beyond: dict[tuple[int, tuple[Move, ...]], tuple[Word, ...]] = {}
        self._foreign = max(0, len(way) - 1)
        self._path: list[SearchFrame] = []
        self._clocks: dict[int, int] = {}  # the causal past of each actor, a bit for each place
        self._accesses: dict[int, list[Access]] = {}
        self.on_race: OnRace | None = None
        self._met: dict[tuple[int, int], tuple[Event, Event]] = {}
        for place in way or (SearchFrame(self.root, {}, []),):
            if self._path:
                event = self._path[-1].children[0].event
                assert event is not None
                self._do(self._path[-1], event)
            self._path.append(place)
        self._new = new  # the first place whose races were not looked at

    @property
    def pending(self) -> int:
        """Return how many branches of the current path are still to be explored."""
        return sum(len(place.children) - 1 for place in self._path if place.children)

    def _is_long(self, steps: int) -> bool:
        """Return whether the execution is to be cut there: it may never end."""
        return steps > (_CIRCLES if self.system.cyclic else self.most_steps)

    def executions(self) -> Iterator[Execution]:
        """One of each class, until all have been given.

        They end early when the system discovers something: what was planned may be impossible
        now, and all is to be begun again.
        """
        system, path = self.system, self._path
        discovered, learned = system.discovered, system.learned
        while self._go_back():
            place = path[-1]
            if not place.children:
                moves = system.moves(place.state)
                sleep = place.sleep
                awake = [move for move in moves if move not in sleep] if sleep else moves
                if not awake or self._is_long(len(path)):
                    execution = Execution(
                        tuple([one.event for one in path[:-1] if one.event is not None]),
                        place.state,
                        cut=bool(awake),
                        blocked=bool(moves) and not awake,
                    )
                    self._reverse_all(place.state)
                    path.pop()
                    self._new = len(path)
                    yield execution
                    continue
                place.children.append(Branch(awake[0], None, []))
            self._explore(place)
            if system.learned != learned:
                learned = system.learned
                if system.discovered != discovered:
                    del path[self._foreign :]

    @property
    def pasts(self) -> tuple[int, ...]:
        """Return the causal past of each event on the way to its place, with the event itself."""
        return tuple([place.past for place in self._path[: self._foreign]])

    def _go_back(self) -> bool:
        """Leave what was explored; whether there is more."""
        path, foreign = self._path, self._foreign
        while len(path) > foreign:
            place = path[-1]
            if place.event is None:
                break
            self._undo(place)
            if place.children:
                break
            path.pop()
        return len(path) > foreign

    def rest(self) -> Sequence[SearchFrame]:
        """Between two executions: the places of its own from which something is to be explored."""
        self._go_back()
        return self._path[self._foreign :]

    def _explore(self, place: SearchFrame) -> None:
        """Take the first branch."""
        branch = place.children[0]
        move = branch.move
        state, event = self.system.take(place.state, move, branch.event)
        self.steps += 1
        if branch.event is None:
            branch.event = event
        sleep = still_asleep(place.sleep, event) if place.sleep else {}
        at = len(self._path) - 1
        if at < self._new:
            self._new = at
        below, branch.children = branch.children, []
        self._do(place, event)
        self._path.append(SearchFrame(state, sleep, below))

    # -- clocks -------------------------------------------------------------------------

    def _do(self, place: SearchFrame, event: Event) -> None:
        """Note what the event comes after, and what it races with."""
        at = len(self._path) - 1
        clocks, accesses = self._clocks, self._accesses
        actor, number = event.move.actor, 0
        place.event = event
        place.before = before = clocks.get(actor, 0)
        past, place.races = self._look_back(actor, event.touches, before, fickle=event.fickle)
        bit = 1 << at
        place.past = past = past | bit
        place.word = Word(event, bit, past)
        place.changed = [(actor, before)]
        clocks[actor] = past
        for thing, kind, number in event.touches:
            known = accesses.get(thing)
            if known is None:
                known = accesses[thing] = []
            known.append((at, actor, kind, number, past))
        if place.races and self.on_race is not None:
            self._note_races(self.on_race, at)
        for follower, born, touches in event.follow:
            clock = clocks.get(follower, 0)
            place.changed.append((follower, clock))
            if born:
                parent = self.system.parent(follower)
                clock |= clocks.get(parent, 0) if parent is not None else 0
            clock |= self._look_back(follower, touches, clock | past)[0]
            clocks[follower] = clock
            for thing, kind, number in touches:
                accesses.setdefault(thing, []).append((at, follower, kind, number, clock))

    def _note_races(self, on_race: OnRace, at: int) -> None:
        """Tell of the races of the event of that place."""
        path, met = self._path, self._met
        place = path[at]
        event = place.event
        assert event is not None
        for earlier in place.races:
            other = path[earlier].event
            assert other is not None
            pair = id(other), id(event)
            if pair in met:
                continue
            if len(met) > _MOST_PAIRS:
                met.clear()
            met[pair] = other, event  # (kept: no others get their ids)
            way = partial(self._way_to_both, earlier, at)
            on_race(other, event, way)

    def _way_to_both(self, earlier: int, later: int) -> tuple[Move, ...]:
        """Return the moves to a state where the events of both places, which race, may be next."""
        path = self._path
        before = path[earlier].past | path[later].past
        return tuple(
            place.event.move
            for at, place in enumerate(path[:later])
            if before >> at & 1 and not place.past >> earlier & 1 and place.event is not None
        )

    def _undo(self, place: SearchFrame) -> None:
        event = place.event
        assert event is not None
        for actor, clock in reversed(place.changed):
            self._clocks[actor] = clock
        for touch in event.touches:
            self._accesses[touch[0]].pop()
        for _, _, touches in event.follow:
            for touch in touches:
                self._accesses[touch[0]].pop()
        place.children.pop(0)
        place.sleep[event.move] = event
        place.event = None

    def _look_back(
        self,
        actor: int,
        touches: tuple[Touch, ...],
        before: int,
        *,
        fickle: bool = False,
        among: int = -1,
        ordered: int = 0,
    ) -> tuple[int, list[int]]:
        """The causal past of those touches by an actor after ``before``, and what they race with.

        What is needed belongs to the past; what comes before that may still be raced with.  All
        races of a ``fickle`` event are given, the latest first, as not all may be reversible.
        ``among`` has a bit for each place that counts, ``ordered`` for each that is no race.
        """
        past = known = before
        races: list[int] = []
        raced = must = 0
        for thing, kind, part in touches:
            accesses = self._accesses.get(thing)
            if not accesses:
                continue
            conflicts, needs, stops = RACES[kind], NEEDS[kind], STOPS[kind]
            counted = kind in COUNTED
            left = self._fed(thing, accesses, among) if kind == FEED else part
            for at, who, other, number, clock in reversed(accesses):
                if not among >> at & 1:
                    continue
                needed = False
                if needs >> other & 1:
                    if counted:
                        left -= 1
                        needed = left == 0
                    else:
                        needed = kind == EOF or number == part
                        left = 0 if needed else 1
                if who == actor:
                    continue
                conflict = conflicts >> other & 1
                if needed:
                    must |= 1 << at
                elif conflict and not (known | ordered) >> at & 1:
                    races.append(at)
                    raced |= 1 << at
                    if not fickle:
                        known |= clock
                if needed or conflict:
                    past |= clock
                if stops >> other & 1 and not (needed or fickle) and (not needs or left <= 0):
                    break
        if must & raced and not fickle:
            # A step that does several things: one is needed, and so the others are order, too.
            return self._look_back(actor, touches, before, among=among, ordered=must)
        if len(races) > 1:
            races.sort(reverse=True)
        return past, races

    @cached_property
    def _put_before(self) -> Counter[int]:
        """Return what was put into each buffer before the first step."""
        return self.system.puts_at_start()

    def _fed(self, buffer: int, accesses: list[Access], among: int) -> int:
        """Which of the puts, from the latest, is fed next."""
        kinds = [kind for at, _, kind, _, _ in accesses if among >> at & 1]
        return self._put_before[buffer] + kinds.count(PUT) - kinds.count(FEED)

    # -- races --------------------------------------------------------------------------

    def _reverse_all(self, end: Any) -> None:
        """Reverse all races of the execution that has just come to its end."""
        path = self._path
        for at in range(self._new, len(path) - 1):
            place = path[at]
            event = place.event
            assert event is not None
            known = place.before
            for earlier in place.races:
                if not known >> earlier & 1 and self._reverse(earlier, event, place.before):
                    known |= path[earlier].past
        for actor in self.system.waiting(end):
            self._reverse_pending(actor, end)
        if self.system.killable:
            for at in range(len(path) - 1):
                event = path[at].event
                assert event is not None
                for thing, kind, _ in event.touches:
                    if kind == KILL:
                        self._reverse_pending(-1 - thing, path[at].state, at)

    def _reverse_pending(self, actor: int, state: Any, killed: int | None = None) -> None:
        """Reverse the races of what the actor did not come to do, because it was killed there."""
        event = self.system.pending(actor, state)
        if event is None:
            return
        before = self._clocks.get(actor, 0)
        known = before
        if killed is not None:
            known = before = before & (1 << killed) - 1
            self._reverse(killed, event, before)
        for thing, kind, _ in event.touches:
            for at, who, other, _, _ in reversed(self._accesses.get(thing, ())):
                if who == actor or known >> at & 1 or not CONFLICTS[kind] >> other & 1:
                    continue
                first, last = (at, at) if killed is None else sorted((at, killed))
                if self._reverse(first, event, before, last):
                    known |= self._path[at].past

    def _reverse(self, at: int, event: Event, before: int, nor: int = 0) -> bool:
        """See to it that ``event`` is explored before that of the place ``at``; if it can be.

        Nor is what happened at the place ``nor`` there then.
        """
        path = self._path
        place = path[at]
        without = 1 << at | 1 << max(at, nor)
        words = Words(
            [one.word for one in path[at + 1 : -1] if not one.past & without and one.word]
        )
        if event.fickle:
            again = self._as_it_would_be(place.state, words, event.move)
            if again is None:
                return False
            event = again
        past = before
        for word in words.left:
            if not past & word.bit and dependent(word.event, event):
                past |= word.past
        last = 1 << len(path)
        words.add(Word(event, last, past | last))
        if at >= self._foreign:
            insert(place, words)
            return True
        every = words.left
        key = at, tuple([word.event.move for word in every])
        if key not in self.beyond and not words.covered_by(place.sleep):
            self.beyond[key] = (*every[:-1], self._on_the_way(place.state, every, at, before))
        return True

    def _on_the_way(self, state: Any, words: tuple[Word, ...], at: int, before: int) -> Word:
        """The last of the words, with what comes before it on the way to the place, too."""
        among = (1 << at) - 1
        for word in words[:-1]:
            state, _ = self.system.take(state, word.event.move)
            among |= word.bit
        move, bit = words[-1].event.move, words[-1].bit
        _, event = self.system.take(state, move)
        past, _ = self._look_back(move.actor, event.touches, before, among=among)
        return Word(event, bit, past | bit)

    def _as_it_would_be(self, state: Any, words: Words, move: Move) -> Event | None:
        """Return the event of the step after those words, as it may turn out otherwise."""
        system = self.system
        for word in words.left:
            if not system.can_repeat(state, word.event):
                return None
            state, _ = system.take(state, word.event.move, word.event)
        for turned in (move, Move(move.actor, not move.times_out)):
            if system.can(state, turned):
                return system.take(state, turned)[1]
        return None
