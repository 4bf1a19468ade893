"""The family of processes, and their ends, in words."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from syncsim.core.atoms import ActorId
from syncsim.core.state import Actor, State


def family(state: State) -> Iterator[tuple[Actor, int]]:
    """Yield everyone with their depth, children (in order of birth) right after their parent."""
    children: dict[ActorId | None, list[Actor]] = {}
    for actor in state.actors:
        children.setdefault(actor.parent, []).append(actor)
    todo = [(actor, 0) for actor in reversed(children.get(None, []))]
    while todo:
        actor, depth = todo.pop()
        yield actor, depth
        todo += [(child, depth + 1) for child in reversed(children.get(actor.id, []))]


def children_of(state: State, actor: Actor) -> tuple[Actor, ...]:
    """Return the processes that the actor has started, in order of birth."""
    return tuple(child for child in state.actors if child.parent == actor.id and not child.thread)


def signal_name(number: int) -> str:
    """Return the name of a signal: ``SIGTERM``; without a name, ``signal 77``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ending(code: int) -> str:
    """Return an exit code with its meaning, where it has one: ``-15: ended by SIGTERM``."""
    if code < 0:
        return f"{code}: ended by {signal_name(-code)}"
    return {0: "0: success", 1: "1: failure"}.get(code, str(code))
