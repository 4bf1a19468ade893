"""A step: one call, or the part of one that went through, that took effect; and its words."""

from __future__ import annotations

from msgspec import Struct

from syncsim.core.schedule import Move
from syncsim.core.served import SERVED, assignment
from syncsim.core.served import template as served_template

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
    "Connection.send_bytes": "sends {detail} through {it}",
    "Connection.recv_bytes": "receives {result} from {it}",
    "Connection.poll": "looks whether something has come through {it}: {result}",
    "Value.get": "reads {result} from {it}",
    "Value.set": "writes {detail} to {it}",
    "Value.acquire": "takes the lock of {it}",
    "Value.release": "gives the lock of {it} back",
    "Array.get": "reads {result} from {it}",
    "Array.set": "writes {detail} to {it}",
    "Array.acquire": "takes the lock of {it}",
    "Array.release": "gives the lock of {it} back",
    "RawValue.read": "reads {result} from {it}",
    "RawArray.read": "reads {result} from {it}",
    "RawValue.set": "writes {detail} to {it}",
    "RawArray.get": "reads {result} from {it}[{detail}]",
    "RawArray.set": "writes to {it}: {detail}",
    "ShareableList.get": "reads {result} from {it}[{detail}]",
    "ShareableList.set": "writes to {it}: {detail}",
    "SharedMemory.open": "opens {it}",
    "SharedMemory.close": "closes {it}",
    "SharedMemory.unlink": "unlinks {it}: who has it open keeps it, nobody can open it any more",
    "connection.wait": "finds ready: {result}",
    "Queue.flush": "has flushed {it}",
    "Queue.join": "knows that all tasks of {it} are done",
    "Queue.task_done": "reports a task of {it} done",
    "Process.start": "starts {detail}",
    "Process.join": "joins {detail}",
    "Process.is_alive": "looks whether {detail} is alive: {result}",
    "Process.terminate": "terminates {detail}",
    "Process.kill": "kills {detail}",
    "os.kill": "sends {detail}",
    "Manager.start": "starts the server of a {detail}",
    "Manager.shutdown": "shuts {detail} down",
    "os.fork": "forks by itself: the new process is outside our view",
    "os.forkpty": "forks by itself: the new process is outside our view",
    "os.execv": "becomes {detail} and leaves our view",
    "os.execve": "becomes {detail} and leaves our view",
    "os.posix_spawn": "starts {detail} outside our view",
    "os.posix_spawnp": "starts {detail} outside our view",
    "os.system": "starts {detail} outside our view, and waits for it",
    "subprocess.Popen": "starts {detail} outside our view",
    "exit": "ends",
    "sleep": "sleeps {detail} s",
    "print": "prints {detail}",
}

#: What the person has done to the process.
_FAULTS = {
    Move.KILL: "is killed by the person",
    Move.TERMINATE: "is told by the person to end",
    Move.STOP: "is stopped",
    Move.CONTINUE: "goes on again",
}

#: A call that stopped to wait in the middle.
_BEGUN = {
    "Condition.wait": "gives up the lock of {it} and waits to be notified",
    "Condition.wait_for": "gives up the lock of {it} and waits to be notified",
    "Condition.notify": "notifies {it} and waits until the sleeper is awake",
    "Condition.notify_all": "notifies everyone on {it} and waits until the sleepers are awake",
    "Event.wait": "finds {it} not set and goes to sleep",
    "Event.set": "sets {it} and waits until the sleepers are awake",
    "Queue.put": "finds {it} full and waits",
    "Queue.get": "is next in line to get from {it}",
    "Queue.join": "waits until all tasks of {it} are done",
    "SimpleQueue.get": "is next in line to get from {it}",
    "JoinableQueue.join": "waits until all tasks of {it} are done",
    "JoinableQueue.task_done": "reports a task of {it} done and waits until the sleeper is awake",
    "Barrier.wait": "arrives at {it} and waits for the others",
}

#: A call that gave up: it was a try, or its time ran out.
_IN_VAIN = {
    "acquire": "does not get {it}",
    "Condition.wait": "waited on {it} in vain: its time ran out",
    "Condition.wait_for": "waited on {it} in vain: its time ran out",
    "Event.wait": "goes on although {it} is not set",
    "connection.wait": "finds nothing ready",
    "Process.join": "does not wait any longer for {detail}",
}


class Step(Struct, frozen=True, gc=False):
    """One step of a run, with its result, ready to be shown.

    ``n`` counts from 1.  ``verb`` is the method called (``put``, ``acquire``), ``call`` its
    full name.  ``result`` is text: ``"waits"`` when the call has begun but must wait in the
    middle (``Condition.wait``), ``"is awake"`` when it was notified and now waits for its lock,
    the name of the exception when the call raised one.  ``waited`` is how many steps the
    process had been waiting for this.  ``move`` is set where the step was no call of the
    process, but a fault.
    """

    n: int
    actor: int
    process: str
    pid: int
    call: str
    verb: str
    primitive: str
    kind: str
    result: str
    file: str
    line: int
    function: str
    detail: str
    complete: bool
    waited: int
    move: Move = Move.GO

    @property
    def sentence(self) -> str:
        """The step in words, without its subject, which is the process: "takes forks[2]"."""
        return _sentence(self)


def _sentence(step: Step) -> str:
    it = step.primitive or step.kind or "it"
    if step.move in _FAULTS:
        return _FAULTS[step.move]
    call, served = step.call.removeprefix(SERVED), step.call.startswith(SERVED)
    if step.result == "is awake":
        template = "is awake and waits for the lock of {it}"
    elif not step.complete:
        template = _BEGUN.get(call, "{call} on {it}: waits in the middle")
        if served and step.call.endswith("Queue.get"):
            template = "finds {it} empty and waits"
    elif step.result == "False" and call != "Process.is_alive" and call in _DONE:
        template = _IN_VAIN.get(call) or _IN_VAIN.get(step.verb) or _DONE[call]
    elif step.result == "StopIteration" and served:
        template = "comes to the end of {it}"
    elif step.result in ("Empty", "EOFError") and step.verb in ("get", "recv", "recv_bytes"):
        template = "does not get anything from {it}: {result}"
    elif step.result.isidentifier() and step.result.endswith(("Error", "Empty", "Full")):
        template = "calls {verb} on {it}: {result}"
    elif step.call == "exit" and step.detail not in ("", "0"):
        template = "ends with exit code {detail}"
    else:
        template = _DONE.get(call, "{call} on {it}" if step.primitive else "{call}")
        if served and call not in _DONE:
            template = served_template(call.rpartition(".")[0], step.verb)
    first, second = assignment(step.detail)
    return template.format(
        it=it,
        call=step.call,
        verb=step.verb,
        detail=step.detail,
        result=step.result,
        first=first,
        second=second,
    )
