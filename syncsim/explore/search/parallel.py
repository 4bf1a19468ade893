"""One search of executions by several processes at once.

The tree of executions belongs to whoever coordinates; the others borrow its open leaves
(``leases``).  A leaf is where a wakeup tree ends, and there nothing sleeps: all that did, or was
to the left, conflicts with something on the way.  So what is below it is explored wholly, by
whatever races come up in there, whoever else is at work; and it covers all words that lead to it.
Above the leaves, what races want to have explored is led down from the root, always into the
leftmost branch with which it may begin, although that may have been explored: as long as something
to its left has not been, that may want more of it.  So the classes that are visited are those of
one process alone, each once, and none in vain.

Concuerror was made parallel in a like manner (Fytas, Sagonas: "Parallelizing stateless model
checking with optimal DPOR", 2020).

Whoever is to do the work is a ``concurrent.futures.Executor``; it calls ``leases.explore``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from syncsim.core.transition_system import Move
from syncsim.explore.bounds import Bounds
from syncsim.explore.dependence.relation import Event
from syncsim.explore.search.executions import DPORSearch
from syncsim.explore.search.jobs import Jobs
from syncsim.explore.search.leases import (
    Forest,
    Lease,
    Level,
    Names,
    Returned,
    Token,
    Wanted,
    Way,
    add,
    explore,
)
from syncsim.explore.search.wakeup import Word, Words
from syncsim.virtual.model.states import State
from syncsim.virtual.model.system import System

if TYPE_CHECKING:  # a small search is over without them
    from concurrent.futures import Future

#: Seconds that a search goes on alone: a small one is over before anybody else has begun.  (All
#: seconds here are those of the processor, of which each search may get little.)
ALONE = 0.5
#: Seconds that a lease may take; at first, and while there is little to lend, less.
LEASE, SHORT = 0.5, 0.05
#: So many leases of each job are on their way, so that nobody waits for the next one.
AHEAD = 2
#: Seconds to wait for something to come back; where we have other things to do, less.
_PATIENCE, _HASTE = 0.1, 0.002


class LeaseTree:
    """A node of the tree of executions: the state after an event.

    ``children`` are what was, is or will be explored from there, from left to right; a leaf has
    none, and all that is below it is explored by one process.
    """

    __slots__ = ("children", "depth", "done", "event", "looked", "parent", "sleep", "state")

    def __init__(self, state: State, event: Event | None = None, parent: LeaseTree | None = None):
        self.state = state
        self.event = event
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.children: list[LeaseTree] | None = None
        #: What has been explored wholly, and so has all that is to the left of it.
        self.sleep: dict[Move, Event] = {}
        #: Of a leaf: whether all below it has been explored.
        self.done = False
        #: Whether somebody has looked for the races of the event, or is about to.
        self.looked = False


class Frontier:
    """The tree of executions, as far as something may come into it."""

    def __init__(self, names: Names, levels: Sequence[Level]) -> None:
        self._names = names
        self._open: list[tuple[int, int, LeaseTree]] = []  # the leaves that nobody has, by depth
        self._leaves = 0
        self._root = LeaseTree(names.system.start().state)
        self._grow(self._root, levels)

    def __len__(self) -> int:
        """Return how many leaves nobody has."""
        return len(self._open)

    def lend(self) -> tuple[LeaseTree, Lease] | None:
        """The shallowest leaf that nobody has, and what is to be known of it."""
        if not self._open:
            return None
        _, _, leaf = heappop(self._open)
        names = self._names
        way: list[Token] = []
        sleep: list[Way] = []
        node, new = leaf, leaf.depth
        while node.parent is not None:
            above = node.parent
            assert node.event is not None
            assert above.children is not None
            way.append(names.token(node.event.move))
            whole = [
                one.event for one in above.children if one.children is None and one is not leaf
            ]
            covered = [event.move for event in (*above.sleep.values(), *whole) if event is not None]
            sleep.append(names.way(covered))
            if not node.looked:
                node.looked = True
                new = above.depth
            node = above
        way.reverse()
        sleep.reverse()
        system = names.system
        return leaf, Lease(
            tuple(way), tuple(sleep), new, system.named_discoveries, system.body_cache.cyclic, LEASE
        )

    def take_back(self, leaf: LeaseTree, returned: Returned) -> None:
        """Insert what is wanted, and what is still open below the leaf."""
        way = [leaf]
        while way[-1].parent is not None:
            way.append(way[-1].parent)
        way.reverse()
        for wanted in returned.wanted:
            self._want(way, returned.pasts, wanted)
        if returned.rest:
            self._grow(leaf, returned.rest)
        else:
            leaf.done = True
            self._forget()

    def _add(self, parent: LeaseTree, event: Event, state: State) -> LeaseTree:
        node = LeaseTree(state, event, parent)
        if parent.children is None:
            parent.children = []
        parent.children.append(node)
        return node

    def _offer(self, leaf: LeaseTree) -> None:
        self._leaves += 1
        heappush(self._open, (leaf.depth, self._leaves, leaf))

    def _grow(self, node: LeaseTree, levels: Sequence[Level]) -> None:
        """Add the nodes that are open below one that was a leaf."""
        names = self._names
        for level in levels:
            node.sleep = names.sleep(node.state, level.sleep)
            below = node
            if level.move is not None:
                below = self._add(node, *names.step(node.state, level.move))
                below.looked = True
            self._plant(node, level.open)
            node = below

    def _plant(self, root: LeaseTree, forest: Forest) -> None:
        todo: list[LeaseTree] = []  # the parents of those to come, once for each of them
        for token, below in forest:
            parent = todo.pop() if todo else root
            node = self._add(parent, *self._names.step(parent.state, token))
            if below:
                todo += [node] * below
            else:
                self._offer(node)

    def _want(self, way: list[LeaseTree], pasts: tuple[int, ...], wanted: Wanted) -> None:
        """Insert those words, unless they are covered.

        From the root on: together with the way they may as well begin to the left of it.
        """
        words = Words()
        for at, node in enumerate(way[1 : wanted.at + 1]):
            assert node.event is not None
            words.add(Word(node.event, 1 << at, pasts[at]))
        state = way[wanted.at].state
        for token, bit, past in wanted.words:
            event, state = self._names.step(state, token)
            words.add(Word(event, bit, past))
        node = self._root
        while not words.covered_by(node.sleep):
            for child in node.children or ():
                assert child.event is not None
                if words.may_begin_with(child.event):
                    if not words.leave_out(child.event.move.actor) or child.children is None:
                        return
                    node = child
                    break
            else:
                for word in words.left:
                    event, state = self._names.step(node.state, self._names.token(word.event.move))
                    node = self._add(node, event, state)
                self._offer(node)
                return

    def _forget(self) -> None:
        """Move finished leftmost branches into the sleep sets of their parents."""
        node = self._root
        while True:
            while node.children:
                node = node.children[0]
            if not node.done or node.parent is None:
                return
            above = node.parent
            assert node.event is not None
            assert above.children is not None
            above.sleep[node.event.move] = node.event
            del above.children[0]
            if not above.children:
                above.children, above.done = None, True
            node = above


class ParallelSearch:
    """A visit of one execution of each class, by ``busy`` of the processes that there may be.

    It goes on ``alone`` for so many seconds, for that is quicker if there is little to do.
    """

    def __init__(self, system: System, jobs: Jobs, busy: int, alone: float = ALONE) -> None:
        self._system = system
        self._jobs = jobs
        self._busy = busy
        self._patience = _PATIENCE if busy == jobs.number else _HASTE
        self._until = time.process_time() + alone
        self._names = Names(system)
        self._alone = DPORSearch(system)
        self.outcome = self._alone.outcome
        self._frontier: Frontier | None = None
        self._lent: dict[Future[Returned], LeaseTree] = {}

    @property
    def frontier(self) -> int:
        """Return how many branches are known and not begun, or lent."""
        if self._frontier is None:
            return self._alone.frontier
        return len(self._frontier) + len(self._lent)

    def advance(self, steps: int, bounds: Bounds) -> bool:
        """Take about so many steps, or wait a moment for others; whether there is more to do."""
        if self._frontier is None:
            goes_on = self._alone.advance(steps, bounds)
            if goes_on and time.process_time() > self._until:
                rest = [self._names.level(place) for place in self._alone.dpor.rest()]
                self._frontier = Frontier(self._names, rest)
                self._lend(self._frontier)
            return goes_on
        from concurrent.futures import FIRST_COMPLETED, wait

        done, _ = wait(self._lent, self._patience, FIRST_COMPLETED)
        outcome = self.outcome
        for future in done:
            leaf, returned = self._lent.pop(future), future.result()
            self._system.expect(returned.discoveries)
            if returned.discoveries != self._system.named_discoveries:
                return True  # all is begun again
            self._system.body_cache.cyclic |= returned.cyclic
            add(outcome, returned, self._names)
            self._frontier.take_back(leaf, returned)
        if outcome.states > bounds.states:
            outcome.limit = f"{bounds.states:,} steps"
            return False
        self._lend(self._frontier)
        if self._lent:
            return True
        outcome.complete = not outcome.limit
        return False

    def _lend(self, frontier: Frontier) -> None:
        while len(self._lent) < self._busy * AHEAD and (found := frontier.lend()) is not None:
            leaf, lease = found
            if len(frontier) < 4 * self._busy:
                lease = lease._replace(seconds=SHORT)
            self._lent[self._jobs.executor.submit(explore, self._jobs.asked, lease)] = leaf
