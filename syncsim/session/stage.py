"""A program on the stage, without a screen: what each key means now, and what there is to see.

A screen gives the orders, and asks for a ``StageView`` per frame.  An order that cannot be
followed is answered by a notice: a sentence that goes after a while.
"""

from __future__ import annotations

import time

from syncsim.core.atoms import ActorId
from syncsim.core.faults import why_not
from syncsim.core.live import Inspected, Mode
from syncsim.core.schedule import Move, format_schedule
from syncsim.core.state import Actor, State
from syncsim.core.words.waiting import waiting_for
from syncsim.program.source import Program, ProgramError, read_again
from syncsim.program.start_methods import replayed
from syncsim.puzzles.catalogue import Puzzle
from syncsim.puzzles.goals import Result, result_of
from syncsim.session.background_check import BackgroundCheck, Begin
from syncsim.session.check_state import Checking, as_one_steps, marks_of, step_of
from syncsim.session.playing import OVER, Playing, Start
from syncsim.session.speed import Clock
from syncsim.session.stage_view import Attention, CheckStanding, StageView

#: How long a notice stays, in seconds.
NOTICE = 8.0

CHOOSE_FIRST = "Choose a process first, with ↑ and ↓."


class Stage:
    """One program that a person plays, and the puzzle it belongs to, if any."""

    def __init__(
        self,
        program: Program,
        puzzle: Puzzle | None,
        start: Start,
        begin: Begin = BackgroundCheck,
        clock: Clock = time.monotonic,
    ) -> None:
        self.puzzle = puzzle
        self.playing = Playing(program, start, clock=clock)
        self.checking = Checking(begin)
        #: How many hints were given.
        self.hints_given = 0
        self._clock = clock
        self._seed = 1
        self._notice = ""
        #: When the notice is to go; None: it stays.
        self._notice_until: float | None = None
        self._told_broken = ""
        #: The process asked about, in which state and mode.
        self._asked: tuple[ActorId, State, Mode] | None = None

    def close(self) -> None:
        """Leave no run and no check behind."""
        self.playing.close()
        self.checking.close()

    # -- what there is to see -----------------------------------------------------------------

    def take_in(self) -> None:
        """Take in what has happened since the last frame."""
        playing = self.playing
        playing.drain()
        self.checking.drain()
        self.checking.ask(playing.program, playing.history, playing.moment)
        if playing.broken and not self._told_broken:
            self.hush()
        self._told_broken = playing.broken
        if playing.said:
            self.notice(playing.said)
            playing.said = ""
        elif self._notice_until is not None and self._clock() >= self._notice_until:
            self.hush()

    def view(self, attention: Attention) -> StageView:
        """Return what there is to see for a person who looks there."""
        playing, checking, puzzle = self.playing, self.checking, self.puzzle
        moment, now = playing.moment, playing.history.now
        seen = checking.foreseen(moment)
        doomed_after = seen.doomed_after if seen is not None else None
        result = self._result(attention)
        hints = len(puzzle.hints) if puzzle is not None else 0
        return StageView(
            state=moment.state,
            title=puzzle.title if puzzle is not None else playing.program.name,
            goal=puzzle.goal if puzzle is not None else None,
            history=playing.history,
            present=now.state,
            diagnosis=playing.diagnosis,
            step=moment.step,
            last=moment.last,
            printed=now.printed,
            past=playing.at,
            mode=playing.mode,
            speed=playing.speed,
            travel=playing.travel,
            picks=self._picks,
            grain=playing.grain,
            closely=self._closely,
            broken=bool(playing.broken),
            replaying=playing.replaying,
            awaited=playing.awaited if playing.at is None else "",
            verdict=playing.verdict.diagnosis.verdict if playing.verdict is not None else None,
            result=result,
            result_closely=result is not None and playing.inside(result.verdict.n),
            inspected=self._inspected(attention.inspected, moment.state),
            foreseen=seen,
            doomed_since=None if doomed_after is None else step_of(playing.history, doomed_after),
            marks=marks_of(seen) if checking.shows_marks(playing.program) else None,
            check=self._check_standing(attention),
            check_told=checking.told,
            check_word=checking.word,
            hints=hints,
            hint=self.hints_given % hints + 1 if hints else 0,
            notice=self._notice or playing.broken,
        )

    @property
    def _picks(self) -> str:
        if self.playing.following is not None:
            return "replay {} of {}".format(*self.playing.following)
        return self.playing.scheduler

    @property
    def _closely(self) -> bool:
        """Whether steps inside calls are counted, or told of: those of a par are by call."""
        playing, checking = self.playing, self.checking
        made = playing.xrayed or playing.inside(playing.history.now.state.n)
        return made or (checking.told and checking.inside)

    def _result(self, attention: Attention) -> Result | None:
        playing = self.playing
        covered = attention.choosing_fault or attention.covers_verdict or self.checking.told
        if playing.at is not None or covered:
            return None
        return result_of(
            self.puzzle.goal if self.puzzle is not None else None,
            playing.verdicts,
            lambda n: playing.history.at(n).state,
            "" if playing.by_hand else playing.picked_by,
        )

    def _check_standing(self, attention: Attention) -> CheckStanding | None:
        checking, playing = self.checking, self.playing
        if not (checking.running or checking.told) or attention.choosing_fault:
            return None
        return CheckStanding(
            checking.running, checking.searched, checking.checked, checking.why, checking.known,
            not checking.is_of(playing.program), playing.history.now.state,
        )  # fmt: skip

    def _inspected(self, actor: ActorId | None, state: State) -> Inspected | None:
        """Ask about the process in the inspector, once per state; what is known of it."""
        playing = self.playing
        if actor is None:
            self._asked = None
            return None
        if not playing.observable or playing.at is not None or state.actors[actor].ended:
            return None
        now, asked = (actor, state, playing.mode), self._asked
        if asked is None or any(a is not b for a, b in zip(now, asked, strict=True)):
            self._asked = now
            playing.live.inspect(actor)
        return playing.inspected

    # -- notices ------------------------------------------------------------------------------

    def notice(self, text: str, *, stays: bool = False) -> None:
        """Say a sentence, for a while."""
        self._notice = text
        self._notice_until = None if stays else self._clock() + NOTICE

    def hush(self) -> None:
        """Take the notice back."""
        self._notice, self._notice_until = "", None

    # -- orders -------------------------------------------------------------------------------

    def play(self) -> None:
        """Play or pause; from the past, go to the present."""
        playing = self.playing
        if playing.at is not None:
            playing.at = None
        elif playing.mode is Mode.OVER:
            self.notice(OVER)
        elif playing.mode is Mode.PAUSED:
            self.hush()
            playing.live.play()
        else:
            playing.live.pause()

    def step(self) -> None:
        """Make one step, or go one moment forward."""
        playing = self.playing
        self.hush()
        if playing.at is not None:
            playing.forward()
        elif playing.mode is Mode.OVER:
            self.notice(OVER)
        elif playing.mode is Mode.FREE:
            playing.live.pause()
            self.notice("Paused out of free running: s steps on from here.")
        else:
            playing.step()

    def step_of(self, number: ActorId | None) -> None:
        """Make one step of that process, or say why it cannot go."""
        playing = self.playing
        actor = self._actor(number)
        self.hush()
        if playing.at is not None:
            self.notice("This is the past: → goes forward, b branches off from here.")
        elif actor is None:
            self.notice(CHOOSE_FIRST)
        elif playing.mode is Mode.FREE:
            playing.live.pause()
            self.notice("Paused out of free running: ⏎ steps on from here.")
        elif playing.broken:
            self.notice(OVER)
        elif why := _why_no_step(playing.history.now.state, actor):
            self.notice(why)
        else:
            playing.step(actor.id)

    def free(self) -> None:
        """Let the operating system schedule, or pause that."""
        playing = self.playing
        if playing.mode is Mode.OVER:
            self.notice(OVER)
        elif playing.at is not None:
            self.notice("This is the past: space goes to the present.")
        elif playing.mode is Mode.FREE:
            playing.live.pause()
        else:
            playing.live.free()

    def may_fault(self, number: ActorId | None) -> bool:
        """Return whether something can be done to that process; else say why not."""
        playing = self.playing
        self.hush()
        if playing.at is not None:
            self.notice("This is the past: b branches off from here, space goes to the present.")
        elif playing.broken or all(actor.ended for actor in playing.history.now.state.actors):
            self.notice(OVER)
        elif self._actor(number) is None:
            self.notice(CHOOSE_FIRST)
        else:
            if playing.mode is Mode.PLAYING:
                playing.live.pause()
            return True
        return False

    def fault(self, number: ActorId, move: Move) -> bool:
        """Kill, terminate, stop or continue that process; return False where that cannot be."""
        state = self.playing.history.now.state
        why = why_not(state, state.actors[number], move)
        if why:
            self.notice(why)
            return False
        self.playing.fault(number, move)
        return True

    def check(self) -> None:
        """Check the program as its file stands now, or stop that; then: what of it is shown."""
        checking = self.checking
        self.hush()
        try:
            program = read_again(self.playing.program)
        except ProgramError as error:
            self.notice(str(error))
            return
        if checking.running:
            checking.close()
            self.notice("The check was stopped.")
        elif checking.is_of(program):
            checking.turn()
        else:
            checking.start(program)

    def replay(self, number: int) -> None:
        """Replay what the check has found, step by step, from the beginning."""
        checking = self.checking
        found = checking.replayable
        if not checking.told or number > len(found):
            self.notice("There is nothing to replay: v checks the program.")
            return
        failure = found[number - 1]
        if self.playing.replay(*as_one_steps(failure)):
            checking.told = False
            self.notice(f"The way to the {failure.verdict}: s makes its steps, space plays it.")

    def xray(self) -> None:
        """Step atom by atom, with all that is inside; or call by call again."""
        self.hush()
        self.playing.live.xray(on=not self.playing.xrayed)

    def another_order(self) -> None:
        """Let another random seed pick from now on."""
        self._seed += 1
        self.playing.use(f"random:{self._seed}")

    def round_robin(self) -> None:
        """Let everyone go in turn from now on."""
        self.playing.use("round-robin")

    def back(self) -> None:
        """Look at the moment before."""
        if not self.playing.back():
            first = self.playing.history.moments[0].state.n
            self.notice("This is as far back as is kept." if first else "This is the beginning.")

    def branch(self) -> None:
        """Go another way from the moment looked at."""
        if self.playing.at is None:
            self.notice("Look back first, with ←, to the moment to branch off from.")
        elif self.playing.branch():
            self.hush()
        else:
            self.notice(
                "No branch from here: the operating system made some of the choices, "
                "and nobody knows how to repeat them."
            )

    def restart(self) -> None:
        """Begin again, with the program as its file stands now."""
        if self.playing.restart():
            self.hush()

    def copy(self) -> str:
        """Return the schedule that leads to the moment looked at; empty where there is none."""
        playing = self.playing
        schedule = playing.history.schedule(playing.moment)
        if schedule is None:
            self.notice("There is no schedule: the operating system made some of the choices.")
        elif not schedule:
            self.notice("No choice has been made yet: the schedule is empty.")
        else:
            return replayed(format_schedule(schedule), playing.program.start_method)
        return ""

    def hint(self) -> None:
        """Give the next hint of the puzzle."""
        hints = self.puzzle.hints if self.puzzle is not None else ()
        if self.puzzle is None or not hints:
            self.notice("There is no hint for this program.")
            return
        self.hints_given += 1
        self.notice(self.puzzle.hint((self.hints_given - 1) % len(hints) + 1), stays=True)

    def _actor(self, number: ActorId | None) -> Actor | None:
        actors = self.playing.history.now.state.actors
        return actors[number] if number is not None and number < len(actors) else None


def _why_no_step(state: State, actor: Actor) -> str:
    """Return why the actor cannot go, with the key that helps; empty if it can."""
    if actor.ended:
        return f"{actor.name} has ended: choose another process."
    if actor.stopped:
        return f"{actor.name} is stopped: k continues it."
    wait = waiting_for(state, actor)
    if wait is not None and actor.pending is not None and not actor.pending.can_time_out:
        return f"{actor.name} {wait.clause}."
    return ""
