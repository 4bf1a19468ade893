"""Samplers: single executions picked at random, for programs that are too large to be exhausted.

None is the best on every program, so a *portfolio* takes them in turn.  Each execution has a
seed of its own, derived from the one given.

``random`` picks any move; ``urw`` (uniform random walk) one with a probability proportional to
what its actor still has to do, so that every interleaving is about equally likely; ``pos``
(Yuan, Yang, Gu: "Partial order aware concurrency sampling", CAV 2018) the move of the highest
random priority, drawn anew for what conflicts with it; ``pct`` (Burckhardt et al.: "A
randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010) the actor of the
highest priority, which ``depth`` - 1 times falls to the lowest.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import cycle
from typing import Protocol

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.transition_system import Move
from syncsim.core.words.listing import counted
from syncsim.explore.bounds import Bounds
from syncsim.explore.results import Path, SearchResult, See, failure_in, verdict_at_the_end
from syncsim.virtual.model.states import Did
from syncsim.virtual.model.system import System

#: How long an execution is taken to be before one has been seen.
_LENGTH = 50


class Sampler(Protocol):
    """Picks the moves of one execution."""

    def pick(self, moves: tuple[Move, ...]) -> Move:
        """Return the next move."""
        ...

    def made(self, move: Move, did: tuple[Did, ...], moves: tuple[Move, ...]) -> None:
        """Note that ``move`` was made; ``moves`` were possible."""
        ...


class Lengths:
    """The number of moves of each actor in the execution before: it may have to do them again."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        self.whole = _LENGTH


class RandomSampler:
    """A sampler that picks any move."""

    def __init__(self, source: random.Random, lengths: Lengths) -> None:
        self._random = source

    def pick(self, moves: tuple[Move, ...]) -> Move:
        """Return the next move."""
        return self._random.choice(moves)

    def made(self, move: Move, did: tuple[Did, ...], moves: tuple[Move, ...]) -> None:
        """Learn nothing."""


class URW(RandomSampler):
    """Uniform random walk: each actor weighs what it still has to do."""

    def __init__(self, source: random.Random, lengths: Lengths) -> None:
        super().__init__(source, lengths)
        self._left = dict(lengths.of)

    def pick(self, moves: tuple[Move, ...]) -> Move:
        """Return the next move."""
        weights = [max(1, self._left.get(move.actor, 1)) for move in moves]
        return self._random.choices(moves, weights)[0]

    def made(self, move: Move, did: tuple[Did, ...], moves: tuple[Move, ...]) -> None:
        """Count the move off."""
        self._left[move.actor] = self._left.get(move.actor, 1) - 1


class POS(RandomSampler):
    """Partial order sampling, by priorities of moves."""

    def __init__(self, source: random.Random, lengths: Lengths) -> None:
        super().__init__(source, lengths)
        self._priority: dict[Move, float] = {}
        self._last: dict[Move, tuple[Did, ...]] = {}

    def pick(self, moves: tuple[Move, ...]) -> Move:
        """Return the next move."""
        for move in moves:
            if move not in self._priority:
                self._priority[move] = self._random.random()
        return max(moves, key=self._priority.__getitem__)

    def made(self, move: Move, did: tuple[Did, ...], moves: tuple[Move, ...]) -> None:
        """Give another priority to the moves that the step conflicts with."""
        del self._priority[move]
        atoms = {one.atom for one in did}
        for other in moves:
            last = self._last.get(other)
            if other != move and (last is None or any(one.atom in atoms for one in last)):
                self._priority.pop(other, None)
        self._last[move] = did


class PCT(RandomSampler):
    """A sampler by priorities of actors, which change ``depth`` - 1 times."""

    depth = 3

    def __init__(self, source: random.Random, lengths: Lengths) -> None:
        super().__init__(source, lengths)
        self._priority: dict[int, float] = {}
        self._changes = {
            source.randrange(max(1, lengths.whole)): -at for at in range(1, self.depth)
        }
        self._steps = 0

    def pick(self, moves: tuple[Move, ...]) -> Move:
        """Return the next move."""
        for move in moves:
            self._priority.setdefault(move.actor, self._random.random())
        first = max(moves, key=lambda move: self._priority[move.actor])
        low = self._changes.get(self._steps)
        if low is not None:
            self._priority[first.actor] = low
            first = max(moves, key=lambda move: self._priority[move.actor])
        return first

    def made(self, move: Move, did: tuple[Did, ...], moves: tuple[Move, ...]) -> None:
        """Count the step."""
        self._steps += 1


class PCT5(PCT):
    """``PCT`` with four changes."""

    depth = 5


_SAMPLERS: dict[str, tuple[Callable[[random.Random, Lengths], Sampler], ...]] = {
    "random": (RandomSampler,),
    "urw": (URW,),
    "pos": (POS,),
    "pct": (PCT, PCT5),
    "portfolio": (URW, POS, RandomSampler, PCT, PCT5),
}


class SampleSearch:
    """One execution after the other; never complete."""

    def __init__(self, system: System, kind: str, seed: int, see: See | None = None) -> None:
        self.outcome = SearchResult(kind)
        self._system = system
        self._seed = seed
        self._see = see
        self._kinds = cycle(_SAMPLERS[kind])
        self._lengths = Lengths()

    @property
    def frontier(self) -> int:
        """Return 0: the number is not known."""
        return 0

    def advance(self, steps: int, bounds: Bounds) -> bool:
        """Take about so many steps; whether there is more to do."""
        outcome = self.outcome
        # (An execution without a choice takes its time, too.)
        until = outcome.transitions + outcome.executions + steps
        while outcome.transitions + outcome.executions < until:
            if outcome.executions >= bounds.states:
                outcome.limit = counted(bounds.states, "execution")
                return False
            self._execute(bounds)
        return True

    def _execute(self, bounds: Bounds) -> None:
        outcome, system = self.outcome, self._system
        source = random.Random(f"{self._seed}:{outcome.executions}")
        sampler = next(self._kinds)(source, self._lengths)
        outcome.executions += 1
        state, did = system.start()
        path: list[tuple[Move, tuple[Did, ...]]] = []
        every = [did]
        counts: dict[int, int] = {}
        failure: Verdict | None = None
        possible: tuple[Move, ...] = ()

        def way(verdict: Verdict = Verdict.ASSERTION) -> Path:
            done = tuple(one for dids in every for one in dids)
            return Path(verdict, _way(path), done)

        see = self._see if self._see is not None else lambda state, way: None
        see(state, way)
        while failure is None and len(path) < bounds.depth:
            moves = system.moves(state)
            if not moves:
                verdict = verdict_at_the_end(system, state)
                outcome.ends += 1
                outcome.endings.note(state, lambda: _way(path))
                if verdict is not Verdict.FINISHED:
                    failure = verdict
                break
            move = sampler.pick(moves)
            state, did = system.take(state, move)
            sampler.made(move, did, moves)
            if path and move.actor != path[-1][0].actor and move in possible:
                outcome.races.between(*path[-1], move, did, lambda: _way(path[:-1]))
            possible = moves
            path.append((move, did))
            every.append(did)
            counts[move.actor] = counts.get(move.actor, 0) + 1
            see(state, way)
            failure = failure_in(state)
        outcome.transitions += len(path)
        outcome.states = outcome.transitions
        outcome.depth = max(outcome.depth, len(path))
        self._lengths.of, self._lengths.whole = counts, len(path)
        if failure is not None:
            outcome.found(way(failure))


def _way(path: list[tuple[Move, tuple[Did, ...]]]) -> tuple[Move, ...]:
    return tuple(move for move, _ in path)
