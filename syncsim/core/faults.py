"""Faults: what a person may do to a process from outside, as an operator or the kernel would.

They are moves like any other, so that a run in which a process was killed can be replayed;
but only a person or a schedule makes them, never a scheduler.
"""

from __future__ import annotations

from typing import NamedTuple

from syncsim.core.schedule import FAULTS, Choice, Move
from syncsim.core.state import Actor, State


class Fault(NamedTuple):
    """A fault in words: the verb, the signal that does it, and what comes of it."""

    word: str
    signal: str
    effect: str


WORDS = {
    Move.KILL: Fault("kill", "SIGKILL", "gone at once; what it holds is never given back"),
    Move.TERMINATE: Fault("terminate", "SIGTERM", "asked to end; a handler of its own may answer"),
    Move.STOP: Fault("stop", "SIGSTOP", "halts where it is and keeps what it holds"),
    Move.CONTINUE: Fault("continue", "SIGCONT", "goes on where it was stopped"),
}


def possible(state: State) -> tuple[Choice, ...]:
    """Return all faults that may be done now, by process."""
    return tuple(
        Choice(actor.id, move, state.grain)
        for actor in state.actors
        for move in FAULTS
        if not why_not(state, actor, move)
    )


def why_not(state: State, actor: Actor, move: Move) -> str:
    """Return why that fault cannot be done to the actor, as a sentence; empty if it can."""
    if actor.ended:
        return f"{actor.name} has ended."
    if actor.thread:
        process = state.by_pid(str(actor.pid))
        owner = process.name if process is not None else "its process"
        return f"{actor.name} is a thread: signals go to {owner}, the process it belongs to."
    match move:
        case Move.CONTINUE if not actor.stopped:
            return f"{actor.name} is not stopped."
        case Move.STOP if actor.stopped:
            return f"{actor.name} is stopped already."
        case Move.TERMINATE if actor.stopped:
            return f"{actor.name} is stopped: it would notice only when it is continued."
    return ""
