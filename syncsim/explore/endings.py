"""The ways in which a program ends, however it got there, one execution for each."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from syncsim.core.atoms import Semaphore
from syncsim.core.transition_system import Move
from syncsim.virtual.model.automaton import AutomatonState
from syncsim.virtual.model.data_atoms import Pipe, Thing
from syncsim.virtual.model.states import State

#: So many ways are told apart.
MOST = 100


class Endings:
    """The first execution to each end that differs in who ended how and in what is left over.

    What the memory holds is no difference.
    """

    def __init__(self) -> None:
        self.ways: dict[Hashable, tuple[Move, ...]] = {}
        #: The exit codes of the main process.
        self.exits: set[int] = set()

    def note(self, state: State, way: Callable[[], tuple[Move, ...]]) -> None:
        """An execution ended in that state; that is the way to it."""
        exits = _exit_of_main(state)
        if len(self.ways) < MOST or not self.exits.issuperset(exits):
            left = tuple(map(_who, state.nodes)), tuple(map(_what, state.atoms))
            if left not in self.ways:
                self.ways[left] = way()
        self.exits.update(exits)


def _exit_of_main(state: State) -> tuple[int, ...]:
    """Return the exit code of main, if it has ended."""
    for node in state.nodes:
        if node is not None and node.ended is not None and not node.automaton.seed.key:
            return (node.ended.exitcode,)
    return ()


def _who(node: AutomatonState | None) -> Hashable:
    if node is None:
        return None
    if node.ended is not None:
        return node.ended
    if node.request is None:
        return None  # a server that goes on serving
    operation = node.request.operation
    return operation.verb, operation.atom, operation.site


def _what(atom: Thing | None) -> Hashable:
    match atom:
        case Semaphore():
            return atom.value
        case Pipe():
            return bool(atom.messages), atom.sending, tuple(owner for owner, _ in atom.buffered)
        case _:
            return None
