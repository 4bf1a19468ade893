"""What happened, and who waits for what, in words a student understands.

Short, present tense, the process is the subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncsim.core.atoms import ActorId, Semaphore
from syncsim.core.operation import Verb
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.step import Step

#: A call that went through, with {it} the primitive, {detail} the argument, {result} the result.
_DONE = {
    "Lock.acquire": "takes {it}",
    "Lock.release": "gives {it} back",
    "RLock.acquire": "takes {it}",
    "RLock.release": "gives {it} back",
    "Semaphore.acquire": "takes a permit of {it}",
    "Semaphore.release": "gives a permit of {it} back",
    "BoundedSemaphore.acquire": "takes a permit of {it}",
    "BoundedSemaphore.release": "gives a permit of {it} back",
    "Semaphore.get_value": "sees {result} permits of {it}",
    "BoundedSemaphore.get_value": "sees {result} permits of {it}",
    "Condition.acquire": "takes the lock of {it}",
    "Condition.release": "gives the lock of {it} back",
    "Condition.wait": "is awake again and has the lock of {it}",
    "Condition.wait_for": "has what it waited for on {it}",
    "Condition.notify": "notifies {it}",
    "Condition.notify_all": "notifies everyone on {it}",
    "Event.set": "sets {it}",
    "Event.clear": "clears {it}",
    "Event.wait": "goes on: {it} is set",
    "Event.is_set": "looks whether {it} is set: {result}",
    "Barrier.wait": "passes {it}",
    "Queue.put": "puts {detail} into {it}",
    "Queue.get": "gets {result} from {it}",
    "Queue.empty": "looks whether {it} is empty: {result}",
    "Queue.full": "looks whether {it} is full: {result}",
    "Queue.qsize": "counts the items of {it}: {result}",
    "JoinableQueue.put": "puts {detail} into {it}",
    "JoinableQueue.get": "gets {result} from {it}",
    "JoinableQueue.task_done": "reports a task of {it} done",
    "JoinableQueue.join": "knows that all tasks of {it} are done",
    "SimpleQueue.put": "puts {detail} into {it}",
    "SimpleQueue.get": "gets {result} from {it}",
    "Connection.send": "sends {detail} through {it}",
    "Connection.recv": "receives {result} from {it}",
    "Value.get": "reads {result} from {it}",
    "Value.set": "writes {detail} to {it}",
    "Value.acquire": "takes the lock of {it}",
    "Value.release": "gives the lock of {it} back",
    "Array.get": "reads {result} from {it}",
    "Array.set": "writes {detail} to {it}",
    "Array.acquire": "takes the lock of {it}",
    "Array.release": "gives the lock of {it} back",
    "Queue.flush": "has flushed {it}",
    "Process.start": "starts {detail}",
    "Process.join": "joins {detail}",
    "Process.is_alive": "looks whether {detail} is alive: {result}",
    "Process.terminate": "terminates {detail}",
    "Process.kill": "kills {detail}",
    "exit": "ends",
    "sleep": "sleeps {detail} s",
    "print": "prints {detail}",
}

#: A call that stopped to wait in the middle.
_BEGUN = {
    "Condition.wait": "gives up the lock of {it} and waits to be notified",
    "Condition.wait_for": "gives up the lock of {it} and waits to be notified",
    "Condition.notify": "notifies {it} and waits until the sleeper is awake",
    "Condition.notify_all": "notifies everyone on {it} and waits until the sleepers are awake",
    "Event.wait": "finds {it} not set and goes to sleep",
    "Event.set": "sets {it} and waits until the sleepers are awake",
    "Queue.get": "is next in line to get from {it}",
    "Barrier.wait": "arrives at {it} and waits for the others",
}

#: A call that gave up: it was a try, or its time ran out.
_IN_VAIN = {
    "acquire": "does not get {it}",
    "Condition.wait": "waited on {it} in vain: its time ran out",
    "Condition.wait_for": "waited on {it} in vain: its time ran out",
    "Event.wait": "goes on although {it} is not set",
    "Process.join": "does not wait any longer for {detail}",
}


def sentence(step: Step) -> str:
    """The step as a clause without its subject: "takes forks[2]"."""
    it = step.primitive or step.kind or "it"
    if not step.complete:
        template = _BEGUN.get(step.call, "{call} on {it}: waits in the middle")
    elif step.result == "False" and step.call != "Process.is_alive" and step.call in _DONE:
        template = _IN_VAIN.get(step.call) or _IN_VAIN.get(step.verb) or _DONE[step.call]
    elif step.result.endswith(("Error", "Empty", "Full")) and step.verb not in (
        "get",
        "recv",
    ):
        template = "calls {verb} on {it}: {result}"
    elif step.result in ("Empty", "Full"):
        template = "does not get anything from {it}: {result}"
    elif step.call == "exit" and step.detail not in ("", "0"):
        template = "ends with exit code {detail}"
    else:
        template = _DONE.get(step.call, "{call} on {it}" if step.primitive else "{call}")
    return template.format(
        it=it, call=step.call, verb=step.verb, detail=step.detail, result=step.result
    )


def names(state: State, actors: Sequence[ActorId]) -> str:
    """The actors' names as an English list."""
    return listing([state.actors[actor].name for actor in dict.fromkeys(actors)])


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


class Wait:
    """What a blocked actor waits for: the thing, on whom, and the whole as a clause."""

    __slots__ = ("clause", "on", "what")

    def __init__(self, what: str, clause: str, on: tuple[ActorId, ...] = ()) -> None:
        self.what = what
        self.clause = clause
        self.on = on


def waiting_for(state: State, actor: Actor) -> Wait | None:
    """What the actor waits for and on whom; None where its pending operation may go."""
    operation = actor.pending
    if operation is None or state.enabled(actor):
        return None
    if operation.verb is Verb.JOIN:
        target = state.by_pid(operation.atom)
        name = target.name if target else operation.detail
        ending = (target.id,) if target else ()
        return Wait(name, f"waits for {name} to end", ending)
    primitive = state.primitives.get(operation.primitive)
    if primitive is None:
        return Wait(operation.call, f"waits in {operation.call}")
    it = primitive.name
    on, clause = _waiting_at(state, actor, primitive)
    return Wait(it, clause.replace("{it}", it), on)


def _waiting_at(
    state: State, actor: Actor, primitive: Primitive
) -> tuple[tuple[ActorId, ...], str]:
    operation = actor.pending
    assert operation is not None
    role = operation.role
    atom = state.atoms.get(operation.atom)
    held: tuple[ActorId, ...] = ()
    if role in primitive.parts:
        held = state.holders(primitive, role)
    by = ""
    if held:
        dead = [h for h in held if state.actors[h].ended]
        by = f", held by {names(state, held)}" + (
            " (who has ended)" if len(dead) == len(set(held)) else ""
        )
    match primitive.kind, role:
        case (_, "items") if operation.verb is Verb.FLUSH:
            return (), "waits to flush {it}: its items do not fit into the pipe"
        case ("Queue" | "JoinableQueue", "slots"):
            return (), "waits for {it}: the queue is full"
        case ("Queue" | "JoinableQueue" | "SimpleQueue" | "Pipe", "items"):
            return (), "waits for {it}: it is empty"
        case ("Queue" | "JoinableQueue" | "SimpleQueue", "get lock"):
            before = f"{names(state, held)} is before it in line" if held else "not its turn"
            return held, "waits for {it}: " + before
        case ("Condition", "wait"):
            return (), "waits on {it} until it is notified"
        case ("Event", "wait"):
            return (), "waits for {it} to be set"
        case ("Barrier", "wait"):
            return (), "waits at {it} for the others"
        case (_, "woken"):
            sleepers = tuple(
                other.id
                for other in state.actors
                if other.id != actor.id
                and other.pending is not None
                and other.pending.primitive == primitive.id
                and other.pending.role == "wait"
            )
            return sleepers, "waits until the sleeper on {it} is awake"
        case ("Lock" | "RLock", _):
            return held, "waits for {it}" + by
        case ("Semaphore" | "BoundedSemaphore", _):
            if isinstance(atom, Semaphore) and not atom.resource:
                return (), "waits for a permit of {it}: there is none"
            return held, "waits for a permit of {it}" + by
        case _:
            return held, "waits for the lock of {it}" + by


def what_it_does(state: State, actor: Actor) -> str:
    """The pending operation in words: "acquire forks[2]", "put 7 into slots"."""
    operation = actor.pending
    if operation is None:
        return ""
    primitive = state.primitives.get(operation.primitive)
    verb = operation.call.rpartition(".")[2] or str(operation.verb)
    if primitive is None:
        return f"{verb} {operation.detail}".strip()
    if operation.role == "wait" and state.enabled(actor):
        return f"wake from {primitive.name}"
    if operation.detail:
        return f"{verb} {operation.detail} → {primitive.name}"
    return f"{verb} {primitive.name}"
