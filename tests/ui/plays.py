"""Runs of puzzles and small programs in the virtual world, ready to play."""

from __future__ import annotations

from pathlib import Path

from syncsim.core.scheduler import RoundRobin, Scheduler
from syncsim.core.state import State
from syncsim.program.source import Program, load
from syncsim.puzzles.catalogue import find
from syncsim.session.virtual_live import VirtualLive

PROGRAMS = Path(__file__).parent / "programs"

#: The main process starts four children.
START_ALL = (0, 0, 0, 0)


class Play(VirtualLive):
    """A run that a test drives."""

    def __init__(self, program: Program, scheduler: Scheduler | None = None) -> None:
        super().__init__(program, scheduler or RoundRobin())

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


def program(name: str, *arguments: str) -> Program:
    """The program of the puzzle of that name, or the small one."""
    small = PROGRAMS / f"{name}.py"
    return load(small if small.exists() else find(name).program, arguments)


def items_of(state: State) -> str:
    """The pipe of the only queue."""
    (queue,) = state.primitives.values()
    return queue.parts["items"]


def philosophers() -> Play:
    """Four dining philosophers: when each takes the left fork first, nobody eats again.

    ``run(*START_ALL, 1, 2, 3, 4)`` is the deadlock.
    """
    return Play(program("dining-philosophers"))


def producer_consumer() -> Play:
    """Ada fills a shelf with three places, Bob and Cleo empty it."""
    return Play(program("bakery"))


def pool() -> Play:
    """Five friends, three boats."""
    return Play(program("bounded-resource"))


def condition() -> Play:
    """A baker rings for every cake; two guests wait, with an ``if`` instead of a ``while``."""
    return Play(program("if-instead-of-while"))


def event() -> Play:
    """Two divers wait for each other's sign."""
    return Play(program("dive"))


def barrier() -> Play:
    """Three walkers go through a gate together."""
    return Play(program("gate"))


def value() -> Play:
    """Two gatekeepers count on one counter; an update can get lost."""
    return Play(program("counter"))


def lockers(count: int = 16) -> Play:
    """So many processes, each of which keeps taking two of as many locks."""
    return Play(program("lockers", str(count)))


def hostile() -> Play:
    """Names, items and output that would break a careless screen."""
    return Play(program("hostile"))
