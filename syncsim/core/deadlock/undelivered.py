"""Items that were put into a queue or a pipe and are not going to come out of it, and why."""

from __future__ import annotations

from collections.abc import Iterator

from syncsim.core.atoms import ActorId, Channel
from syncsim.core.kinds import LANES
from syncsim.core.operation import Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.words.listing import listing

#: So many of the items that were left are named.
_MOST = 4


def undelivered(state: State, stuck: tuple[ActorId, ...]) -> Iterator[str]:
    """Yield a sentence for each process that has left something undelivered."""
    for primitive, channel in _pipes(state):
        for actor in state.actors:
            yield from _left_by(actor, primitive, channel, stuck)


def left_over(state: State) -> Iterator[str]:
    """Yield a sentence for each pipe in which there is something when all have ended well."""
    if any(actor.failed or not actor.ended for actor in state.actors):
        return
    for primitive, channel in _pipes(state):
        left = [item.label for item in channel.items if item.number != channel.torn]
        if len(left) > _MOST:
            left[_MOST - 1 :] = [f"{len(left) - _MOST + 1:,} more items"]
        if left:
            yield f"nobody has got {listing(left)} out of {primitive.name}"


def _pipes(state: State) -> Iterator[tuple[Primitive, Channel]]:
    """Yield the channels for items, each with the primitive that it is part of."""
    for primitive in state.primitives.values():
        for role in LANES:
            channel = state.atoms.get(primitive.parts.get(role, ""))
            if isinstance(channel, Channel):
                yield primitive, channel


def _left_by(
    actor: Actor, primitive: Primitive, channel: Channel, stuck: tuple[ActorId, ...]
) -> Iterator[str]:
    name, it = actor.name, primitive.name
    buffered = [item.label for item in channel.buffered if item.sender == actor.id]
    if buffered and actor.ended:
        yield f"{name} ended before {listing(buffered)} reached {it}"
    flushes = actor.pending is not None and actor.pending.verb is Verb.FLUSH
    if flushes and actor.id in stuck and channel.unsent(actor.id):
        yield (
            f"what {name} has put into {it} fills the pipe, so {name} cannot end: "
            f"get it before {name} is joined"
        )
    lost = [item.label for item in channel.lost if item.sender == actor.id]
    if lost:
        yield f"{name} put {listing(lost)} into {it}, and its feeder thread could not send it"
    for item in channel.items:
        if item.number == channel.torn and item.sender == actor.id:
            yield f"{name} ended in the middle of sending {item.label} through {it}"
