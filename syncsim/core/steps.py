"""A step: one call, or the part of one that went through, that took effect."""

from __future__ import annotations

from msgspec import Struct

from syncsim.core.kinds import MANAGED
from syncsim.core.outcomes import Outcome, outcome_of
from syncsim.core.schedule import Move
from syncsim.core.words.steps import sentence


class Step(Struct, frozen=True, gc=False):
    """One step of a run, with its result, ready to be shown.

    ``n`` counts from 1.  ``verb`` is the method called (``put``, ``acquire``), ``call`` its
    full name.  ``result`` is text for people, from which ``outcome`` is read: of a call that has
    raised an exception it is its name.  ``waited`` is how many steps the
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
    def outcome(self) -> Outcome:
        """The outcome of the call, or of the operation inside it."""
        return outcome_of(self.call, self.result, complete=self.complete, operation=self.operation)

    @property
    def is_managed(self) -> bool:
        """The call was on something that the server of a manager keeps."""
        return self.call.startswith(MANAGED)

    @property
    def sentence(self) -> str:
        """The step in words, without its subject, which is the process: "takes forks[2]"."""
        return sentence(self)
