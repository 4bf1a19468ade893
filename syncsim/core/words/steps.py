"""A step in words: what the process did, without its subject ("takes forks[2]").

By the grain of the atoms a step is one operation inside a call; the words for those show how
CPython makes a Condition of four semaphores, and a Queue of a pipe, three locks and a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from syncsim.core.calls import CALLS, GIVES_A_RESULT
from syncsim.core.kinds import MANAGED
from syncsim.core.outcomes import OF_A_TASK, Outcome
from syncsim.core.schedule import Move
from syncsim.core.words.managed import assignment, template

if TYPE_CHECKING:
    from syncsim.core.steps import Step

#: What the person has done to the process.
_FAULTS: Final = {
    Move.KILL: "is killed by the person",
    Move.TERMINATE: "is told by the person to end",
    Move.STOP: "is stopped",
    Move.CONTINUE: "goes on again",
}

#: One operation on a part of {it}.  Those that can be in vain have a second word for that.
ATOMS: Final = {
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

ATOMS_IN_VAIN: Final = {
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

#: The words where a task has no result, by the exception.
_NO_RESULT: Final = {
    "StopIteration": "finds no more results of {detail} in {it}",
    "TimeoutError": "does not wait any longer for {detail}, a task of {it}",
}


def sentence(step: Step) -> str:
    """Return the step in words, without its subject, which is the process."""
    fault = _FAULTS.get(step.move)
    if fault is not None:
        return fault
    words = _of_an_operation(step) if step.operation else _BY_OUTCOME[step.outcome](step)
    first, second = assignment(step.detail)
    return words.format(
        it=step.primitive or step.kind or "it",
        call=step.call,
        verb=step.verb,
        detail=step.detail,
        result=step.result,
        first=first,
        second=second,
    )


def _of_an_operation(step: Step) -> str:
    operation = step.operation
    if operation not in ATOMS:
        operation = operation.replace("try ", "acquire ")
    words = ATOMS.get(operation, operation + " of {it}")
    if step.outcome is Outcome.IN_VAIN:
        words = ATOMS_IN_VAIN.get(operation, words)
    # A feeder is in no call; a call of the program stays visible.
    return words if step.complete else f"{words} (in {{verb}})"


def _waits(step: Step) -> str:
    if step.is_managed and step.call.endswith("Queue.get"):
        return "finds {it} empty and waits"
    words = CALLS.get(step.call.removeprefix(MANAGED))
    return (words and words.begun) or "{call} on {it}: waits in the middle"


def _is_awake(step: Step) -> str:
    return "is awake and waits for the lock of {it}"


def _in_vain(step: Step) -> str:
    return CALLS[step.call.removeprefix(MANAGED)].in_vain


def _is_dismissed(step: Step) -> str:
    return "is told by {it} to end"


def _raised(step: Step) -> str:
    """Return the words for a call that raised the exception named by the result."""
    if step.is_managed and step.result == "StopIteration":
        return "comes to the end of {it}"
    if step.result in ("Empty", "EOFError") and step.verb in ("get", "recv", "recv_bytes"):
        return "does not get anything from {it}: {result}"
    if step.call in GIVES_A_RESULT and step.result.endswith(("Error", *OF_A_TASK)):
        return _NO_RESULT.get(step.result, "gets {result} instead of the result of {detail}")
    return "calls {verb} on {it}: {result}"


def _did(step: Step) -> str:
    """Return the words for a call that went through."""
    words = CALLS.get(step.call.removeprefix(MANAGED))
    if step.call == "exit" and step.detail not in ("", "0"):
        return "ends with exit code {detail}"
    if words is not None:
        return words.done
    if step.is_managed:
        return template(step.call.removeprefix(MANAGED).rpartition(".")[0], step.verb)
    if step.verb == "value":  # looked at by what is private to the library
        return "looks at a semaphore of {it}: {result}"
    return "{call} on {it}" if step.primitive else "{call}"


_BY_OUTCOME: Final[Mapping[Outcome, Callable[[Step], str]]] = {
    Outcome.DONE: _did,
    Outcome.WAITS: _waits,
    Outcome.AWAKE: _is_awake,
    Outcome.IN_VAIN: _in_vain,
    Outcome.DISMISSED: _is_dismissed,
    Outcome.RAISED: _raised,
}
