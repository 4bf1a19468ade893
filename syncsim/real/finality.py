"""Evidence from the kernel that nothing moves, and of who beyond our view may still change that.

Two looks at every thread of the program, one after the other: if all of them slept in both and
none has been switched to or from in between, then there was a moment in which all slept at
once.  What nobody but a sleeper could end does not end: that is a proof, not a guess by time.
Only where a thread sleeps on something that we cannot tell apart, time has to do.
"""

from __future__ import annotations

import time
from enum import IntEnum

from syncsim.core.atoms import ActorId
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor
from syncsim.core.words.listing import listing
from syncsim.real.interpreter.records import RecordInterpreter
from syncsim.real.kernel import sleeping_on
from syncsim.real.kernel.sleep import Sleep, look_at_all
from syncsim.real.locating import ThreadLocator

#: Seconds of sleep after which a thread on an unknown pipe or a local socket is believed idle.
_STILL = 0.6
#: Seconds of sleep after which a process in no operation of ours is said to be outside.
OUTSIDE_AFTER = 0.4
#: Seconds of sleep after which it is said that nothing moves.
HANGS_AFTER = 0.65
#: At the most so many seconds between two looks.
_SELDOM = 0.5


class _Help(IntEnum):
    """From where the sleep of a thread that we do not see can end, and so help may come."""

    INSIDE = 0  # from another thread or process of the program alone
    NEAR = 1  # perhaps from somewhere else on this machine
    FAR = 2  # by itself, after some time, or from anywhere


class Finality:
    """Looks at the threads of one run; to be asked again and again while nothing is reported."""

    def __init__(
        self, recorder: Recorder, interpreter: RecordInterpreter, locator: ThreadLocator
    ) -> None:
        self._recorder = recorder
        self._interpreter = interpreter
        self._locator = locator
        self._seen: dict[tuple[int, int], Sleep] = {}
        self._since = 0.0
        self._looked = 0.0
        self._looks = 0
        self._marked: set[ActorId] = set()
        self._servers: set[int] = set()

    def end(self) -> None:
        """Forget the looks, since something was reported."""
        self._looks = 0
        for actor in self._marked:
            self._recorder.change(actor, outside=False)
        self._marked.clear()

    def look(self) -> None:
        """Look once more; says of those in no operation of ours that they are outside.

        The longer nothing has moved, the more seldom.
        """
        now = time.monotonic()
        if now - self._looked < min(self.seconds / 10, _SELDOM):
            return
        self._looked = now
        seen = {}
        pids = {actor.pid for actor in self._recorder.actors if not actor.ended}
        others = self._interpreter.processes.untracked | self._interpreter.processes.alive
        for pid in pids | others:
            for tid, sleep in look_at_all(pid).items():
                if self._is_idle_server(pid, tid, sleep):
                    continue
                if not sleep.asleep:
                    self.end()
                    return
                seen[pid, tid] = sleep
        switches = {key: sleep.switches for key, sleep in seen.items()}
        if self._looks and switches == {key: sleep.switches for key, sleep in self._seen.items()}:
            self._looks += 1
        else:
            self.end()
            self._looks = 1
            self._since = now
        self._seen = seen
        if self.seconds >= OUTSIDE_AFTER:
            self._mark()

    @property
    def seconds(self) -> float:
        """For how long all have been seen asleep, without a break; 0 while they are not."""
        return time.monotonic() - self._since if self._looks > 1 else 0.0

    @property
    def hangs(self) -> bool:
        """True if nothing moves, and nothing that we know of comes by itself."""
        if self.seconds < HANGS_AFTER or not self._seen:
            return False
        alive = [actor for actor in self._recorder.actors if not actor.ended]
        return not any(self._goes_on_by_itself(actor) for actor in alive)

    def _goes_on_by_itself(self, actor: Actor) -> bool:
        if actor.pending is not None:
            return actor.pending.can_time_out or self._recorder.can_go(actor)
        sleep = self._seen.get(self._key(actor.id))
        return sleep is not None and sleep.timed

    def may_be_broken(self) -> bool:
        """Return whether a thread that is no actor may still change what we see."""
        if self._looks < 2:
            return True
        far = max((self._help(key[0], sleep) for key, sleep in self._unseen()), default=0)
        return far is _Help.FAR or (far is _Help.NEAR and self.seconds < _STILL)

    def _unseen(self) -> list[tuple[tuple[int, int], Sleep]]:
        known = {self._key(actor.id) for actor in self._recorder.actors if not actor.ended}
        return [(key, sleep) for key, sleep in self._seen.items() if key not in known]

    def helpers(self) -> str:
        """Return who beyond our view may still help, in words; empty if nobody."""
        found = []
        for (pid, _), sleep in self._unseen():
            actor = self._recorder.by_pid(pid)
            if actor is not None and self._help(pid, sleep) is _Help.FAR:
                bound = ", for some time" if sleep.timed else ""
                doing = self._locator.doing(actor.id, sleep)
                found.append(f"a thread of {actor.name} is {doing}{bound}")
        untracked = sorted(self._interpreter.processes.untracked)
        if untracked:
            pids = listing([str(pid) for pid in untracked])
            found.append(f"forked past multiprocessing: pid {pids}")
        if self._interpreter.processes.alive:
            found.append(self._interpreter.processes.who_was_not_seen.removesuffix("."))
        return "; ".join(found)

    def _help(self, pid: int, sleep: Sleep) -> _Help:
        if sleep.timed:
            return _Help.FAR
        if not sleep.call:  # the kernel does not say
            return _Help.NEAR
        if sleep.call == "futex":
            return _Help.INSIDE
        on = sleeping_on.slept_on(pid, sleep)
        return max((self._help_on(pid, fd) for fd in on), default=_Help.FAR) if on else _Help.FAR

    def _help_on(self, pid: int, fd: int) -> _Help:
        target = sleeping_on.target_of(pid, fd)
        inode = sleeping_on.inode_of(target)
        if self._interpreter.primitives.with_atom(f"pipe:{inode}") is not None:
            return _Help.INSIDE
        if target.startswith("pipe:") or sleeping_on.kind_of_socket(inode) == "unix":
            return _Help.NEAR
        return _Help.FAR

    def _key(self, actor: ActorId) -> tuple[int, int]:
        pid, tid = self._interpreter.actors.thread_of(actor)
        return pid, tid or pid

    def _mark(self) -> None:
        for actor in self._recorder.actors:
            if actor.ended or actor.pending is not None or actor.outside or actor.library:
                continue
            self._marked.add(actor.id)
            found = self._locator.of(actor.id)
            self._recorder.change(actor.id, outside=True, whereabouts=found)

    def _is_idle_server(self, pid: int, tid: int, sleep: Sleep) -> bool:
        """Return whether the thread wakes by itself again and again, and never for us."""
        if pid == tid and pid not in self._servers and self._locator.is_server(pid, sleep):
            self._servers.add(pid)
        return pid == tid and pid in self._servers
