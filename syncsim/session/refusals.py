"""The sentences that answer an order which a run cannot follow."""

from __future__ import annotations

from syncsim.core.atoms import ActorId
from syncsim.core.state import State
from syncsim.core.words.waiting import waiting_for

NO_SUCH_PROCESS = "There is no such process."
IS_OVER = "The run is over: restart it or look back."
NOBODY = "Nobody can go on."


def why_no_step(state: State, number: ActorId) -> str:
    """Return why the actor with that number has no step to make now, as a sentence."""
    if number >= len(state.actors):
        return NO_SUCH_PROCESS
    actor = state.actors[number]
    if actor.ended:
        return f"{actor.name} has ended."
    if actor.stopped:
        return f"{actor.name} is stopped: continue it first."
    wait = waiting_for(state, actor)
    if wait is not None:
        return f"{actor.name} {wait.clause}."
    if actor.left:
        return f"{actor.name} {actor.left}: it has become another program."
    if actor.outside:
        return f"{actor.name} is outside our view: it computes, or waits for something else."
    return f"{actor.name} is running: it has not reached its next operation."
