"""The two bodies of ``View``: a state of the virtual world, and one of the real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from syncsim.core.atoms import Cell, Channel, Semaphore
from syncsim.core.state import Primitive
from syncsim.core.state import State as RealState
from syncsim.core.transition_system import Move
from syncsim.explore.properties.properties import NotYetError, PropertyError, View, Who, value_of
from syncsim.virtual.model.data_atoms import Gone, Pipe, SharedMemory
from syncsim.virtual.model.managed import Referent
from syncsim.virtual.model.states import PlaceOfData, State
from syncsim.virtual.model.system import System


class VirtualView(View):
    """A state of the virtual world; ``state`` may be another one at each look.

    ``functions`` and ``people`` are those that were asked for, and ``met`` the functions and
    processes that were come across.
    """

    def __init__(self, system: System) -> None:
        self.state = State((), ())
        self.functions: set[str] = set()
        self.people: set[str] = set()
        self.met: set[str] = set()
        self._system = system

    def inside(self, function: str, process: str | None = None) -> int:
        """Answer as a ``View`` does, and keep in mind what was asked for."""
        self.functions.add(function)
        if process is not None:
            self.people.add(process)
        found = super().inside(function, process)
        if found:
            self.met.add(function)
        return found

    def _who(self) -> Iterator[Who]:
        members = self._system.members
        for number, node in enumerate(self.state.nodes):
            automaton = members[number].automaton
            if node is not None and automaton is not None:
                code = node.ended.exitcode if node.ended is not None else None
                yield Who(number, automaton.seed.name, code, node.ended is not None)

    def _stack(self, number: int) -> tuple[str, ...]:
        node = self.state.nodes[number]
        return node.request.stack if node is not None and node.request is not None else ()

    def _primitives(self) -> Iterator[Primitive]:
        for named in self._system.named.values():
            for one in named.values():
                if all(self._atom(atom) is not None for atom in one.parts.values()):
                    if len(named) > 1:
                        names = " and ".join(sorted(named))
                        raise PropertyError(f"{names} are one and the same, depending on the run")
                    yield one

    def _atom(self, name: str) -> Any:
        atoms, at = self.state.atoms, self._system.atoms[name]
        return atoms[at] if at < len(atoms) else None

    def _last(self, name: str) -> Any:
        """The atom, also when it is gone with the server of a manager."""
        found = self._atom(name)
        return found.last if isinstance(found, Gone) else found

    def _semaphore(self, atom: str) -> Semaphore:
        found = self._last(atom)
        assert isinstance(found, Semaphore)
        return found

    def _held_by(self, atom: str) -> tuple[int, ...]:
        if PlaceOfData.HOLDERS not in self._system.discoveries.places:
            self._keep(PlaceOfData.HOLDERS)
        found = self._last(atom)
        return found.holders if isinstance(found, Semaphore) else ()

    def _content(self, atom: str) -> Any:
        found = self._last(atom)
        if isinstance(found, Referent):
            return _told(found.text)
        assert isinstance(found, SharedMemory)
        value = found.value
        if not isinstance(value, tuple):
            return value
        if value and all(isinstance(one, bytes) for one in value):
            return b"".join(value).partition(b"\0")[0]  # as ctypes shows characters
        return list(value)

    def _items(self, atom: str) -> tuple[Any, ...]:
        pipe = self._pipe(atom)
        return self._shown((*pipe.messages, *(message for _, message in pipe.buffered)))

    def _received(self, atom: str) -> tuple[Any, ...]:
        history = self._pipe(atom).history
        if history is None:
            self._keep(PlaceOfData.HISTORY)
        return self._shown(history or ())

    def _pipe(self, atom: str) -> Pipe:
        found = self._atom(atom)
        assert isinstance(found, Pipe)
        return found

    def _shown(self, messages: Iterable[bytes]) -> tuple[Any, ...]:
        labels = self._system.labels
        return tuple(value_of(labels[message]) for message in messages)

    def _keep(self, what: PlaceOfData) -> None:
        """The states have to hold more: the search sees that and begins again."""
        self._system.keep(what)
        raise NotYetError(what)

    def _blocked(self, primitive: Primitive) -> Iterator[int]:
        system, state = self._system, self.state
        for number in system.waiting(state):
            request = system.request(state, number)
            at_it = request is not None and request.operation.primitive == primitive.id
            if at_it and not system.can(state, Move(number)):
                yield number


class RealView(View):
    """A state of the real processes.

    ``stack_of`` asks a process for the functions that it is inside of; ``received`` is what was
    ever taken out of each channel, as labels.
    """

    def __init__(
        self,
        state: RealState,
        stack_of: Callable[[int], tuple[str, ...]],
        received: Mapping[str, Sequence[str]],
    ) -> None:
        self._state = state
        self._stack_of = stack_of
        self._history = received

    def _who(self) -> Iterator[Who]:
        for actor in self._state.actors:
            if not actor.library:
                yield Who(actor.id, actor.name, actor.exitcode, actor.ended)

    def _stack(self, number: int) -> tuple[str, ...]:
        return self._stack_of(number)

    def _primitives(self) -> Iterable[Primitive]:
        return self._state.primitives.values()

    def _semaphore(self, atom: str) -> Semaphore:
        found = self._state.atoms[atom]
        assert isinstance(found, Semaphore)
        return found

    def _held_by(self, atom: str) -> tuple[int, ...]:
        found = self._state.atoms.get(atom)
        return found.holders if isinstance(found, Semaphore) else ()

    def _content(self, atom: str) -> Any:
        found = self._state.atoms[atom]
        assert isinstance(found, Cell)
        return _told(found.value)

    def _items(self, atom: str) -> tuple[Any, ...]:
        found = self._state.atoms[atom]
        assert isinstance(found, Channel)
        return tuple(value_of(item.label) for item in (*found.items, *found.buffered))

    def _received(self, atom: str) -> tuple[Any, ...]:
        return tuple(map(value_of, self._history.get(atom, ())))

    def _blocked(self, primitive: Primitive) -> Iterator[int]:
        return (actor.id for actor in self._state.waiting(primitive))


def _told(text: str) -> Any:
    """Return the value that the text stands for, which is all that is known of it."""
    value = value_of(text)
    if isinstance(value, str) and value == text:  # a text would be in quotes
        raise PropertyError(f"of what is there only {value} is known")
    return value
