"""When outstanding reports are given up on: their processes are outside our view from then on."""

from __future__ import annotations

import time

from syncsim.core.recorder import Recorder
from syncsim.core.state import Life
from syncsim.real import kernel
from syncsim.real.conduct import Conduct
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.interpreter.signals import Signals
from syncsim.real.locating import ThreadLocator
from syncsim.real.quiescence import Quiescence

#: Seconds without news before the kernel is asked.
_SOON = 0.05
#: So often in a row everyone must be seen asleep before outstanding reports are given up on.
_LOOKS = 3


class GivingUp:
    """Waits as long as anybody may be about to report; to be asked while nothing is reported."""

    def __init__(
        self,
        conduct: Conduct,
        recorder: Recorder,
        quiescence: Quiescence,
        interpreter: RecordInterpreter,
        signals: Signals,
        locator: ThreadLocator,
    ) -> None:
        self._conduct = conduct
        self._recorder = recorder
        self._quiescence = quiescence
        self._interpreter = interpreter
        self._signals = signals
        self._locator = locator
        self._asleep = 0  # how often in a row everyone was seen asleep

    def note_news(self) -> None:
        """Something was reported: begin anew."""
        self._asleep = 0

    def look(self, *, quiet: bool) -> None:
        """Look at the kernel, and give up on reports that do not come."""
        idle = time.monotonic() - self._conduct.last_news
        self._interpreter.processes.look_in_time(idle)
        if idle < _SOON:
            return
        self._signals.look()
        if not self._conduct.controlled or quiet:
            return
        self._asleep = self._asleep + 1 if self._are_asleep() else 0
        if (
            idle >= self._conduct.patience
            or self._asleep >= _LOOKS
            or self._awaits_only_who_never_reports()
        ):
            self._give_up()

    def _are_asleep(self) -> bool:
        """Return whether all processes sleep, and none of them is served by somebody else."""
        quiescence, actors = self._quiescence, self._recorder.actors
        # Some sleep while processes that are none of ours (the guard, a fork server) work.
        # So do those who are on their way out.
        if any(map(self._interpreter.is_served, quiescence.granted)) or quiescence.helpers.start():
            return False
        if not quiescence.leaving.keys().isdisjoint(quiescence.outstanding):
            return False
        if any(actors[actor].life is Life.STARTING for actor in quiescence.outstanding):
            return False
        return all(map(kernel.is_asleep, {actor.pid for actor in actors if not actor.ended}))

    def _awaits_only_who_never_reports(self) -> bool:
        actors, outstanding = self._recorder.actors, self._quiescence.outstanding
        return bool(outstanding) and all(
            actors[actor].life is Life.STARTING
            and self._interpreter.processes.never_reports(actors[actor])
            for actor in outstanding
        )

    def _give_up(self) -> None:
        quiescence = self._quiescence
        quiescence.clog(self._recorder)
        quiescence.helpers.stall()
        for actor in quiescence.outstanding:
            who = self._recorder.actors[actor]
            waits = who.pending is not None and actor not in quiescence.granted
            if not (who.library or waits):  # a signal that does nothing leaves it where it was
                self._recorder.change(actor, outside=True, whereabouts=self._locator.of(actor))
        quiescence.outstanding.clear()
