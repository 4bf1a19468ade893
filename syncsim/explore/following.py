"""Following a run of real processes in the virtual world, choice by choice.

The other way round than ``worker.schedule_of``: there the choices come from what was done, here
what was done comes from the choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from syncsim.core.operation import Verb
from syncsim.core.schedule import Choice, Grain
from syncsim.core.schedule import Move as Happens
from syncsim.core.transition_system import Move
from syncsim.virtual.model.data_atoms import Pipe
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System

#: Nobody is in the middle of sending.
_NONE: Mapping[int, int] = MappingProxyType({})


class Position(NamedTuple):
    """The position of a followed run."""

    state: State
    who: tuple[int, ...]
    """The actor of the system that each number of the real world stands for."""
    sending: Mapping[int, int] = _NONE
    """How far each feeder is that has taken the put lock: 1, or 2 with its item on its way."""
    unseen: bool = False
    """Whether something was put by the call, so that a feeder has no number yet."""


class Follower:
    """Follows the choices of a person in a system."""

    def __init__(self, system: System) -> None:
        self._systems = {
            Grain.CALL: system.stepwise(by_call=True),
            Grain.ATOM: system.stepwise(by_call=False),
        }

    def start(self) -> Position:
        """The beginning of a run."""
        state, did = self._systems[Grain.ATOM].start()
        return self._counted(Position(state, ()), did, Grain.ATOM)

    def after(self, place: Position, choice: Choice) -> Position | None:
        """Where that choice leads; None where it cannot be followed."""
        if choice.move.is_fault or choice.actor >= len(place.who):
            return None
        if place.unseen and choice.grain is Grain.ATOM:
            return None
        place = self._adapted(place, choice.grain)
        system, actor = self._systems[choice.grain], place.who[choice.actor]
        if choice.grain is Grain.ATOM and system.members[actor].feeds is not None:
            stage = place.sending.get(actor, 0)
            if stage or not self._drops(place, actor):
                sending = {**place.sending, actor: (stage + 1) % 3}
                place = place._replace(sending=sending)
                if stage != 1:  # it takes the lock, or gives it back
                    return place
        move = Move(actor, choice.move is Happens.TIME_OUT)
        if not system.can(place.state, move):
            return None
        state, did = system.follow(place.state, move)
        return self._counted(place._replace(state=state), did, choice.grain)

    def choices(self, place: Position, grain: Grain) -> tuple[Choice, ...] | None:
        """Return the choices that are possible next; None where that cannot be said."""
        if place.unseen and grain is Grain.ATOM:
            return None
        place = self._adapted(place, grain)
        system, found = self._systems[grain], []
        for actor, times_out in system.moves(place.state):
            if system.members[actor].feeds is None and not self._flushes(place, actor):
                happens = Happens.TIME_OUT if times_out else Happens.GO
                found.append(Choice(place.who.index(actor), happens, grain))
        if grain is Grain.ATOM:
            found += self._feeding(place)
        return tuple(sorted(found))

    def _feeding(self, place: Position) -> list[Choice]:
        system, found = self._systems[Grain.ATOM], []
        taken = {
            feeds[1]
            for actor, stage in place.sending.items()
            if stage and (feeds := system.members[actor].feeds) is not None
        }
        for number, actor in enumerate(place.who):
            feeds = system.members[actor].feeds
            if feeds is None:
                continue
            process, at = feeds
            pipe = place.state.atoms[at]
            assert isinstance(pipe, Pipe)
            match place.sending.get(actor, 0):
                case 0:
                    free = at not in taken or self._drops(place, actor)
                    goes = free and any(who == process for who, _ in pipe.buffered)
                case 1:
                    goes = True
                case _:
                    goes = process not in pipe.sending
            if goes and not self._has_ended(place, process):
                found.append(Choice(number, grain=Grain.ATOM))
        return found

    def _drops(self, place: Position, feeder: int) -> bool:
        """Return whether the feeder drops an item next, for which it needs no lock."""
        feeds = self._systems[Grain.ATOM].members[feeder].feeds
        assert feeds is not None
        process, at = feeds
        pipe = place.state.atoms[at]
        return isinstance(pipe, Pipe) and pipe.drops(process)

    def _flushes(self, place: Position, actor: int) -> bool:
        """Return whether the actor waits until its feeder has given the put lock back."""
        system = self._systems[Grain.ATOM]
        request = system.request(place.state, actor)
        return (
            request is not None
            and request.operation.verb is Verb.FLUSH
            and any(
                stage and system.members[feeder].feeds == (actor, at)
                for feeder, stage in place.sending.items()
                for at in (system.atoms[request.operation.atom],)
            )
        )

    def _has_ended(self, place: Position, process: int) -> bool:
        node = place.state.nodes[process]
        return node is None or node.ended is not None

    def _adapted(self, place: Position, grain: Grain) -> Position:
        """By the call, what is inside the calls follows by itself."""
        if grain is Grain.ATOM:
            return place
        state, did = self._systems[grain].settled(place.state)
        return self._counted(place._replace(state=state), did, grain) if did else place

    def _counted(self, place: Position, did: tuple[Did, ...], grain: Grain) -> Position:
        """With those who were born meanwhile."""
        who, unseen = list(place.who), place.unseen
        for one in did:
            if one.verb is Verb.BORN:
                who.append(one.actor)
            elif one.verb is Verb.PUT:
                feeder = self._systems[grain].feeder(one.actor, one.atom)
                if grain is Grain.CALL:
                    unseen = unseen or feeder not in who
                elif feeder not in who:
                    who.append(feeder)
        return place._replace(who=tuple(who), unseen=unseen)
