"""The stage: a program runs, and one watches it, steps it, and looks back.

The screen only looks: one timer takes in what has happened and draws once per frame.
"""

from __future__ import annotations

import time
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis, Verdict
from syncsim.core.faults import why_not
from syncsim.core.live import Diagnosed, Mode
from syncsim.core.operation import Site
from syncsim.core.schedule import format_schedule
from syncsim.core.state import Actor, State
from syncsim.core.words.waiting import waiting_for
from syncsim.program.source import Program, ProgramError, read_again
from syncsim.program.start_methods import replayed
from syncsim.puzzles.catalogue import Puzzle
from syncsim.session.background_check import BackgroundCheck, Begin
from syncsim.session.check_state import (
    Checking,
    as_one_steps,
    marks_of,
    step_of,
)
from syncsim.session.playing import OVER, Playing, Start
from syncsim.session.speed import SLOW_LINE, Clock
from syncsim.ui.about import hint, opening
from syncsim.ui.look import clean, cut, shown
from syncsim.ui.screens.stage_keys import BRIEF, STAGE_KEYS
from syncsim.ui.widgets.check_band import CheckBand, CheckStanding
from syncsim.ui.widgets.faults_menu import FaultsMenu
from syncsim.ui.widgets.header import GoalLine, Header, Standing
from syncsim.ui.widgets.inspector import about_part, about_primitive, about_process
from syncsim.ui.widgets.keys import KeyLine
from syncsim.ui.widgets.panels import Panels
from syncsim.ui.widgets.verdict_band import BandContent, VerdictBand, brief

#: Frames per second; fewer over a network.
FRAMES = 10 if SLOW_LINE else 15

#: When more steps than this come in a frame, nobody can read them one by one: the panels that
#: tell of single steps are then drawn only in every ``SELDOM``-th frame, and at the end.
MANY = 6
SELDOM = 5

#: How long a notice stays, in seconds.
NOTICE = 8.0


class StageScreen(Screen[None]):
    """A program on the stage, and the puzzle it belongs to, if any."""

    CSS_PATH = "stage.tcss"
    AUTO_FOCUS = "#processes"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (declared so by Textual)
        (0, "-narrow"),
        (100, "-normal"),
        (170, "-wide"),
    ]
    BINDINGS = STAGE_KEYS

    def __init__(
        self,
        program: Program,
        puzzle: Puzzle | None,
        start: Start,
        begin: Begin = BackgroundCheck,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__()
        self._puzzle = puzzle
        self._playing = Playing(program, start, clock=clock)
        self._clock = clock
        self._checking = Checking(begin)
        self._panels = Panels(program, self._playing.history, opening(puzzle), clock)
        self._seed = 1
        self._hints = 0
        self._count = 0
        self._taken = 0
        #: Whether another process was chosen since the last step.
        self._choosing = False
        self._drawn: tuple[Any, ...] = ()
        #: Whom one has looked at closely, in which state, and how it went on then.
        self._asked: tuple[ActorId, State, Mode] | None = None
        #: When the notice is to go; None: it stays, or there is none.
        self._hides: float | None = None

    # -- what is on it ----------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Header, goal, panels, verdict, keys."""
        title = self._puzzle.title if self._puzzle else self._playing.program.name
        yield Header(Standing(title, scheduler=self._playing.scheduler))
        if self._puzzle is not None:
            yield GoalLine(self._puzzle.goal.text, self._puzzle.goal.par)
        yield self._panels
        yield VerdictBand()
        yield CheckBand()
        yield FaultsMenu()
        yield Static(id="notice", markup=False)
        yield KeyLine(self.BINDINGS, BRIEF)

    def on_mount(self) -> None:
        """Begin to look."""
        self._panels.name_panels()
        self.set_interval(1 / FRAMES, self.look)
        self.look()

    def on_unmount(self) -> None:
        """Leave no run and no check behind, however one leaves."""
        self._playing.close()
        self._checking.close()

    def on_resize(self) -> None:
        """Share the room out anew."""
        self._resized_soon()

    def _resized(self) -> None:
        self._panels.name_panels()
        self.look()

    # -- one frame --------------------------------------------------------------------------

    def look(self) -> None:
        """Take in what has happened, then draw what has changed."""
        playing, panels = self._playing, self._panels
        playing.drain()
        self._checking.drain()
        self._checking.ask(playing.program, playing.history, playing.moment)
        if playing.said:
            self.notice(playing.said)
            playing.said = ""
        elif self._hides is not None and self._clock() >= self._hides:
            self._hush()
        self._count += 1
        fast = len(playing.fresh) - self._taken > MANY
        self._taken = len(playing.fresh)
        if not fast or self._count % SELDOM == 0:
            for state in playing.fresh[-max(1, panels.time.size.width) :]:
                panels.time.add(state)
            playing.fresh.clear()
            self._taken = 0
        state, diagnosis = playing.moment.state, playing.diagnosis
        now = (
            state, diagnosis, playing.at, playing.mode, playing.rung, playing.scheduler,
            playing.broken, playing.replaying, playing.verdict, playing.inspected,
            panels.processes.chosen, panels.primitives.chosen, playing.history.now.printed,
            panels.inspector.display, panels.among_primitives, bool(playing.fresh),
            playing.moment.last, playing.awaited, self._menu.is_open and self._menu.words,
            playing.grain, self._hints, self._check_standing(),
            self._checking.shows_marks(playing.program),
            self._checking.foreseen(playing.moment), playing.following,
        )  # fmt: skip
        if (
            len(now) == len(self._drawn)
            and all(a is b or a == b for a, b in zip(now[1:], self._drawn[1:], strict=True))
            and state is self._drawn[0]
        ):
            return
        if self._drawn and state.n != self._drawn[0].n:
            self._choosing = False
        elif self._drawn and panels.processes.chosen != self._drawn[10]:
            self._choosing = True
        self._drawn = now
        self._draw(state, diagnosis)

    def _draw(self, state: State, diagnosis: Diagnosis | None) -> None:
        playing = self._playing
        known = diagnosis or Diagnosis(None)
        checking = self._checking
        marks = None
        if checking.shows_marks(playing.program):
            marks = marks_of(checking.foreseen(playing.moment))
        with self.app.batch_update():
            self.query_one(Header).show(self._standing())
            for goal in self.query(GoalLine):
                if goal.show(closely=self._closely):
                    self.call_after_refresh(self._share_room, state)
            self._share_room(state)
            moves = self.app.animation_level != "none"
            self._panels.primitives.travel = playing.travel if moves else 0.0
            self._panels.show(
                playing.moment,
                known,
                playing.at,
                self._place(),
                whole=not playing.fresh,
                xray=playing.xrayed,
                marks=marks,
            )
            outcome = self._outcome()
            self.query_one(VerdictBand).show(outcome)
            self.query_one(CheckBand).show(self._check_standing())
            told = outcome is not None or checking.told
            if self.has_class("-verdict") != told:
                self.set_class(told, "-verdict")
                self.call_after_refresh(self._share_room, state)
            self._inspect(state, diagnosis)
            self._menu.show(playing.history.now.state)
            self._say_keys(state)
        if playing.broken:
            self.notice(playing.broken, stays=True)

    def _standing(self) -> Standing:
        playing = self._playing
        title = self._puzzle.title if self._puzzle else playing.program.name
        instead = ""
        if playing.broken:
            instead = "broken"
        elif playing.replaying:
            instead = "going back there"
        elif not playing.history.now.state.actors:
            instead = "starting"
        elif playing.at is None and playing.awaited:
            instead = f"waiting for {cut(clean(playing.awaited), 24)}"
        verdict = playing.verdict.diagnosis.verdict if playing.verdict is not None else None
        stands = ""
        if playing.at is None and verdict is not None and verdict is not Verdict.FINISHED:
            stands = brief(verdict)
        picks = playing.scheduler
        if playing.following is not None:
            picks = "replay {} of {}".format(*playing.following)
        standing = Standing(
            title, playing.history.now.state.n, playing.mode, picks,
            playing.speed, None if playing.at is None else playing.moment.state.n, instead,
            stands, playing.xrayed,
        )  # fmt: skip
        seen = self._checking.foreseen(playing.moment)
        if seen is None:
            return standing
        since = None
        if seen.doomed_after is not None:
            since = step_of(playing.history, seen.doomed_after)
        return standing._replace(outlook=seen.outlook, fails=" or ".join(seen.fails), since=since)

    def _check_standing(self) -> CheckStanding | None:
        """What is told of the check; None where there is none, or one does not want to see it."""
        checking, playing = self._checking, self._playing
        if not (checking.running or checking.told) or self._menu.is_open:
            return None
        return CheckStanding(
            checking.running, checking.searched, checking.checked, checking.why, checking.known,
            not checking.is_of(playing.program), playing.history.now.state,
        )  # fmt: skip

    def _place(self) -> Site | None:
        """Where the action is: of the step just made, or of the process just chosen."""
        moment = self._playing.moment
        step = None if self._choosing else moment.step
        if step is not None:
            return Site(step.file, step.line, step.function) if step.file else None
        actor = self._panels.actor(moment.state) or next(iter(moment.state.actors), None)
        return actor.site if actor is not None else None

    def _outcome(self) -> BandContent | None:
        """What the band says: the verdict that is the goal, once it is reached, or the newest."""
        playing = self._playing
        covered = self._menu.is_open or self._checking.told
        covered |= self._panels.narrow and self._panels.inspecting
        if playing.at is not None or playing.verdict is None or covered:
            return None
        goal = self._puzzle.goal if self._puzzle else None
        reached, by = None, ""
        verdict = playing.verdict
        if goal is not None:
            wins = [v for v in playing.verdicts if self._wins(v)]
            verdict = wins[0] if wins else verdict
            if wins and goal.kind == "break" and not playing.by_hand:
                by = playing.picked_by
            reached = bool(wins) and not by
        return BandContent(
            verdict.diagnosis, verdict.n, playing.history.now.state, reached,
            goal.par if goal else None, goal.text if goal else "", by,
            playing.inside(verdict.n),
        )  # fmt: skip

    @property
    def _closely(self) -> bool:
        """Whether steps inside calls are counted, or told of: those of a par are by call."""
        playing, checking = self._playing, self._checking
        made = playing.xrayed or playing.inside(playing.history.now.state.n)
        return made or (checking.told and checking.inside)

    def _wins(self, verdict: Diagnosed) -> bool:
        goal = self._puzzle.goal if self._puzzle else None
        if goal is None:
            return False
        then = self._playing.history.at(verdict.n).state
        if any(actor.killed for actor in then.actors):  # that is not the program's own doing
            return False
        wanted = Verdict.FINISHED if goal.kind == "watch" else goal.verdict
        return verdict.diagnosis.verdict == wanted

    def _share_room(self, state: State) -> None:
        less = self.has_class("-verdict") or self._menu.is_open
        self._panels.share_room(state, verdict=less, xray=self._playing.xrayed)

    @property
    def _menu(self) -> FaultsMenu:
        return self.query_one(FaultsMenu)

    def _say_keys(self, state: State) -> None:
        playing = self._playing
        line = self.query_one(KeyLine)
        line.use(self._menu.BINDINGS if self._menu.is_open else self.BINDINGS)
        if self._menu.is_open:
            line.say(self._menu.words)
            return
        words = {"stage.branch": ""} if playing.at is None else {}
        hints = len(self._puzzle.hints) if self._puzzle else 0
        words["stage.hint"] = f"hint {self._hints % hints + 1}/{hints}" if hints else ""
        if self._puzzle is not None:
            words["stage.help"] = "story, help"
        if not state.n:
            words["stage.back"] = ""
        if playing.mode in (Mode.PLAYING, Mode.FREE):
            words["stage.play"] = "pause"
        if self._panels.inspecting:
            words["stage.inspect"] = "close"
        if playing.xrayed:
            words["stage.xray"] = "by call"
        words["stage.check"] = self._checking.word
        if playing.mode is Mode.OVER:
            gone = ("play", "step", "step_chosen", "slower", "free", "xray")
            words |= {f"stage.{key}": "" for key in gone}
        else:
            words["stage.copy"] = ""
        if playing.at is not None:
            words |= {
                "stage.play": "to present", "stage.step": "forward",
                "stage.step_chosen": "", "stage.slower": "", "stage.free": "",
                "stage.faults": "",
            }  # fmt: skip
        elif self._panels.among_primitives:
            words["stage.step_chosen"] = ""
        elif (actor := self._panels.actor(state)) is not None and playing.mode is not Mode.OVER:
            words["stage.step_chosen"] = f"step {cut(clean(actor.name), 10)}"
        if all(actor.ended for actor in state.actors):
            words["stage.faults"] = ""
        line.say(words)

    def notice(self, text: str, *, stays: bool = False) -> None:
        """Say a sentence above the keys, for a while."""
        line = self.query_one("#notice", Static)
        line.update(Content(shown(clean(text, 600))))
        line.display = True
        self._hides = None if stays else self._clock() + NOTICE

    def _hush(self) -> None:
        self._hides = None
        if self._playing.broken:
            self.notice(self._playing.broken, stays=True)
        else:
            self.query_one("#notice").display = False

    # -- playing ----------------------------------------------------------------------------

    def action_play(self) -> None:
        """Play or pause; from the past, go to the present."""
        playing = self._playing
        if playing.at is not None:
            playing.at = None
        elif playing.mode is Mode.OVER:
            self.notice(OVER)
        elif playing.mode is Mode.PAUSED:
            self._hush()
            playing.live.play()
        else:
            playing.live.pause()
        self.look()

    def action_step(self) -> None:
        """One step, or one moment forward."""
        playing = self._playing
        self._hush()
        if playing.at is not None:
            playing.forward()
        elif playing.mode is Mode.OVER:
            self.notice(OVER)
        elif playing.mode is Mode.FREE:
            playing.live.pause()
            self.notice("Paused out of free running: s steps on from here.")
        else:
            playing.step()
        self.look()

    def action_step_chosen(self) -> None:
        """One step of the chosen process, or the reason why it cannot go."""
        playing = self._playing
        if self._panels.among_primitives:
            self.action_inspect()
            return
        state = playing.history.now.state
        actor = self._panels.actor(state)
        self._hush()
        if playing.at is not None:
            self.notice("This is the past: → goes forward, b branches off from here.")
        elif actor is None:
            self.notice("Choose a process first, with ↑ and ↓.")
        elif playing.mode is Mode.FREE:
            playing.live.pause()
            self.notice("Paused out of free running: ⏎ steps on from here.")
        elif playing.broken:
            self.notice(OVER)
        elif why := _why_not(state, actor):
            self.notice(why)
        else:
            playing.step(actor.id)
        self.look()

    def action_choose(self, by: int) -> None:
        """Choose the next process or primitive."""
        self._panels.choose(by)
        self.look()

    def action_faster(self, by: int) -> None:
        """Another speed."""
        self._playing.faster(by)
        self.look()

    def action_free(self) -> None:
        """Let the operating system schedule."""
        playing = self._playing
        if playing.mode is Mode.OVER:
            self.notice(OVER)
        elif playing.at is not None:
            self.notice("This is the past: space goes to the present.")
        elif playing.mode is Mode.FREE:
            playing.live.pause()
        else:
            playing.live.free()

    def action_faults(self) -> None:
        """Ask what to do to the chosen process."""
        playing = self._playing
        state = playing.history.now.state
        actor = self._panels.actor(state)
        self._hush()
        if playing.at is not None:
            self.notice("This is the past: b branches off from here, space goes to the present.")
        elif playing.broken or all(one.ended for one in state.actors):
            self.notice(OVER)
        elif actor is None:
            self.notice("Choose a process first, with ↑ and ↓.")
        else:
            if playing.mode is Mode.PLAYING:
                playing.live.pause()
            self._menu.open(actor, state)
            self._resized_soon()

    @on(FaultsMenu.Picked)
    def _do_fault(self, picked: FaultsMenu.Picked) -> None:
        state = self._playing.history.now.state
        why = why_not(state, state.actors[picked.actor], picked.move)
        if why:
            self.notice(why)
        else:
            self._close_menu()
            self._playing.fault(picked.actor, picked.move)
            self.look()

    @on(FaultsMenu.Closed)
    def _close_menu(self) -> None:
        self._menu.close()
        self.set_focus(self._panels.processes, scroll_visible=False)
        self._resized_soon()

    def _resized_soon(self) -> None:
        """The panels have more room, or less."""
        self._drawn = ()
        self.call_after_refresh(self._resized)

    def action_check(self) -> None:
        """Check the program as its file stands now, or stop that; then: what of it one sees."""
        checking = self._checking
        self._hush()
        try:
            program = read_again(self._playing.program)
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
        self._resized_soon()

    def action_replay(self, number: int) -> None:
        """What the check has found, step by step, from the beginning."""
        checking = self._checking
        found = checking.replayable
        if not checking.told or number > len(found):
            self.notice("There is nothing to replay: v checks the program.")
            return
        failure = found[number - 1]
        schedule, grain = as_one_steps(failure)
        if self._playing.replay(schedule, grain):
            checking.told = False
            self._begin_again()
            self.notice(f"The way to the {failure.verdict}: s makes its steps, space plays it.")
        self._resized_soon()

    def action_xray(self) -> None:
        """Atom by atom, with all that is inside; or call by call again."""
        self._hush()
        self._playing.live.xray(on=not self._playing.xrayed)
        self.look()

    def action_another_order(self) -> None:
        """Another random order from now on."""
        self._seed += 1
        self._playing.use(f"random:{self._seed}")
        self.look()

    def action_round_robin(self) -> None:
        """Everyone in turn from now on."""
        self._playing.use("round-robin")
        self.look()

    def action_back(self) -> None:
        """Look at the moment before."""
        if not self._playing.back():
            first = self._playing.history.moments[0].state.n
            self.notice("This is as far back as is kept." if first else "This is the beginning.")
        self.look()

    def action_branch(self) -> None:
        """Another way from the moment one looks at."""
        playing = self._playing
        if playing.at is None:
            self.notice("Look back first, with ←, to the moment to branch off from.")
        elif playing.branch():
            self._begin_again()
        else:
            self.notice(
                "No branch from here: the operating system made some of the choices, "
                "and nobody knows how to repeat them."
            )

    def action_restart(self) -> None:
        """From the beginning."""
        if self._playing.restart():
            self._begin_again()
        self.look()

    def _begin_again(self) -> None:
        self._hush()
        if self._menu.is_open:
            self._close_menu()
        self._panels.begin(self._playing.history, self._playing.program)
        self._asked = None
        self.look()

    def action_copy(self) -> None:
        """Copy the schedule."""
        playing = self._playing
        schedule = playing.history.schedule(playing.moment)
        if schedule is None:
            self.notice("There is no schedule: the operating system made some of the choices.")
        elif not schedule:
            self.notice("No choice has been made yet: the schedule is empty.")
        else:
            text = replayed(format_schedule(schedule), playing.program.start_method)
            self.app.copy_to_clipboard(text)
            self.notice(f"Schedule copied: {cut(text, max(20, self.size.width - 24))}")

    # -- looking ----------------------------------------------------------------------------

    def action_inspect(self) -> None:
        """Open or close the inspector; on the process that moved last, if none is chosen."""
        panels, moment = self._panels, self._playing.moment
        state = moment.state
        chosen = (panels.actor(state), panels.primitive(state), panels.part(state))
        nothing = chosen == (None, None, None)
        if nothing and not panels.inspecting and moment.state.actors:
            panels.processes.chosen = moment.step.actor if moment.step is not None else 0
        panels.inspect()
        self._asked = None
        self._drawn = ()
        self.look()

    def action_sheet(self, by: int) -> None:
        """Scroll the inspector."""
        if by > 0:
            self._panels.inspector.scroll_page_down(animate=False)
        else:
            self._panels.inspector.scroll_page_up(animate=False)

    def _inspect(self, state: State, diagnosis: Diagnosis | None) -> None:
        playing, sheet = self._playing, self._panels.inspector
        if not sheet.display:
            return
        past = playing.history.past(state.n)
        primitive, actor = self._panels.primitive(state), self._panels.actor(state)
        part = self._panels.part(state)
        if part is not None:
            sheet.show(about_part(state, part, past))
        elif primitive is not None:
            sheet.show(about_primitive(state, primitive, past))
        elif actor is None:
            sheet.show(Content.styled(shown("Choose a process with ↑ and ↓."), "$quiet"))
        else:
            asks = playing.observable and playing.at is None and not actor.ended
            now = (actor.id, state, playing.mode)
            asked = self._asked
            if asks and not (asked and all(a is b for a, b in zip(now, asked, strict=True))):
                self._asked = now
                playing.live.inspect(actor.id)
            inspected = playing.inspected if asks else None
            sheet.show(about_process(state, actor, diagnosis, inspected, past, playing.grain))

    def action_code(self) -> None:
        """The whole program."""
        from syncsim.ui.screens.code import CodeScreen

        playing = self._playing
        self.app.push_screen(CodeScreen(playing.program, playing.moment.state, self._place()))

    def action_hint(self) -> None:
        """The next hint of the puzzle."""
        hints = self._puzzle.hints if self._puzzle else ()
        if self._puzzle is None or not hints:
            self.notice("There is no hint for this program.")
            return
        number = self._hints % len(hints) + 1
        self._hints += 1
        self.notice(hint(self._puzzle, number), stays=True)
        self.look()

    def action_help(self) -> None:
        """What the puzzle is about, what the signs mean, and all keys."""
        from syncsim.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.BINDINGS, self._puzzle, self._hints))

    def action_leave(self) -> None:
        """Close what is open; then go back."""
        checking = self._checking
        if self._panels.inspecting:
            self.action_inspect()
        elif checking.running:
            self.action_check()
        elif checking.told:
            checking.told = False
            self._resized_soon()
        else:
            self.app.pop_screen()

    # -- panels -----------------------------------------------------------------------------

    def action_panel(self, by: int) -> None:
        """Move the focus to the next panel; where they share a place, show it."""
        panel = self._panels.next_to_focus(by)
        self._drawn = ()
        self.call_after_refresh(self._focus, panel)

    def _focus(self, panel: Widget) -> None:
        self.set_focus(panel, scroll_visible=False)
        self.look()

    def action_tab(self, tab: str) -> None:
        """Show that one of those which share a place."""
        self._panels.show_tab(tab)
        self._drawn = ()
        self.call_after_refresh(self.look)


def _why_not(state: State, actor: Actor) -> str:
    """Why the actor cannot go; empty if it can."""
    if actor.ended:
        return f"{actor.name} has ended: choose another process."
    if actor.stopped:
        return f"{actor.name} is stopped: k continues it."
    wait = waiting_for(state, actor)
    if wait is not None and actor.pending is not None and not actor.pending.can_time_out:
        return f"{actor.name} {wait.clause}."
    return ""
