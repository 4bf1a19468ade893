"""The end of a process: the pipe ends that it closes, the feeders that end with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncsim.core.operation import Operation, Verb
from syncsim.virtual.model.automaton import FIRST_PID, Request
from syncsim.virtual.model.data_atoms import Pipe
from syncsim.virtual.model.managed import Referent
from syncsim.virtual.model.managed_object import Died
from syncsim.virtual.model.states import Did

if TYPE_CHECKING:
    from syncsim.virtual.model.system import System
    from syncsim.virtual.model.transition import Transition


def apply_exits(transition: Transition, actor: int) -> None:
    """Take the ended process out of the pipes and of what it sleeps in at a manager."""
    if not (transition.system.pipes or transition.system.kept_by):
        return
    for number, atom in enumerate(transition.atoms):
        if isinstance(atom, Pipe):
            transition.atoms[number] = atom.forgotten(actor)
        elif isinstance(atom, Referent) and actor in atom.asleep:
            transition.atoms[number] = atom.ask(actor, Died()).after


def exit_matters(transition: Transition, actor: int) -> bool:
    """Return whether the end of the process loses something; then it is a step to be ordered."""
    system = transition.system
    discoveries = system.discoveries
    for number, atom in enumerate(transition.atoms):
        if isinstance(atom, Pipe) and atom.unsent(actor):
            discoveries.exit_observed.add(actor)
            discoveries.killable.add(system.feeder(actor, number))
    if _half_open_pipes(transition, actor):
        discoveries.exit_observed.add(actor)
    return actor in discoveries.exit_observed


def closed_ends(
    transition: Transition, actor: int, request: Request
) -> tuple[tuple[int, bool, bool], ...]:
    """Return the ends of pipes that somebody misses after the request: (pipe, reader, writer)."""
    system, operation = transition.system, request.operation
    if operation.verb is Verb.CLOSE:
        assert isinstance(request.payload, tuple)
        number = system.atoms[operation.atom]
        system.discoveries.half_open.add(number)
        return ((number, *request.payload),)
    if operation.verb is Verb.TERMINATE:
        actor = int(operation.atom) - FIRST_PID
    elif operation.verb is not Verb.EXIT:
        return ()
    return tuple(
        (number, actor in pipe.readers, actor in pipe.writers)
        for number, pipe in _half_open_pipes(transition, actor)
    )


def _half_open_pipes(transition: Transition, actor: int) -> list[tuple[int, Pipe]]:
    """Return the pipes open in the process of which somebody has one end alone."""
    half_open = transition.system.discoveries.half_open
    return [
        (number, pipe)
        for number, pipe in enumerate(transition.atoms)
        if isinstance(pipe, Pipe)
        and number in half_open
        and (actor in pipe.readers or actor in pipe.writers)
    ]


def lost_feeders(system: System, process: int) -> tuple[int, ...]:
    """Return the feeders that end with the process, perhaps with something unsent."""
    return tuple(
        feeder
        for (owner, _), feeder in system.feeders.items()
        if owner == process and feeder in system.discoveries.killable
    )


def looks_at_the_rest(system: System, actor: int, lost: tuple[int, ...]) -> list[Did]:
    """Return looks into the pipes that the end of those feeders may have truncated.

    Whether a message is torn depends on what was received before the end.
    """
    looks = []
    for feeder in lost:
        feeds = system.members[feeder].feeds
        assert feeds is not None
        _, pipe = feeds
        if pipe in system.discoveries.truncatable:
            request = Request(Operation(Verb.POLL, system.atom_name(pipe), blocking=False))
            looks.append(Did(actor, Verb.POLL, pipe, True, False, 0, request, helper=True))
    return looks


def slept_in(transition: Transition, actor: int) -> tuple[int, ...]:
    """Return the atoms of managers in which the process sleeps."""
    return tuple(
        number
        for number, atom in enumerate(transition.atoms)
        if isinstance(atom, Referent) and actor in atom.asleep
    )
