"""Evidence for the driver: what the kernel and the records say against anybody's moving again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.graph import stuck_actors
from syncsim.core.recorder import Recorder
from syncsim.instrument.dispositions import Disposition, disposition
from syncsim.real import kernel
from syncsim.real.conduct import Conduct
from syncsim.real.finality import Finality
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.kernel import Sleep
from syncsim.real.locating import ThreadLocator
from syncsim.real.quiescence import Quiescence


class Evidence:
    """Asks everything that may know of help from where it is not seen."""

    def __init__(
        self,
        conduct: Conduct,
        recorder: Recorder,
        quiescence: Quiescence,
        interpreter: RecordInterpreter,
        finality: Finality,
        locator: ThreadLocator,
    ) -> None:
        self._conduct = conduct
        self._recorder = recorder
        self._quiescence = quiescence
        self._interpreter = interpreter
        self._finality = finality
        self._locator = locator

    def may_still_move(self) -> bool:
        """Return whether something unseen may still change what is seen.

        A thread of the library or of the program, a feeder at work, an untracked process, a
        signal that has not had its effect yet.
        """
        interpreter = self._interpreter
        if interpreter.processes.forked_unseen or interpreter.processes.shaken:
            return True
        if self._quiescence.awaits_signals(self._recorder):
            return True
        pids = {actor.pid for actor in self._recorder.actors if not actor.ended}
        if self._conduct.controlled and not pids.isdisjoint(interpreter.actors.helped):
            return True  # such threads are beyond our gates, and may be held up by them
        if any(map(self._may_ring, pids)):
            return True
        if not any(kernel.threads(pid) > 1 for pid in pids):
            return False
        if self._conduct.controlled:
            self._finality.look()
        return self._finality.may_be_broken()

    def _may_ring(self, pid: int) -> bool:
        """Return whether an alarm may ring, and its handler do something, or it end the process."""
        match disposition(pid, signal.SIGALRM):
            case Disposition.CATCHES:
                return True  # somebody else may send it, too
            case Disposition.DEFAULT:
                return pid in self._interpreter.actors.alarmed
        return False

    def is_final(self, stuck: Sequence[ActorId], apply_exits: Callable[[], None]) -> bool:
        """Return whether all of them sleep for ever, and still wait when everything is heard.

        Nothing unseen may move any more.  An actor that is awake may have met a signal of which
        nobody has told us, be about to end, or to say what it has got; and for a bounded time
        sleeps only a handler.
        """
        before = [self._locator.sleep(actor) for actor in stuck]
        if not all(map(_is_for_ever, before)):
            return False
        # (Others may say more and more meanwhile: they cannot help.)
        apply_exits()
        processes = self._interpreter.processes
        if processes.has_untracked or stuck_actors(self._recorder.state) != stuck:
            return False
        now = [self._locator.sleep(actor) for actor in stuck]
        if not all(map(_is_for_ever, now)):  # it woke while one looked
            return False
        if [sleep and sleep.switches for sleep in before] != [
            sleep and sleep.switches for sleep in now
        ]:
            return False
        processes.look()
        return not processes.shaken


def _is_for_ever(sleep: Sleep | None) -> bool:
    """Return whether nothing is known that would wake the thread."""
    return sleep is None or sleep.is_for_ever
