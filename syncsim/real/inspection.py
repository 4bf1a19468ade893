"""A closer look at one actor, or at all of them: call stacks, variables, the kernel's account."""

from __future__ import annotations

import json
from collections.abc import Iterable

from syncsim import wire
from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.live import Frame, Inspected
from syncsim.core.operation import Operation
from syncsim.core.recorder import Recorder
from syncsim.core.steps import Step
from syncsim.core.words.report import Report
from syncsim.real import kernel
from syncsim.real.gates import Gates
from syncsim.real.inbox import Inbox
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.locating import ThreadLocator
from syncsim.real.postmortem import report
from syncsim.real.quiescence import Quiescence


class Inspection:
    """Looks at the actors of one run, and asks those that wait at their gates."""

    def __init__(
        self,
        recorder: Recorder,
        quiescence: Quiescence,
        interpreter: RecordInterpreter,
        locator: ThreadLocator,
        gates: Gates,
        inbox: Inbox,
    ) -> None:
        self._recorder = recorder
        self._quiescence = quiescence
        self._interpreter = interpreter
        self._locator = locator
        self._gates = gates
        self._inbox = inbox

    def inspect(self, actor: ActorId) -> Inspected:
        """Return the actor's call stack, with variables where it waits at its gate."""
        who = self._recorder.actors[actor]
        if who.ended:
            return Inspected(actor, note="It has ended.")
        if who.pending is not None:
            kernel.falls_asleep(*self._interpreter.actors.thread_of(actor))
        account, doubt = self._locator.account(actor)
        if doubt:  # it may have been just about to report
            self._inbox.read()
            account, doubt = self._locator.account(actor)
        who = self._recorder.actors[actor]
        if who.library:
            note = "A thread of the library: it runs no line of the program."
            return Inspected(actor, note=note, kernel=account, doubt=doubt)
        operation = who.pending
        if who.stopped:
            note = "Its variables can be seen when it goes on: it is stopped."
            return Inspected(actor, _frames(operation), note, account)
        quiescence = self._quiescence
        if operation is None or actor in quiescence.past_gates:
            note = "Its variables can be seen when it waits at its gate: pause."
            frames = self._locator.stack(actor) if account.startswith("sleeping") else ()
            return Inspected(actor, frames or _frames(operation), note, account, doubt)
        try:
            stack = json.loads(self._gates.ask(actor, wire.INSPECT, b"\n"))
        except ValueError:
            return Inspected(actor, note="It does not answer.", kernel=account, doubt=doubt)
        named = self._interpreter.primitives.named
        frames = tuple(
            Frame(file, line, function, tuple((name, named(text)) for name, text in variables))
            for file, line, function, variables in stack
        )
        return Inspected(actor, frames, "", account, doubt)

    def report(self, diagnosis: Diagnosis, steps: Iterable[Step], command: str) -> Report:
        """Return all that is known of how the run stands, as the diagnosis sees it."""
        state = self._recorder.state
        first = report(state, diagnosis, self._locator, steps, command)
        doubtful = [n for n, process in enumerate(first.processes) if process.doubt]
        if not doubtful:
            return first
        for actor in doubtful:  # one may be just about to report, or to fall asleep
            kernel.falls_asleep(*self._interpreter.actors.thread_of(actor))
        self._inbox.read()
        return report(self._recorder.state, diagnosis, self._locator, steps, command)


def _frames(operation: Operation | None) -> tuple[Frame, ...]:
    site = operation.site if operation else None
    return (Frame(site.file, site.line, site.function),) if site else ()
