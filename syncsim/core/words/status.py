"""The status of a process in one word; the same words on every screen and in JSON."""

from __future__ import annotations

from enum import StrEnum

from syncsim.core.state import Actor, Life, State


class Status(StrEnum):
    """The states of a process, as shown."""

    STARTING = "starting"
    RUNS = "runs"
    READY = "ready"
    WAITS = "waits"
    STUCK = "stuck"
    STOPPED = "stopped"
    OUTSIDE = "outside"
    SERVES = "serves"
    DONE = "done"
    ZOMBIE = "zombie"
    CRASHED = "crashed"
    KILLED = "killed"


def status(state: State, actor: Actor, stuck: tuple[int, ...] = ()) -> Status:
    """Return the status of the actor; ``stuck`` are those who wait for ever (from a diagnosis)."""
    if actor.ended:
        if actor.error:
            return Status.CRASHED
        if actor.signalled:
            return Status.KILLED
        return Status.DONE if actor.reaped or actor.is_main or actor.thread else Status.ZOMBIE
    if actor.stopped:
        return Status.STOPPED
    if actor.id in stuck:
        return Status.STUCK
    if actor.serves:
        return Status.SERVES
    if actor.outside:
        return Status.OUTSIDE
    if actor.life is Life.STARTING:
        return Status.STARTING
    if actor.pending is None:
        return Status.WAITS if actor.rests else Status.RUNS
    return Status.READY if state.enabled(actor) else Status.WAITS


class Activity(StrEnum):
    """The activity of a process at a step, for the timeline."""

    WORKING = "working"
    HOLDING = "holding"  # holds something while it waits
    WAITING = "waiting"
    ABSENT = "absent"


def activity(state: State, actor: Actor) -> Activity:
    """Return the actor's texture in the timeline."""
    if actor.ended or actor.life is Life.STARTING:
        return Activity.ABSENT
    if actor.serves or actor.rests:
        return Activity.WAITING
    if not actor.stopped and not state.blocked(actor):
        return Activity.WORKING
    return Activity.HOLDING if state.holdings(actor) else Activity.WAITING
