"""A step: one call, or the part of one that went through, that took effect; and its words.

By the grain of the atoms a step is one operation inside a call; the words for those show how
CPython makes a Condition of four semaphores, and a Queue of a pipe, three locks and a thread.
"""

from __future__ import annotations

from msgspec import Struct

from syncsim.core.managed import SERVED, assignment
from syncsim.core.managed import template as served_template
from syncsim.core.schedule import Move

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
    "Lock.locked": "looks whether {it} is locked: {result}",
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
    "Barrier.read": "looks at {it}: {result}",
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
    "Pool.apply": "has the result of {detail} from {it}: {result}",
    "Pool.apply_async": "hands {detail} to {it}",
    "Pool.map": "has the results of {detail} from {it}: {result}",
    "Pool.starmap": "has the results of {detail} from {it}: {result}",
    "Pool.map_async": "hands {detail} to {it}",
    "Pool.starmap_async": "hands {detail} to {it}",
    "Pool.imap": "hands {detail} to {it}",
    "Pool.imap_unordered": "hands {detail} to {it}",
    "Pool.next": "has the next result of {detail} from {it}: {result}",
    "AsyncResult.get": "has the result of {detail} from {it}: {result}",
    "AsyncResult.wait": "knows that {detail} is done by {it}",
    "AsyncResult.ready": "looks whether {detail} is done by {it}: {result}",
    "Pool.close": "closes {it}: it takes no more tasks",
    "Pool.terminate": "has terminated {it}",
    "Pool.join": "knows that {it} has ended",
    "Pool.get": "begins {result}, a task of {it}",
    "Pool.put": "is done with {detail}, a task of {it}",
    "Pool.fail": "has failed at {detail}, a task of {it}",
    "ProcessPoolExecutor.submit": "hands {detail} to {it}",
    "ProcessPoolExecutor.map": "hands {detail} to {it}",
    "ProcessPoolExecutor.shutdown": "has shut {it} down",
    "ProcessPoolExecutor.get": "begins {result}, a task of {it}",
    "ProcessPoolExecutor.put": "is done with {detail}, a task of {it}",
    "ProcessPoolExecutor.fail": "has failed at {detail}, a task of {it}",
    "ProcessPoolExecutor.leave": "tells {it} that it goes",
    "ProcessPoolExecutor.await": "knows that {it} has ended",
    "Future.result": "has the result of {detail} from {it}: {result}",
    "Future.exception": "has the exception of {detail} from {it}: {result}",
    "Future.done": "looks whether {detail} is done by {it}: {result}",
    "as_completed": "knows that a task of {it} is done",
    "wait": "knows that what it waits for is done by {it}",
    "Process.start": "starts {detail}",
    "Process.join": "joins {detail}",
    "Process.is_alive": "looks whether {detail} is alive: {result}",
    "Process.exitcode": "looks for the exit code of {detail}: {result}",
    "Process.terminate": "terminates {detail}",
    "Process.kill": "kills {detail}",
    "Process.interrupt": "interrupts {detail}",
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
    "Pool.apply": "hands {detail} to {it} and waits for the result",
    "Pool.map": "hands {detail} to {it} and waits for the results",
    "Pool.starmap": "hands {detail} to {it} and waits for the results",
    "Pool.terminate": "terminates {it} and waits until all of it has ended",
    "Pool.join": "waits until all of {it} has ended",
    "Pool.get": "is next in line for a task of {it}",
    "ProcessPoolExecutor.get": "is next in line for a task of {it}",
    "ProcessPoolExecutor.shutdown": "shuts {it} down and waits until all of it has ended",
}

#: A call that gave up: it was a try, or its time ran out.
_IN_VAIN = {
    "acquire": "does not get {it}",
    "Condition.wait": "waited on {it} in vain: its time ran out",
    "Condition.wait_for": "waited on {it} in vain: its time ran out",
    "Event.wait": "goes on although {it} is not set",
    "connection.wait": "finds nothing ready",
    "Process.join": "does not wait any longer for {detail}",
    "AsyncResult.wait": "does not wait any longer for {detail}, a task of {it}",
    "as_completed": "does not wait any longer for the tasks of {it}",
    "wait": "does not wait any longer for the tasks of {it}",
}

#: A worker asks for its next task.
_TAKES = frozenset(("Pool.get", "ProcessPoolExecutor.get"))
#: Calls that give the result of a task of the program, or raise what the task has raised.
_RESULTS = frozenset(
    ("Pool.apply", "Pool.map", "Pool.starmap", "Pool.next", "AsyncResult.get", "Future.result")
)
#: How the name of an exception ends.
_RAISED = ("Error", "Exception", "StopIteration", "BrokenProcessPool")
_INSTEAD = {
    "StopIteration": "finds no more results of {detail} in {it}",
    "TimeoutError": "does not wait any longer for {detail}, a task of {it}",
}


#: One operation on a part of {it}.  Those that can be in vain have a second word for that.
_ATOMS = {
    "acquire lock": "takes the lock inside {it}",
    "release lock": "gives the lock inside {it} back",
    "release sleeping": "is counted among the sleepers of {it}",
    "try sleeping": "takes one off the count of the sleepers of {it}",
    "acquire wait": "wakes up on {it}",
    "try wait": "takes back what would wake a sleeper of {it}",
    "release wait": "wakes one sleeper of {it}",
    "release woken": "reports that it woke up on {it}",
    "acquire woken": "hears that a sleeper of {it} woke up",
    "try woken": "finds a late report that somebody woke up on {it}",
    "try flag": "takes the flag of {it} down",
    "release flag": "puts the flag of {it} up",
    "acquire slots": "takes a slot of {it}",
    "release slots": "gives a slot of {it} back",
    "put items": "lays {detail} into its buffer for {it}",
    "send items": "moves {detail} into the pipe of {it}",
    "send items back": "moves {detail} into the pipe of {it}",
    "receive items": "takes {result} out of the pipe of {it}",
    "receive items back": "takes {result} out of the pipe of {it}",
    "poll items": "looks whether something is in the pipe of {it}: {result}",
    "poll items back": "looks whether something is in the pipe of {it}: {result}",
    "acquire get lock": "takes the get lock of {it}",
    "release get lock": "gives the get lock of {it} back",
    "acquire put lock": "takes the put lock of {it}",
    "release put lock": "gives the put lock of {it} back",
    "release unfinished": "counts one unfinished task of {it} more",
    "try unfinished": "counts one unfinished task of {it} less",
    "value unfinished": "looks how many tasks of {it} are unfinished: {result}",
    "value lock": "looks whether {it} is locked: {result}",
    "value permits": "looks at the permits of {it}: {result}",
    "value slots": "looks how many slots of {it} are left: {result}",
    "read value": "reads {result} from the memory of {it}",
    "write value": "writes {detail} to the memory of {it}",
    "call value": "asks the server that keeps {it}",
    "wake wait": "wakes up on {it}",
    # (What belongs to a job or a worker of a Pool or an executor is on no part of it.)
    "submit": "hands {detail} over to {it}",
    "await": "hears of the result of {detail} from {it}",
    "value": "looks whether {detail} is done by {it}: {result}",
    "acquire send lock": "takes the lock for sending tasks of {it}",
    "release send lock": "gives the lock for sending tasks of {it} back",
    "send tasks": "moves a task into the task pipe of {it}",
    "receive tasks": "takes the next out of the task pipe of {it}",
    "send results": "sends through the result pipe of {it}",
    "shut_down work": "tells {it} to take no more tasks",
    "await worker handler": "hears that the worker handler of {it} has ended",
    "await task handler": "hears that the task handler of {it} has ended",
    "await result handler": "hears that the result handler of {it} has ended",
    "terminate": "terminates {detail}, a worker of {it}",
    "alive": "looks whether {detail}, a worker of {it}, is alive: {result}",
    "join": "joins {detail}, a worker of {it}",
}

_ATOMS_IN_VAIN = {
    "acquire lock": "does not get the lock inside {it}",
    "try sleeping": "finds nobody asleep on {it}",
    "acquire wait": "sleeps on {it} until its time runs out",
    "try wait": "finds nothing left over that would wake a sleeper of {it}",
    "try woken": "finds no late report that somebody woke up on {it}",
    "try flag": "finds the flag of {it} down",
    "acquire slots": "finds no slot of {it} free",
    "acquire get lock": "does not get the get lock of {it}",
    "try unfinished": "finds no unfinished task of {it}",
    "wake wait": "sleeps on {it} until its time runs out",
    "await": "does not wait any longer for {detail}, a task of {it}",
}


class Step(Struct, frozen=True, gc=False):
    """One step of a run, with its result, ready to be shown.

    ``n`` counts from 1.  ``verb`` is the method called (``put``, ``acquire``), ``call`` its
    full name.  ``result`` is text: ``"waits"`` when the call has begun but must wait in the
    middle (``Condition.wait``), ``"is awake"`` when it was notified and now waits for its lock,
    the name of the exception when the call raised one.  ``waited`` is how many steps the
    process had been waiting for this.  ``move`` is set where the step was no call of the
    process, but a fault.  ``operation`` says which operation on which part it was, where the step
    is only that: ``release sleeping`` (``try sleeping`` where it cannot block).
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
    operation: str = ""
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
    if step.operation:
        template = _of_atom(step)
    elif step.result == "is awake":
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
    elif step.call in _TAKES and step.result == "None":
        template = "is told by {it} to end"
    elif step.call in _RESULTS and step.result.isidentifier() and step.result.endswith(_RAISED):
        template = _INSTEAD.get(step.result, "gets {result} instead of the result of {detail}")
    elif _raised(step):
        template = "calls {verb} on {it}: {result}"
    elif step.call == "exit" and step.detail not in ("", "0"):
        template = "ends with exit code {detail}"
    elif step.verb == "value" and call not in _DONE and not served:
        template = "looks at a semaphore of {it}: {result}"  # by what is private to the library
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


def _raised(step: Step) -> bool:
    """Return whether the call raised an exception; that of a handler may have any name."""
    usual = step.result.endswith(("Error", "Empty", "Full", "Interrupt"))
    waited = step.verb == "wait" and step.result not in ("True", "False", "None")
    return step.result.isidentifier() and (usual or waited)


def _of_atom(step: Step) -> str:
    operation = step.operation
    if operation not in _ATOMS:
        operation = operation.replace("try ", "acquire ")
    template = _ATOMS.get(operation, operation + " of {it}")
    if step.result == "False":
        template = _ATOMS_IN_VAIN.get(operation, template)
    # A feeder is in no call; a call of the program stays visible.
    return template if step.complete else f"{template} (in {{verb}})"
