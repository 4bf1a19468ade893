"""Replay of a failure on real processes, before it is believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from syncsim.checking.result import Failure
from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.deadlock.doubt import who_was_not_seen
from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.recorder import DivergenceError
from syncsim.core.schedule import Choice, Grain, parse_schedule
from syncsim.core.scheduler import Replay, ReplayError
from syncsim.core.state import State
from syncsim.core.steps import Step
from syncsim.core.words.listing import counted
from syncsim.core.words.status import status
from syncsim.core.words.waiting import waiting_for
from syncsim.driver import Driver, OutOfTimeError, Standing
from syncsim.explore.request import Found
from syncsim.program.source import Program
from syncsim.real.run import RealRun

#: Seconds for one replay; it takes less than one, if the machine is not busy.
_REPLAY = 60.0


def confirm(
    program: Program,
    found: Found,
    look: Callable[[RealRun], None] = lambda run: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Failure:
    """Replay the schedule on the real processes; return what came of it.

    After a livelock's schedule everybody must be where they were before its round.  An actor that
    waits for ever while others go on must wait there; that nothing can help it is what the search
    has seen.  ``look`` is shown the processes at the first quiet point and after each choice.
    """
    return _Replay(program, found, look, interrupted).run()


class _Replay:
    """One replay of a failure that a search has found."""

    def __init__(
        self,
        program: Program,
        found: Found,
        look: Callable[[RealRun], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._program = program
        self._found = found
        self._look = look
        self._interrupted = interrupted
        self._verdict = Verdict(found.verdict)
        self._steps: list[Step] = []
        self._choices = parse_schedule(found.schedule)
        self._taken = 0
        self._round_begins = len(parse_schedule(found.way))
        self._goes_round = self._verdict in (Verdict.LIVELOCK, Verdict.STARVATION)
        self._before: object = None  # the place at which the round of a livelock begins
        self._run: RealRun

    def run(self) -> Failure:
        """Replay it, and end the processes."""
        self._run = run = RealRun(self._program, patience=10.0, on_step=self._steps.append)
        run.interrupt_when(self._interrupted)
        driver = Driver(
            run,
            deadline=time.monotonic() + _REPLAY,
            interrupted=self._interrupted,
            failure_suffices=True,
            on_choice=self._count,
            on_quiet=self._note_place,
        )
        try:
            standing = self._follow(driver)
            if standing is None:
                return self._unconfirmed(f"they take longer than {_REPLAY:g} s")
            if self._taken < len(self._choices):
                return self._unconfirmed(self._impossible())
            return self._compare(standing)
        except ReplayError:
            return self._unconfirmed(self._impossible())
        except DivergenceError as error:
            return self._unconfirmed(str(error))
        finally:
            run.close()

    def _follow(self, driver: Driver) -> Standing | None:
        """Make the choices; return what they lead to, or None if that takes too long."""
        # At the grain of the last one: at another, feeders would make steps that nobody chose.
        grain = self._choices[-1].grain if self._choices else Grain.CALL
        try:
            return driver.follow(Replay(self._choices), grain, self._run.patience)
        except OutOfTimeError:
            standing = driver.standing()
            taken = self._taken == len(self._choices)
            return standing if taken and standing.diagnosis.verdict is not None else None

    def _count(self, choice: Choice) -> None:
        self._taken += 1

    def _note_place(self) -> None:
        self._look(self._run)
        if self._goes_round and self._taken == self._round_begins:
            self._before = _place(self._run.state)

    def _impossible(self) -> str:
        return f"choice {self._taken + 1} of the schedule cannot be made"

    def _unconfirmed(self, why: str, findings: tuple[Finding, ...] = ()) -> Failure:
        steps, schedule = tuple(self._steps), self._found.schedule
        return Failure(self._verdict, why, schedule, False, steps, findings)

    def _compare(self, standing: Standing) -> Failure:
        """Return whether the end of the replay is the failure that was found."""
        diagnosis, state = standing.believed, self._run.state
        view = self._run.processes.view()
        if standing.is_suspicion:
            unproven = "it may still be helped from where nobody sees it"
            diagnosis = replace(diagnosis, explanation=unproven)
        if view.unseen:
            why = f"{who_was_not_seen(view.unseen)} So the failure is not confirmed"
            return self._unconfirmed(why, diagnosis.findings)
        if diagnosis.verdict is None:
            diagnosis = replace(diagnosis, **self._what_the_search_saw(state))
        return Failure(
            diagnosis.verdict or self._verdict,
            diagnosis.explanation or "nothing bad happens",
            self._found.schedule,
            diagnosis.verdict is self._verdict,
            tuple(self._steps),
            diagnosis.findings,
            diagnosis.cycle,
            tuple(
                {
                    "name": actor.name,
                    "state": status(state, actor, diagnosis.stuck),
                    "exitcode": actor.exitcode,
                    "holds": [primitive.name for primitive in state.holdings(actor)],
                }
                for actor in state.actors
            ),
        )

    def _what_the_search_saw(self, state: State) -> dict[str, Any]:
        """Return the verdict of a run that goes on, if it is where the search has seen it."""
        if self._goes_round and self._before == _place(state):
            steps = self._taken - self._round_begins
            again = "the same step comes" if steps == 1 else f"the same {steps} steps come"
            explanation = (
                f"After {counted(self._round_begins, 'choice')} everybody is where they are after "
                f"{self._taken}: {again} again and again, and nobody achieves anything."
            )
            return {"verdict": self._verdict, "explanation": explanation}
        if self._found.waits is not None:
            actor = state.actors[self._found.waits]
            wait = waiting_for(state, actor)
            if wait is not None:
                explanation = (
                    f"{actor.name} {wait.clause}; whatever the others do, it can never go on."
                )
                return {"verdict": self._verdict, "explanation": explanation}
        return {}


def _place(state: State) -> object:
    """Return where everybody is, and the value of everything."""
    who = tuple((actor.pending, actor.life, actor.exitcode) for actor in state.actors)
    return who, {name: _essence(atom) for name, atom in state.atoms.items()}


def _essence(atom: Atom) -> object:
    """Return what the processes can tell of an atom, without what is kept of it for a person."""
    match atom:
        case Cell():
            return atom.value
        case Semaphore():
            return atom.value, atom.recursive and atom.holders
        case Channel():
            buffered = [(item.label, item.sender) for item in atom.buffered]
            return buffered, [item.label for item in atom.items], atom.sending, atom.ended
        case _:
            return atom
