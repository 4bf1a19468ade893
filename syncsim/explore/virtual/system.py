"""The virtual body of ``TransitionSystem``: a program in the virtual world, in events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from weakref import WeakKeyDictionary

from syncsim.core.transition_system import Move
from syncsim.explore.dependence.relation import Event
from syncsim.explore.virtual.events import event_of, pending_event, puts
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System

#: So many events are remembered by what was done.
_MOST_EVENTS = 100_000


class _Events:
    """The events of steps, each made once: the system often says the very same of one."""

    def __init__(self, system: System) -> None:
        self._killable = system.discoveries.killable
        self.discovered = system.discovered
        self._by_did: dict[int, Event] = {}

    def of(self, move: Move, did: tuple[Did, ...]) -> Event:
        """Return the event of that step."""
        event = self._by_did.get(id(did))
        if event is None or event.did is not did:
            event = event_of(move, did, self._killable)
            if len(self._by_did) > _MOST_EVENTS:
                self._by_did.clear()
            self._by_did[id(did)] = event
        return event


_events: WeakKeyDictionary[System, _Events] = WeakKeyDictionary()


def _events_of(system: System) -> _Events:
    """Return the events of the system's steps, as long as nothing new is discovered in it."""
    events = _events.get(system)
    if events is None or events.discovered != system.discovered:
        events = _events[system] = _Events(system)
    return events


class VirtualSystem:
    """A system of the virtual world, as a search by executions walks it."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.moves = system.moves
        self.can = system.can
        self.waiting = system.waiting
        self._events = _events_of(system)

    @property
    def discovered(self) -> int:
        """Return how many facts are known that restart a search."""
        return self.system.discovered

    @property
    def learned(self) -> int:
        """Return how many steps were new to the system."""
        return self.system.learned

    @property
    def killable(self) -> Collection[int]:
        """Return the actors that may be ended by others."""
        return self.system.discoveries.killable

    @property
    def cyclic(self) -> bool:
        """Return whether a process is known to come back to where it was."""
        return self.system.body_cache.cyclic

    def start(self) -> tuple[State, Event]:
        """Return the initial state, and what was done to get there."""
        state, did = self.system.start()
        return state, Event(Move(0), did, (), (), False)

    def take(self, state: State, move: Move, expected: Event | None = None) -> tuple[State, Event]:
        """Make the move; return the state after it, and its event."""
        state, did = self.system.take(state, move)
        return state, self._events.of(move, did)

    def can_repeat(self, state: State, event: Event) -> bool:
        """Return whether the event may come next in the state."""
        return self.can(state, event.move)

    def pending(self, actor: int, state: State) -> Event | None:
        """Return the event that the actor waits for; None for one that waits for nothing."""
        system = self.system
        request = system.request(state, actor)
        if request is None and system.members[actor].feeds is None:
            return None
        return pending_event(actor, request, system.atoms)

    def parent(self, actor: int) -> int | None:
        """Return the process that has started the actor."""
        return self.system.members[actor].parent

    def puts_at_start(self) -> Counter[int]:
        """Return how often something was put into each buffer before the first move."""
        return puts(self.system.start().did)
