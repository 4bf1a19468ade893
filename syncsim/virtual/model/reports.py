"""The reports of a step beside its effect: what comes up for the system, and for a search.

A node tells what it is going to look at, an event which primitives there are now.  Where threads
of the library run beside a process, a step also tells which outcomes they settled or looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncsim.core.atoms import Semaphore
from syncsim.core.operation import Verb
from syncsim.virtual.model.automaton import (
    AWAITED,
    FIRST_PID,
    AutomatonState,
    Event,
    Look,
    Looked,
    Made,
    Meddled,
    Noted,
    Over,
    Request,
)
from syncsim.virtual.model.data_atoms import Alias, Lent, Pipe, SharedMemory
from syncsim.virtual.model.enabled import would_go
from syncsim.virtual.model.managed import Referent
from syncsim.virtual.model.states import Did, PlaceOfData

if TYPE_CHECKING:
    from syncsim.virtual.model.system import System
    from syncsim.virtual.model.transition import Transition

#: Verbs that concern one process alone, and no atom (atomless).
ATOMLESS = frozenset((Verb.OUTPUT, Verb.SLEEP, Verb.EXIT))
#: Verbs that touch one atom at most, and no life or pipe (private): the outcome of such a step
#: hangs on the value of that atom alone.
PRIVATE = ATOMLESS | {Verb.ACQUIRE, Verb.RELEASE, Verb.READ, Verb.WRITE, Verb.VALUE}


def meet(system: System, node: AutomatonState) -> None:
    """Get to know a node: its atom, and what its process looks at."""
    request = node.request
    if request is None:
        return
    operation = request.operation
    verb = operation.verb
    if request.beside:
        system.helped = True
    if node.atom < 0 and verb in PRIVATE and verb not in ATOMLESS and request.ready is None:
        node.atom = system.atoms[operation.atom]
        node.always = verb is not Verb.ACQUIRE or not operation.blocking
        node.simple = not (system.by_call or request.silent or request.beside)
    if verb is Verb.ALIVE and operation.call != AWAITED:
        system.discoveries.exit_observed.add(int(operation.atom) - FIRST_PID)
    if request.silent:
        return
    if operation.call == "Barrier.read":
        system.discoveries.read_unlocked.add(system.atoms[operation.atom])
    if verb is Verb.JOIN:
        target = int(operation.atom) - FIRST_PID
        if operation.can_time_out:
            system.discoveries.exit_observed.add(target)
        else:
            node.joins = target
    elif verb is Verb.TERMINATE:
        target = int(operation.atom) - FIRST_PID
        system.discoveries.exit_observed.add(target)
        system.discoveries.killable.add(target)


def create(transition: Transition, actor: int, event: Made) -> None:
    """Add the atoms of a primitive that the process has made."""
    system, primitive = transition.system, event.primitive
    system.named.setdefault(primitive.id, {})[primitive.name] = primitive
    contents = dict(event.contents)
    for name, atom in event.atoms:
        number = system.atom(name)
        system.primitives.setdefault(number, primitive)
        while len(transition.atoms) <= number:
            transition.atoms.append(None)
        content = contents.get(name, atom)
        if isinstance(content, Lent):
            if isinstance(content.content, Alias):
                system.atoms[name] = system.atoms[content.content.of]
                continue
            system.kept_by[number] = content.server - FIRST_PID
            content = content.content or atom
        if isinstance(content, Pipe):
            system.pipes = True
            content = content.opened(actor, writer=True, reader=True)
            if PlaceOfData.HISTORY in system.discoveries.places:
                content = replace(content, history=())
        elif (
            isinstance(content, Semaphore) and PlaceOfData.HOLDERS not in system.discoveries.places
        ):
            # Who holds it matters to a recursive one alone; else it is for show.
            content = replace(content, resource=content.recursive)
        if isinstance(content, Semaphore | Pipe | SharedMemory | Referent):
            transition.atoms[number] = content


def settled(system: System, events: tuple[Event, ...]) -> tuple[int, ...]:
    """Return the outcomes that are there after the events."""
    names = []
    for event in events:
        if isinstance(event, Over):
            names.append(event.outcome)
        elif isinstance(event, Noted) and event.settles:
            names.append(event.operation.atom)
    return tuple(system.atom(name) for name in names)


def looked(system: System, events: tuple[Event, ...]) -> tuple[tuple[int, Look], ...]:
    """Return the outcomes at which somebody looks in the events."""
    return tuple(
        (system.atom(event.outcome), event.look) for event in events if type(event) is Looked
    )


def meddles(transition: Transition, actor: int, verb: Verb, events: tuple[Event, ...]) -> bool:
    """Return whether a thread of the library runs the program's code, now that it may go on."""
    # (Once its pipe has room, the one for tasks may ask the program for the next.)
    # A child that one of them starts gets what is in the memory just then.
    runs = (
        verb is Verb.START
        or any(type(event) is Meddled for event in events)
        or (
            verb is Verb.SENT
            and not any(did.helper and did.verb is Verb.SEND for did in transition.did)
        )
    )
    if runs:
        transition.system.discoveries.killable.add(actor)
    return runs


def missed_tries(
    transition: Transition, actor: int, before: Request | None, request: Request
) -> list[Did]:
    """Return the tries of library threads to take a lock for which they have to wait now."""
    tries = []
    for asking in request.beside:
        _, asked = asking
        if (
            asked.operation.verb is Verb.ACQUIRE
            and (before is None or asking not in before.beside)
            and not would_go(transition, actor, asked)
        ):
            number = transition.system.atoms[asked.operation.atom]
            tries.append(Did(actor, Verb.ACQUIRE, number, False, False, 0, asked, helper=True))
    return tries
