"""The headless twin: a run without a screen, one readable line or one JSON object a step."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any, TextIO

from msgspec.structs import replace

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.doubt import doubted
from syncsim.core.deadlock.verdict import Diagnosis, Verdict, diagnose
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import Choice, Grain, format_schedule
from syncsim.core.scheduler import Replay, ReplayError, Scheduler, scheduler_named
from syncsim.core.steps import Step
from syncsim.core.text import clean
from syncsim.core.words.listing import headline, names
from syncsim.core.words.report import as_text
from syncsim.core.words.status import status
from syncsim.core.words.step_line import step_line
from syncsim.core.words.waiting import standing, waiting_for
from syncsim.driver import Driver, OutOfTimeError, Rest, Standing
from syncsim.program.source import Program
from syncsim.program.start_methods import in_force, replayed
from syncsim.real.kernel import UnwatchedError
from syncsim.real.launch import StageError
from syncsim.real.run import RealRun
from syncsim.terminal import complain, json_line, say, say_json

#: So many steps are told in a report.
_LAST = 10
FINISHED, BAD, USAGE, UNDECIDED = 0, 1, 2, 3


class BadRequestError(Exception):
    """A scheduler, a schedule or a run that cannot be: the message says why."""


class StopError(Exception):
    """The run is to end here, undecided: ``args[0]`` says why."""


class HeadlessRun:
    """One run, told on ``out`` as it happens; ``run`` gives the exit code."""

    def __init__(
        self,
        program: Program,
        scheduler: Scheduler | None,
        *,
        max_steps: int | None = None,
        timeout: float | None = None,
        command: str = "",
        as_json: bool = False,
        grain: Grain = Grain.CALL,
        out: TextIO | None = None,
    ) -> None:
        """Without a ``scheduler`` the operating system schedules and we only listen.

        ``command`` is what was typed, for the report.  ``grain`` is at what size it picks; a
        replay knows that itself.
        """
        self._command = command
        self._program = program
        self._scheduler = scheduler
        self._grain = grain
        self._max_steps = max_steps
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._timeout = timeout
        self._out = out or sys.stdout
        self._tell: Callable[[Step], None] = self._tell_json if as_json else self._tell_text
        self._as_json = as_json
        self._schedule: list[Choice] = []
        self._waiting: set[ActorId] = set()
        self._last: deque[Step] = deque(maxlen=_LAST)
        self._standstill = ""  # what was told when nothing moved
        self._unseen = ""  # and of whom it was told that they do not report
        self._partial: dict[tuple[ActorId | None, str], str] = {}
        self._run: RealRun
        self._driver: Driver

    def run(self) -> int:
        """Run to the end, to a verdict, or to a bound.  Raises ``ReplayError``."""
        reason = ""
        with _EndingOnSignals(), contextlib.closing(self._begin()) as self._run:
            self._tell_notes()
            self._driver = Driver(
                self._run,
                deadline=self._deadline,
                on_choice=self._schedule.append,
                on_quiet=self._tell_waits,
                on_idle=self._tell_idle,
            )
            try:
                standing = self._drive()
                reason = self._why_undecided(standing)
                diagnosis = standing.diagnosis
            except (StopError, DivergenceError, OutOfTimeError) as stop:
                late = isinstance(stop, OutOfTimeError)
                reason = f"the time is up ({self._timeout:g} s)" if late else str(stop)
                if isinstance(stop, DivergenceError) and not self._run.processes.who_was_not_seen:
                    raise
            if reason:
                diagnosis = self._run.standstill() or self._last_look().believed
            return self._conclude(diagnosis, reason)

    def _last_look(self) -> Standing:
        """Return how the run stands when it is broken off."""
        try:
            return self._driver.standing()
        except StopError:  # what was heard meanwhile is one step too many
            return Standing(Rest.OPEN, diagnose(self._run.state))

    def _begin(self) -> RealRun:
        return RealRun(
            self._program,
            controlled=self._scheduler is not None,
            patience=10.0,
            stdin=_stdin(),
            on_step=self._stepped,
            on_print=self._printed,
        )

    def _drive(self) -> Standing:
        if self._scheduler is None:
            return self._driver.observe()
        return self._driver.follow(self._scheduler, self._grain)

    def _why_undecided(self, standing: Standing) -> str:
        """Return why nothing is decided although nothing follows; empty where something is."""
        if standing.rest is Rest.HALTED:
            are, them = ("is", "it") if len(standing.halted) == 1 else ("are", "them")
            stopped = names(self._run.state, standing.halted)
            return f"{stopped} {are} stopped, and nobody continues {them}"
        undecided = standing.rest is Rest.OPEN and standing.believed.verdict is None
        return "the schedule ends here" if undecided else ""

    # -- telling -------------------------------------------------------------------------

    def _stepped(self, step: Step) -> None:
        self._last.append(step)
        self._tell(step)
        if self._max_steps is not None and step.n >= self._max_steps:
            self._run.interrupt_when(lambda: True)  # what else has arrived is not heard
            raise StopError(f"{step.n} steps were made")

    def _tell_text(self, step: Step) -> None:
        self._line(step_line(step))

    def _tell_json(self, step: Step) -> None:
        self._out.write('{"type":"step",' + json_line(step)[1:] + "\n")

    def _tell_waits(self) -> None:
        """In text, says who has begun to wait; no step, so no number."""
        state = self._run.state
        waiting = set()
        for actor in state.actors:
            wait = waiting_for(state, actor)
            if wait is not None:
                waiting.add(actor.id)
                if actor.id not in self._waiting and not self._as_json:
                    self._line(f"    ·  {clean(actor.name):<12} {wait.clause}")
        self._waiting = waiting

    def _tell_idle(self) -> None:
        """Say what is known while nothing moves."""
        self._tell_unseen()
        if self._scheduler is None:
            self._tell_standstill()
        else:
            self._tell_waits()

    def _tell_standstill(self) -> None:
        """Says, once, that nothing moves although nobody can be said to wait for ever."""
        diagnosis = self._run.standstill()
        told = diagnosis.explanation if diagnosis is not None else ""
        if told == self._standstill:
            return
        self._standstill = told
        if diagnosis is None:
            return
        if self._as_json:
            say_json({"type": "standstill", "explanation": told}, self._out)
        else:
            self._line(f"    ·  {told}")
        self._out.flush()

    def _tell_unseen(self) -> None:
        """Says, once for each, which processes do not report, while nothing moves."""
        told = self._run.processes.who_was_not_seen
        if told == self._unseen:
            return
        self._unseen = told
        if not self._as_json:
            self._line(f"    ·  {told}")
            self._out.flush()

    def _tell_notes(self) -> None:
        for note in () if self._as_json else self._run.processes.notes:
            self._line(f"    ·  {note}")

    def _printed(self, actor: ActorId | None, stream: str, text: str) -> None:
        if self._as_json:
            name = self._run.state.actors[actor].name if actor is not None else None
            record = {"type": "output", "process": name, "stream": stream, "text": text}
            say_json(record, self._out)
        elif actor is None or stream == "stderr" or len(text) > 72 or text.count("\n") > 1:
            # (A short line on stdout is told by its step.)
            lines = (self._partial.pop((actor, stream), "") + text).split("\n")
            self._partial[actor, stream] = lines.pop()[-10_000:]
            for line in lines:
                self._line(f"    |  {line}")

    def _line(self, text: str) -> None:
        say(text, self._out)

    def _conclude(self, diagnosis: Diagnosis, reason: str) -> int:
        for rest in filter(None, self._partial.values()):
            self._line(f"    |  {rest}")
        view = self._run.processes.view()
        diagnosis = doubted(diagnosis, view)
        state = self._run.state
        verdict = diagnosis.verdict or Verdict.UNDECIDED
        explanation = diagnosis.explanation
        if verdict is Verdict.UNDECIDED and reason:
            stands = diagnosis.explanation or standing(state, state.actors)
            explanation = f"Nothing is decided: {reason}. {stands}".strip()
        report = None
        alive = any(not actor.ended for actor in state.actors)
        if alive and self._scheduler is None:
            told = replace(diagnosis, verdict=verdict, explanation=explanation)
            try:
                report = self._run.inspection.report(told, self._last, self._command)
            except StopError:  # the last step came while we looked closer: now no more is read
                report = self._run.inspection.report(told, self._last, self._command)
        schedule = format_schedule(self._schedule)
        if self._as_json:
            record = self._verdict(diagnosis, verdict, explanation)
            record |= {"unseen": view.unseen, "blind": view.blind, "notes": view.notes}
            say_json(record | {"report": report}, self._out)
        elif report is not None:
            for line in ("", *as_text(report).split("\n")):
                self._line(line)
        else:
            self._tell_waits()
            first = headline(f"{verdict} after {state.n} steps", [state.actors[0].exitcode])
            for line in ("", first, explanation):
                self._line(line)
            for finding in diagnosis.findings:
                self._line(f"  {finding.kind}: {finding.explanation}")
            if self._scheduler is not None:
                again = replayed(schedule, self._program.start_method)
                self._line(f"schedule: {again}")
        self._out.flush()
        if verdict is Verdict.FINISHED:
            return FINISHED
        return UNDECIDED if verdict is Verdict.UNDECIDED else BAD

    def _verdict(self, diagnosis: Diagnosis, verdict: Verdict, explanation: str) -> dict[str, Any]:
        state = self._run.state
        processes = []
        for actor in state.actors:
            wait = waiting_for(state, actor)
            processes.append(
                {
                    "name": actor.name,
                    "pid": actor.pid,
                    "state": status(state, actor, diagnosis.stuck),
                    "exitcode": actor.exitcode,
                    "waiting_for": wait.what if wait else None,
                    "holds": [primitive.name for primitive in state.holdings(actor)],
                }
            )
        return {
            "type": "verdict",
            "verdict": verdict,
            "findings": diagnosis.findings,
            "explanation": explanation,
            "cycle": [
                {"process": link.process, "waits_for": link.waits_for, "held_by": link.held_by}
                for link in diagnosis.cycle
            ],
            "processes": processes,
            "exitcode": state.actors[0].exitcode,
            "start_method": in_force(self._program),
            "steps": state.n,
            "records": self._run.records,
            "schedule": None if self._scheduler is None else format_schedule(self._schedule),
        }


def _stdin() -> int:
    """Return the program's stdin: our own where it is a file or a pipe.

    A terminal cannot be shared with a process in another session.
    """
    try:
        return subprocess.DEVNULL if sys.stdin.isatty() else sys.stdin.fileno()
    except (AttributeError, ValueError):  # there is none, it is closed, or it is no file
        return subprocess.DEVNULL


class _EndingOnSignals:
    """Leave the block, and so end the run, also by SIGTERM and SIGHUP."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        def end(number: int, frame: FrameType | None) -> None:
            raise SystemExit(128 + number)

        for number in (signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, end)

    def __exit__(self, *args: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def run(
    program: Program,
    scheduler: str,
    schedule: str | None,
    *,
    grain: str | None = None,
    **options: Any,
) -> int:
    """Run ``program`` and return the exit code; raises ``BadRequestError``."""
    try:
        chosen = _scheduler(scheduler, schedule)
        if grain is not None and (chosen is None or isinstance(chosen, Replay)):
            raise ValueError("--grain goes with --scheduler random or round-robin")
    except ValueError as error:
        raise BadRequestError(str(error)) from error
    try:
        return HeadlessRun(program, chosen, grain=Grain(grain or Grain.CALL), **options).run()
    except (ReplayError, StageError, UnwatchedError) as error:
        raise BadRequestError(str(error)) from error
    except DivergenceError as error:
        complain(f"the run was broken off, by an error of ours: {error}")
        return UNDECIDED


def _scheduler(name: str, schedule: str | None) -> Scheduler | None:
    """The scheduler asked for; None for the operating system's."""
    if schedule is not None and name not in ("os", "replay"):
        raise ValueError(f"--schedule goes with --scheduler replay, not with {name}")
    if schedule is not None:
        return Replay(schedule)
    if name == "replay":
        raise ValueError("--scheduler replay needs --schedule STRING, such as a5b2cab3")
    return None if name == "os" else scheduler_named(name)
