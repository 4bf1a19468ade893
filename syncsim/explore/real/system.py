"""A program on real processes as a system of transitions: for what cannot be virtual.

A state is known by the way to it; it is entered by running the program anew and making the same
choices.  Whatever was seen once is kept, so a search pays for each new step only.  This relies on
a program that does the same whenever it is answered the same: each way is compared with what was
seen there before, and one that cannot be found again ends the search of what lies behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import Grain
from syncsim.core.transition_system import Move
from syncsim.explore.dependence.footprints import Names
from syncsim.explore.dependence.relation import JOIN, STEP, Event, Touch, life
from syncsim.explore.real.execution import Execution, RealState
from syncsim.program.source import Program

#: So often a way is tried that cannot be found again.
_TRIES = 3


class Taken(NamedTuple):
    """A state, and the event that led there."""

    state: RealState
    event: Event


_NOTHING = Event(Move(0), (), (), (), False)


def _only_joins(event: Event) -> bool:
    return bool(event.touches) and all(touch.kind == JOIN for touch in event.touches)


class RealSystem:
    """The program on real processes; what was seen of it is kept.

    ``grain`` is at what size it is stepped; ``on_step`` is called before each step.  After
    ``deadline`` (by the monotonic clock) ``OutOfTimeError`` is raised.
    """

    def __init__(
        self,
        program: Program,
        grain: Grain,
        deadline: float,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_step = on_step
        self._program = program
        self._grain = grain
        self._deadline = deadline
        self._names = Names()
        self._at: RealState | None = None  # where the run is
        self._running: Execution | None = None
        #: Which processes might have been next at which primitive, by name.
        self.contested: dict[str, set[str]] = {}
        self._root: RealState | None = None
        #: Processes that somebody may end.
        self.killable: set[int] = set()
        #: Here nothing turns out to be a step that seemed none, and no process is known to have
        #: come back to where it was.
        self.discovered = self.learned = 0
        self.cyclic = False
        #: How often the program was run, how many steps were made, and how many states are known.
        self.runs = 0
        self.steps = 0
        self.states = 0
        #: How many ways could not be found again, and what was done out of our view.
        self.astray = 0
        self.unseen = ""
        #: Whether a process was started, and whether any primitive was touched or one was started.
        self.started = self.touched = False

    def close(self) -> None:
        """End the run."""
        if self._running is not None:
            self._running.close()
        self._running = self._at = None

    # -- as the searches see it ---------------------------------------------------------

    def start(self) -> Taken:
        """The beginning."""
        if self._root is None:
            self._root = self._begin()
            self.states = 1
        return Taken(self._root, _NOTHING)

    def moves(self, state: RealState) -> tuple[Move, ...]:
        """Return what may happen next."""
        return () if state.lost else tuple(state.choices)

    def can(self, state: RealState, move: Move) -> bool:
        """Return whether that may happen next."""
        return not state.lost and move in state.choices

    def can_repeat(self, state: RealState, event: Event) -> bool:
        """Return whether the event may come next, or need not be made.

        A process that ends joins its children, but for those that it finds ended already (for
        which it looks past its gate): to join one of these would do nothing.
        """
        return self.can(state, event.move) or _only_joins(event)

    def take(self, state: RealState, move: Move, expected: Event | None = None) -> Taken:
        """Make the move; return the state after it, and its event."""
        if expected is not None and not self.can(state, move) and _only_joins(expected):
            return Taken(state, expected)
        node = state.after.get(move)
        if node is None:
            node = state.after[move] = self._go(state, move)
            self.states += 1
        event = node.event or Event(move, (), (), (), False)
        if move.actor in self.killable and (event.touches or event.follow):
            event = replace(event, touches=(Touch(life(move.actor), STEP, 0), *event.touches))
        return Taken(node, event)

    def waiting(self, state: RealState) -> tuple[int, ...]:
        """The processes that have not ended."""
        return tuple(state.pending)

    def parent(self, actor: int) -> int | None:
        """Return who has started it."""
        return self._names.parents.get(actor)

    def pending(self, actor: int, state: RealState) -> Event | None:
        """Return what it would do at that end if it could."""
        touches = state.pending.get(actor)
        return None if touches is None else Event(Move(actor), (), touches, (), True)

    def puts_at_start(self) -> Counter[int]:
        """Return nothing: a put is a step here, also before the first choice."""
        return Counter()

    def repeats(self, state: RealState) -> bool:
        """Return whether a new run comes to that state again."""
        self.close()
        if self._enter(state):
            return True
        self.astray += 1
        return False

    # -- running it ---------------------------------------------------------------------

    def _begin(self) -> RealState:
        self.close()
        self.runs += 1
        self._running = Execution(self._program, self._names, self._grain, self._deadline)
        self._running.contested = self.contested
        self._running.unseen = self.unseen
        self._at = self._running.begin()
        return self._at

    def _go(self, before: RealState, move: Move) -> RealState:
        """To what follows that state by that move, for the first time."""
        possible = before.choices.get(move)
        for _ in range(_TRIES if possible else 0):
            try:
                if not self._enter(before):
                    continue
                node = self._step(before, move)
            except DivergenceError:
                self.close()
                continue
            assert self._running is not None
            self.unseen = self.unseen or self._running.unseen
            self._at = node
            return node
        self.astray += 1
        lost = RealState(before, move, possible)
        lost.lost, lost.verdict = True, Verdict.UNDECIDED
        return lost

    def _step(self, before: RealState, move: Move) -> RealState:
        assert self._running is not None
        self._on_step()
        self.steps += 1
        self._at = None
        node = self._running.step(before, move)
        self.killable |= self._running.ended
        self.started = self.started or self._running.started
        self.touched = self.touched or self._running.touched or self.started
        return node

    def _enter(self, state: RealState) -> bool:
        """Bring the run to that state; False if it comes to be another one."""
        way = state.way()
        if self._at in way:
            ahead = way[way.index(self._at) + 1 :]
        else:
            again = self._begin()
            ahead = way[1:]
            if again.signs != way[0].signs:
                self.close()
                return False
        for node in ahead:
            assert node.before is not None
            assert node.move is not None
            if self._step(node.before, node.move).signs != node.signs:
                self.close()
                return False
        self._at = state
        return True
