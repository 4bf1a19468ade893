"""The book of a run's processes: each that comes from its stage, reported, untracked or unseen.

*Untracked* is a process that was forked past ``multiprocessing``, or is being born and has not
reported yet.  *Unseen* is one that never reports.

What the program's processes fork and start they say themselves (``probes.leaving``); what comes
from a process that is not instrumented is found where the kernel lists it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from syncsim import wire
from syncsim.core.deadlock.doubt import Child, Coverage, Unseen, who_was_not_seen
from syncsim.core.pythons import THIS, is_tried
from syncsim.core.recorder import Recorder
from syncsim.core.state import Actor
from syncsim.real.kernel import tree

#: Seconds without a word after which one looks, and the most between two looks.
_SOON, _SELDOM = 0.25, 5.0
#: Seconds after which one that was started, and is no interpreter of ours, is not just late.
_SURE = 0.5
#: So many characters of a command are told.
_LONGEST = 100
#: What runs another program that is named among its words.
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "busybox")
_WRAPPERS = (*_SHELLS, "env", "nice", "nohup", "setsid", "stdbuf", "sudo", "timeout", "xargs")
#: In the command of the library's own cleaner, which only removes names.
_TRACKER = "multiprocessing.resource_tracker"


class _Start(NamedTuple):
    """A process that was started past ``multiprocessing``: by whom, which file, in which words."""

    parent: int
    file: str
    command: str


class ProcessRegistry:
    """Knows the processes of one run beside its actors."""

    # (What is asked at each operation stands in plain attributes.)

    def __init__(self, recorder: Recorder, directory: str, stage: int) -> None:
        self._recorder = recorder
        self._directory = directory
        self._stage = tree.entry(stage)
        #: What the instrumentation did not find (sentences), in the order in which it was told.
        self._missing: dict[str, None] = {}
        self._reported: set[int] = {stage}
        self._joined: set[int] = set()
        self._forked: dict[int, int] = {}  # that have not reported, with their parent
        #: Untracked pids that are alive; and whether there ever was one that ended without a word:
        #: what it did to the primitives nobody has seen.
        self.untracked: set[int] = set()
        self._had_untracked = False
        #: Of the untracked, those that were forked to become a ``Process``, and the children of
        #: fork servers, which may be anything.
        self.births: set[int] = set()
        self._of_servers: set[int] = set()
        self._forking: dict[int, int] = {}  # by the parent, how many are being forked
        self._giving_birth: set[int] = set()  # the parents that fork one to become a ``Process``
        self._launched: dict[int, _Start] = {}
        self._nameless: list[_Start] = []  # of which nobody knows the pid
        self._found: dict[int, _Start] = {}  # by the kernel alone
        self._names: dict[int, str] = {stage: "main"}
        self._next = 0.0
        self._pause = _SOON
        self._family: list[tree.Entry] = []
        #: Who was started, may be none of ours, and since when that is known.
        self._suspects: dict[int, float] = {}
        # What is over, and the pid of which may come again.
        self._past: list[tuple[int, _Start, bool]] = []
        self._past_others: list[_Start] = []
        self._is_shaken = False
        #: Those of the unseen that were alive when one last looked.
        self.alive: set[int] = set()

    # -- what the processes say -----------------------------------------------------------

    def born(self, pid: int, name: str) -> int | None:
        """A process has reported; return the pid of the one that has forked it, if any has."""
        self._reported.add(pid)
        self._names[pid] = name
        self.untracked.discard(pid)
        self.births.discard(pid)
        self._of_servers.discard(pid)
        self._launched.pop(pid, None)
        return self._forked.pop(pid, None)

    def forking(self, parent: int, *, birth: bool = False) -> None:
        """A process is about to fork; its child says so first of all, or it says that it failed.

        ``birth``: the child is to become a ``Process``.
        """
        self._forking[parent] = self._forking.get(parent, 0) + 1
        if birth:
            self._giving_birth.add(parent)
        else:
            self._giving_birth.discard(parent)

    def forked(self, pid: int, parent: int) -> None:
        """A process was forked, and is silent until it reports; pid 0: it failed."""
        self._has_forked(parent)
        birth = parent in self._giving_birth
        self._giving_birth.discard(parent)
        if not pid:
            return
        start = self._launched.get(pid)
        if start is None or start.parent != parent:  # (else its parent was quicker to say so)
            self._retire(pid)
        self._forked[pid] = parent
        self.untracked.add(pid)
        if birth:
            self.births.add(pid)
        elif parent in self._joined and parent not in self._reported:  # a fork server
            self._of_servers.add(pid)

    def _has_forked(self, parent: int) -> None:
        count = self._forking.pop(parent, 0) - 1
        if count > 0:
            self._forking[parent] = count

    def died(self, pid: int) -> None:
        """Note that the process is gone."""
        self.births.discard(pid)
        self._of_servers.discard(pid)
        if pid in self.untracked:
            self.untracked.remove(pid)
            self._had_untracked = True

    def ended(self, pid: int, parent: int) -> None:
        """A started process is gone: perhaps it was being forked, and has not said a word."""
        if not self._is_known(pid) and parent in self._forking:
            self._has_forked(parent)
            self._giving_birth.discard(parent)
            self._forked[pid] = parent

    def joined(self, pid: int) -> None:
        """A new interpreter has found its way to us."""
        self._joined.add(pid)

    def launched(self, record: wire.Launched) -> None:
        """A process has started another program, or is becoming one."""
        start = _Start(record.parent, record.program, record.command)
        if not record.pid:
            self._nameless.append(start)
        elif record.command:
            if record.pid != record.parent and record.pid in self._launched:
                self._retire(record.pid)
            self._launched[record.pid] = start
            if record.pid == record.parent:  # from here on it is somebody else
                self._joined.discard(record.pid)
        else:  # it did not come to it
            self._launched.pop(record.pid, None)

    def _retire(self, pid: int) -> None:
        """A new process has that pid: what is known of an older one is kept."""
        self._reported.discard(pid)
        start, parent = self._launched.pop(pid, None), self._forked.pop(pid, None)
        if start is not None:
            start = start._replace(parent=parent or start.parent)
            if self._is_silent(pid, start):
                self._past.append((pid, start, False))
            elif not _runs_python(start):
                self._past_others.append(start)
        elif parent is not None and pid not in self.births | self._of_servers:
            self._past.append((pid, _Start(parent, "", ""), False))

    @property
    def has_untracked(self) -> bool:
        """True if there is an untracked process, or one is being forked."""
        return bool(self.untracked or self._forking)

    @property
    def forked_unseen(self) -> bool:
        """True if there is an untracked process, or ever was one that never reported."""
        return bool(self._had_untracked or self.untracked or self._forking)

    @property
    def may_interfere(self) -> bool:
        """True if somebody who is not seen may do something to the primitives."""
        return bool(
            self._had_untracked
            or self.untracked
            or self._forking
            or self._is_shaken
            or self._suspects
        )

    def missing(self, sentence: str) -> None:
        """Something of the library is not where the instrumentation looked for it."""
        self._missing[sentence] = None

    def started(self, pid: int, parent: int) -> None:
        """Multiprocessing has started that process, and it has not reported."""
        if not (pid in self._reported or pid in self._joined or pid in self._forked):
            self._remember(pid, parent)

    # -- what the kernel says -------------------------------------------------------------

    def look_in_time(self, idle: float) -> None:
        """Look now and then, while for so many seconds nothing was said."""
        now = time.monotonic()
        if idle < _SOON:
            self._pause = _SOON
        elif now >= self._next:
            self.look()
            self._pause = min(2 * self._pause, _SELDOM)
            self._next = now + self._pause

    def look(self) -> None:
        """Look at the processes that there are now."""
        if self._stage is None or not self._joined:  # it is still busy with itself
            return
        self._family = tree.family(self._stage, self._directory, self._family)
        for one in self._family:
            if not self._is_known(one.pid):
                self._remember(one.pid, one.parent, one)
        now, before = time.monotonic(), self._suspects
        self._suspects = {
            actor.pid: before.get(actor.pid, now)
            for actor in self._recorder.actors
            if not (actor.thread or actor.ended or self._is_instrumented(actor.pid))
        }
        shaking = {pid for pid, _, shakes in self._silent() if shakes}
        self._is_shaken = self._is_shaken or bool(shaking)
        self.alive = {one.pid for one in self._family if one.state not in "ZX"} & shaking

    @property
    def shaken(self) -> bool:
        """True if somebody unseen may have had its hands on what the processes share."""
        return self._is_shaken or bool(self._suspects)

    def _is_instrumented(self, pid: int) -> bool:
        ours = pid in self._reported or pid in self._forked or pid in self._joined
        starts = (self._launched.get(pid), self._found.get(pid))
        return ours or any(start is not None and self._is_own(start) for start in starts)

    def _is_known(self, pid: int) -> bool:
        """Return whether somebody has told of it: then what the kernel says adds nothing."""
        return (
            pid in self._reported
            or pid in self._joined
            or pid in self._launched
            or pid in self._forked
        )

    def _remember(self, pid: int, parent: int, entry: tree.Entry | None = None) -> None:
        entry = entry or tree.entry(pid)
        if entry is None:
            return
        before, words = self._found.get(pid), tree.words_of(pid)
        command = shlex.join(words) if words else before.command if before else ""
        parent = before.parent if before else parent
        self._found[pid] = _Start(parent, tree.file_of(entry), command)

    # -- what comes of it -----------------------------------------------------------------

    def view(self) -> Coverage:
        """Return all that is known, after one more look."""
        self.look()
        children = Counter(
            (os.path.basename(start.file), self._who(start.parent)) for start in self._others()
        )
        return Coverage(
            self._unseen(),
            tuple(self._missing),
            tuple(Child(name, parent, times) for (name, parent), times in children.items()),
            self.notes,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts about this machine that one should know."""
        notes = []
        if not is_tried():
            notes.append(f"syncsim was never tried with {THIS}: what it says may be wrong.")
        if not tree.has_tree():
            notes.append(
                "There is no /proc here: a process that none of the program's own has started "
                "is not seen."
            )
        return tuple(notes)

    @property
    def who_was_not_seen(self) -> str:
        """The unseen in a sentence, as far as they are known; empty if there are none."""
        return who_was_not_seen(self._unseen())

    def _unseen(self) -> tuple[Unseen, ...]:
        return tuple(
            Unseen(pid or None, self._who(start.parent), _short(start.command))
            for pid, start, _ in sorted(self._silent())
        )

    def never_reports(self, actor: Actor) -> bool:
        """Return whether the process was started and is none of ours: not just on its way."""
        since = self._suspects.get(actor.pid)
        return since is not None and time.monotonic() - since > _SURE

    def _silent(self) -> Iterator[tuple[int, _Start, bool]]:
        """The pid of each that never reported, its start, and whether it shakes what is known."""
        yield from self._past
        actors = {one.pid: one for one in self._recorder.actors if not one.thread}
        nobody = _Start(0, "", "")
        for pid, start in self._launched.items():
            if self._is_silent(pid, start):
                origin = self._forked.get(pid, start.parent)
                yield pid, start._replace(parent=origin), False
        for start in self._nameless:
            if _runs_python(start):
                yield 0, start, False
        for pid, parent in self._forked.items():
            on_its_way = pid in self._launched or pid in self.births | self._of_servers
            if not on_its_way and self._is_lost(actors.get(pid)):
                yield pid, nobody._replace(parent=parent), False
        for pid, start in self._found.items():
            if not self._is_known(pid) and pid not in actors and self._is_silent(pid, start):
                yield pid, start, True
        for actor in self._recorder.actors:
            pid = actor.pid
            if actor.thread or pid in self._reported or pid in self._forked:
                continue
            if self._is_lost(actor) if actor.ended else self.never_reports(actor):
                above = self._recorder.actors[actor.parent].pid if actor.parent is not None else 0
                yield pid, self._found.get(pid, nobody)._replace(parent=above), True

    def _is_silent(self, pid: int, start: _Start) -> bool:
        ours = pid in self._joined or self._is_own(start) or _TRACKER in start.command
        return not ours and _runs_python(start)

    def _is_own(self, start: _Start) -> bool:
        """Return whether it is an interpreter that joins the run first of all."""
        return self._directory in start.command and wire.JOINS in start.command

    def _is_lost(self, actor: Actor | None) -> bool:
        """Return whether one that was started, or forked, is never going to report.

        One of ours that a signal ended on its way had done nothing yet; its end is told.
        """
        if actor is None:
            return True
        by_signal = (actor.exitcode or 0) < 0 or actor.signalled or bool(actor.killed)
        return actor.ended and not (by_signal and self._is_instrumented(actor.pid))

    def _others(self) -> Iterator[_Start]:
        """Other programs, each start of one."""
        yield from self._past_others
        for pid, start in self._launched.items():
            if not _runs_python(start):
                yield start._replace(parent=self._forked.get(pid, start.parent))
        named = {(start.parent, os.path.basename(start.file)) for start in self._nameless}
        yield from (start for start in self._nameless if not _runs_python(start))
        for pid, start in self._found.items():
            told = (start.parent, os.path.basename(start.file)) in named
            if not (self._is_known(pid) or told or _runs_python(start)):
                yield start

    def _who(self, pid: int) -> str:
        if pid in self._names:
            return self._names[pid]
        return f"pid {pid}" if pid > 1 else "a process that has ended"


@lru_cache(maxsize=1024)
def _runs_python(start: _Start) -> bool:
    """Return whether that is an interpreter of Python, or was told to run one."""
    if tree.is_python(start.file):
        return True
    if os.path.basename(start.file) not in _WRAPPERS:
        return False
    words: list[str] = []
    with contextlib.suppress(ValueError):
        for word in shlex.split(start.command)[1:]:
            words += shlex.split(word, comments=True) if " " in word else [word]
    return any(tree.is_python(word.strip(";&|()")) for word in words)


def _short(command: str) -> str:
    """The command without its folder and what is ours in it, and not too long."""
    before, ours, after = command.rpartition(wire.JOINED)
    if ours:
        command = f"{before.partition(' -c ')[0]} -c '{after}"
    program, space, rest = command.partition(" ")
    command = f"{os.path.basename(program)}{space}{rest}"
    return command if len(command) <= _LONGEST else f"{command[: _LONGEST - 1]}…"
