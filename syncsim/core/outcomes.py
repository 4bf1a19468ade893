"""The outcome of a call, read off the reported text: the only place that does so."""

from __future__ import annotations

from enum import StrEnum

from syncsim.core.calls import CALLS, GIVES_A_RESULT, TAKES_A_TASK
from syncsim.core.kinds import MANAGED
from syncsim.core.operation import NO, NOTHING, YES


class Outcome(StrEnum):
    """The outcome of a call, or of one operation inside it."""

    DONE = "done"
    WAITS = "waits"  # it has begun, and waits in the middle
    AWAKE = "is awake"  # it was notified, and waits for its lock
    IN_VAIN = "in vain"  # a try that did not get it, or its time ran out
    DISMISSED = "dismissed"  # a worker asked for a task, and was told to end
    RAISED = "raised"  # an exception, which the result names


#: The verbs of operations that can be in vain.
_TRIES = frozenset(("acquire", "try", "await", "wake"))
_EXCEPTIONS = ("Error", "Empty", "Full", "Interrupt")
#: The other names that an exception has which a task has raised, or which ends its results.
OF_A_TASK = ("Exception", "StopIteration", "BrokenProcessPool")


def outcome_of(call: str, result: str, *, complete: bool = True, operation: str = "") -> Outcome:
    """Return the outcome of a call with that result, or of the operation inside it.

    ``operation`` is a verb and a role, and empty for a whole call.
    """
    if operation:
        failed = result == NO and operation.partition(" ")[0] in _TRIES
        return Outcome.IN_VAIN if failed else Outcome.DONE
    if result == Outcome.AWAKE:
        return Outcome.AWAKE
    if not complete:
        return Outcome.WAITS
    if result == NO:
        words = CALLS.get(call.removeprefix(MANAGED))
        return Outcome.IN_VAIN if words is not None and words.in_vain else Outcome.DONE
    if result == NOTHING and call in TAKES_A_TASK:
        return Outcome.DISMISSED
    return Outcome.RAISED if names_exception(call, result) else Outcome.DONE


def names_exception(call: str, result: str) -> bool:
    """Return whether the result of the call is the name of an exception that it raised.

    A handler of a signal raises what it likes, also out of a ``wait``.
    """
    if not result.isidentifier():
        return False
    if result.endswith(_EXCEPTIONS):
        return True
    if call in GIVES_A_RESULT and result.endswith(OF_A_TASK):
        return True
    if call.startswith(MANAGED) and result == "StopIteration":
        return True
    return call.rpartition(".")[2] == "wait" and result not in (YES, NO, NOTHING)
