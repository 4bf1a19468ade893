"""Operations in the middle of which something else came: a handler of a signal or of a fork."""

from __future__ import annotations

from syncsim.core.atoms import ActorId
from syncsim.core.operation import Operation
from syncsim.core.recorder import Recorder
from syncsim.real.quiescence import Quiescence


class Interruptions:
    """Operations that were announced and let go, and are still to be reported."""

    def __init__(self, recorder: Recorder, quiescence: Quiescence) -> None:
        self._recorder = recorder
        self._quiescence = quiescence
        self._begun: dict[ActorId, list[Operation]] = {}

    def note(self, actor: ActorId, operation: Operation) -> None:
        """Note that the actor makes that, perhaps in the middle of another operation."""
        begun = self._recorder.actors[actor].pending
        let_go = actor in self._quiescence.past_gates
        if begun is not None and let_go and begun != operation:
            stack = self._begun.setdefault(actor, [])
            if stack[-1:] != [begun]:
                stack.append(begun)

    def end(self, actor: ActorId) -> Operation | None:
        """Return the operation of the actor that is over now; also if something came between."""
        pending, begun = self._recorder.actors[actor].pending, self._begun.get(actor)
        if begun and pending in (None, begun[-1]):
            return begun.pop()
        return pending

    def forget(self, actor: ActorId) -> None:
        """Forget the actor: it has ended."""
        self._begun.pop(actor, None)
