"""The feeder threads of queues: they move items from the buffer of a process into a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from syncsim.core.atoms import Semaphore
from syncsim.core.operation import Operation, Verb
from syncsim.virtual.model.automaton import Request
from syncsim.virtual.model.data_atoms import UNSENDABLE, Pipe, Thing
from syncsim.virtual.model.states import DROPPED, Did

if TYPE_CHECKING:
    from syncsim.virtual.model.transition import Transition


def feeding(atoms: Sequence[Thing | None]) -> Iterator[tuple[int, int]]:
    """Yield each process with something in the buffer before a pipe, and the pipe."""
    for number, atom in enumerate(atoms):
        if isinstance(atom, Pipe) and (atom.buffered or atom.sending):
            for owner in dict.fromkeys([owner for owner, _ in atom.buffered]):
                yield owner, number


def can_feed(atoms: Sequence[Thing | None], process: int, number: int) -> bool:
    """Return whether the feeder of the process can move something into the pipe."""
    pipe = atoms[number] if number < len(atoms) else None
    if not isinstance(pipe, Pipe) or process in pipe.sending:
        return False
    if pipe.torn and not pipe.drops(process):
        return False  # who has torn it had the put lock
    return any(owner == process for owner, _ in pipe.buffered)


def feed_all(transition: Transition) -> bool:
    """Let all feeders do all their work at once: by the call, they are not seen."""
    fed = False
    for process, pipe in list(feeding(transition.atoms)):
        while can_feed(transition.atoms, process, pipe):
            feed(transition, process, pipe, token=False)
            fed = True
    return fed


def feed(transition: Transition, process: int, number: int, *, token: bool) -> None:
    """Let the feeder move the next item of the process, or drop it."""
    system = transition.system
    pipe = transition.atoms[number]
    assert isinstance(pipe, Pipe)
    feeder = system.feeder(process, number)
    if pipe.drops(process):
        transition.atoms[number] = pipe.dropped(process)
        transition.did.append(Did(feeder, Verb.SEND, number, process, token, DROPPED))
        _give_slot_back(transition, feeder, pipe.next_of(process))
        return
    part = pipe.received + len(pipe.messages)
    transition.atoms[number] = after = pipe.fed(process)
    whole = process not in after.sending
    if not whole and feeder in system.discoveries.killable:
        system.discoveries.truncatable.add(number)
    transition.did.append(Did(feeder, Verb.SEND, number, process, token, part, whole=whole))


def _give_slot_back(transition: Transition, feeder: int, item: bytes) -> None:
    """Release the semaphore of free slots, as a feeder does that cannot pickle an item."""
    name = item.removeprefix(UNSENDABLE).decode()
    operation = Operation(Verb.RELEASE, name)
    number = transition.system.atoms[name]
    slots = transition.atoms[number]
    assert isinstance(slots, Semaphore)
    transition.atoms[number] = slots.apply(operation, feeder)[0]
    request, bounded = Request(operation), slots.is_bounded
    transition.did.append(
        Did(feeder, Verb.RELEASE, number, None, False, slots.value, request, bounded=bounded)
    )
