"""The stage: a program runs, and a person watches it, steps it, and looks back.

The screen only looks: one timer takes in what has happened and draws once per frame.  What a
key means is decided by ``session.stage``; what there is to see comes from there as one value.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from syncsim.core.operation import Site
from syncsim.program.source import Program
from syncsim.puzzles.catalogue import Puzzle
from syncsim.session.background_check import BackgroundCheck, Begin
from syncsim.session.playing import Start
from syncsim.session.speed import SLOW_LINE, Clock
from syncsim.session.stage import Stage
from syncsim.session.stage_view import Attention, StageView
from syncsim.ui.about import opening
from syncsim.ui.look import clean, cut, shown
from syncsim.ui.screens.stage_keys import BRIEF, STAGE_KEYS, key_words
from syncsim.ui.widgets.check_band import CheckBand
from syncsim.ui.widgets.faults_menu import FaultsMenu
from syncsim.ui.widgets.header import GoalLine, Header, Standing
from syncsim.ui.widgets.keys import KeyLine
from syncsim.ui.widgets.panels import Panels
from syncsim.ui.widgets.verdict_band import BandContent, VerdictBand

#: Frames per second; fewer over a network.
FRAMES = 10 if SLOW_LINE else 15

#: When more steps than this come in a frame, nobody can read them one by one: the panels that
#: tell of single steps are then drawn only in every ``SELDOM``-th frame, and at the end.
MANY = 6
SELDOM = 5


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
        self.session = Stage(program, puzzle, start, begin, clock)
        self._view = self.session.view(Attention())
        self._panels = Panels(program, self._view.history, opening(puzzle), clock)
        self._count = 0
        self._taken = 0
        #: Whether another process was chosen since the last step.
        self._choosing = False
        self._said = ""
        #: What was drawn last; None: nothing, or it must be drawn anew.
        self._drawn: tuple[StageView, Attention, bool] | None = None

    # -- what is on it ----------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Header, goal, panels, verdict, keys."""
        view = self._view
        yield Header(Standing(view.title, scheduler=view.picks))
        if view.goal is not None:
            yield GoalLine(view.goal.text, view.goal.par)
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
        """Leave no run and no check behind, however the person leaves."""
        self.session.close()

    def on_resize(self) -> None:
        """Share the room out anew."""
        self._resized_soon()

    def _resized_soon(self) -> None:
        """Draw all anew, once the panels have their new room."""
        self._drawn = None
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self._panels.name_panels()
        self.look()

    # -- one frame --------------------------------------------------------------------------

    def look(self) -> None:
        """Take in what has happened, then draw what has changed."""
        session, panels, menu = self.session, self._panels, self._menu
        session.take_in()
        playing = session.playing
        if playing.history is not self._view.history:
            self._begin_again()
        whole = self._take_in_time()
        words = menu.words if menu.is_open else None
        attention = panels.attention(playing.moment.state, words)
        view = self._view = session.view(attention)
        before, self._drawn = self._drawn, (view, attention, whole)
        if before is not None:
            # (Two states are compared in full only where they are the same one.)
            if view.state is before[0].state and self._drawn == before:
                return
            if view.state.n != before[0].state.n:
                self._choosing = False
            elif attention.actor != before[1].actor:
                self._choosing = True
        self._draw(view, attention, whole=whole)

    def _take_in_time(self) -> bool:
        """Let the bars of time grow, unless too much happens; return whether they show all."""
        playing, bars = self.session.playing, self._panels.time
        self._count += 1
        fast = len(playing.fresh) - self._taken > MANY
        self._taken = len(playing.fresh)
        if not fast or self._count % SELDOM == 0:
            for state in playing.fresh[-max(1, bars.size.width) :]:
                bars.add(state)
            playing.fresh.clear()
            self._taken = 0
        return not playing.fresh

    def _draw(self, view: StageView, attention: Attention, *, whole: bool) -> None:
        panels = self._panels
        with self.app.batch_update():
            self.query_one(Header).show(Standing.of(view))
            for goal in self.query(GoalLine):
                if goal.show(closely=view.closely):
                    self.call_after_refresh(self._share_room)
            self._share_room()
            moves = self.app.animation_level != "none"
            panels.primitives.travel = view.travel if moves else 0.0
            panels.show(view, self._place(), whole=whole)
            outcome = BandContent.of(view)
            self.query_one(VerdictBand).show(outcome)
            self.query_one(CheckBand).show(view.check)
            told = outcome is not None or view.check_told
            if self.has_class("-verdict") != told:
                self.set_class(told, "-verdict")
                self.call_after_refresh(self._share_room)
            panels.show_sheet(view)
            self._menu.show(view.present)
            line = self.query_one(KeyLine)
            line.use(self.BINDINGS if attention.fault_words is None else self._menu.BINDINGS)
            words = key_words(view, attention, panels.actor(view.state))
            line.say(words if attention.fault_words is None else attention.fault_words)
            self._say(view.notice)

    def _say(self, notice: str) -> None:
        """Show a sentence above the keys; empty: none."""
        if notice == self._said:
            return
        self._said = notice
        line = self.query_one("#notice", Static)
        line.display = bool(notice)
        line.update(Content(shown(clean(notice, 600))))

    def _place(self) -> Site | None:
        """Return where the action is: of the step just made, or of the process just chosen."""
        view = self._view
        step = None if self._choosing else view.step
        if step is not None:
            return Site(step.file, step.line, step.function) if step.file else None
        actor = self._panels.actor(view.state) or next(iter(view.state.actors), None)
        return actor.site if actor is not None else None

    def _share_room(self) -> None:
        less = self.has_class("-verdict") or self._menu.is_open
        self._panels.share_room(self._view.state, verdict=less, xray=self._view.xrayed)

    def _begin_again(self) -> None:
        """Another run is on the stage."""
        if self._menu.is_open:
            self._close_menu()
        playing = self.session.playing
        self._panels.begin(playing.history, playing.program)

    @property
    def _menu(self) -> FaultsMenu:
        return self.query_one(FaultsMenu)

    # -- playing ----------------------------------------------------------------------------

    def action_order(self, name: str) -> None:
        """Give the session an order that needs nothing of the screen."""
        order: Callable[[], None] = getattr(self.session, name)
        order()
        self.look()

    def action_step_chosen(self) -> None:
        """Make one step of the chosen process, or say why it cannot go."""
        if self._panels.among_primitives:
            self.action_inspect()
            return
        self.session.step_of(self._panels.processes.chosen)
        self.look()

    def action_choose(self, by: int) -> None:
        """Choose the next process or primitive."""
        self._panels.choose(by)
        self.look()

    def action_faster(self, by: int) -> None:
        """Play at another speed."""
        self.session.playing.faster(by)
        self.look()

    def action_faults(self) -> None:
        """Ask what to do to the chosen process."""
        present = self.session.playing.history.now.state
        actor = self._panels.actor(present)
        if self.session.may_fault(self._panels.processes.chosen) and actor is not None:
            self._menu.open(actor, present)
        self._resized_soon()

    @on(FaultsMenu.Picked)
    def _do_fault(self, picked: FaultsMenu.Picked) -> None:
        if self.session.fault(picked.actor, picked.move):
            self._close_menu()
        self.look()

    @on(FaultsMenu.Closed)
    def _close_menu(self) -> None:
        self._menu.close()
        self.set_focus(self._panels.processes, scroll_visible=False)
        self._resized_soon()

    def action_check(self) -> None:
        """Start the check, stop it, or show more or less of its result."""
        self.session.check()
        self._resized_soon()

    def action_replay(self, number: int) -> None:
        """Replay what the check has found, step by step, from the beginning."""
        self.session.replay(number)
        self._resized_soon()

    def action_copy(self) -> None:
        """Copy the schedule."""
        schedule = self.session.copy()
        if schedule:
            self.app.copy_to_clipboard(schedule)
            room = max(20, self.size.width - 24)
            self.session.notice(f"Schedule copied: {cut(schedule, room)}")
        self.look()

    # -- looking ----------------------------------------------------------------------------

    def action_inspect(self) -> None:
        """Open or close the inspector; on the process that moved last, if none is chosen."""
        moment = self.session.playing.moment
        mover = moment.step.actor if moment.step is not None else 0
        self._panels.inspect(moment.state, mover)
        self._drawn = None
        self.look()

    def action_sheet(self, by: int) -> None:
        """Scroll the inspector."""
        if by > 0:
            self._panels.inspector.scroll_page_down(animate=False)
        else:
            self._panels.inspector.scroll_page_up(animate=False)

    def action_code(self) -> None:
        """Show the whole program."""
        from syncsim.ui.screens.code import CodeScreen

        program = self.session.playing.program
        self.app.push_screen(CodeScreen(program, self._view.state, self._place()))

    def action_help(self) -> None:
        """Show the story of the puzzle, what the signs mean, and all keys."""
        from syncsim.ui.screens.help import HelpScreen

        session = self.session
        self.app.push_screen(HelpScreen(self.BINDINGS, session.puzzle, session.hints_given))

    def action_leave(self) -> None:
        """Close what is open; then go back."""
        checking = self.session.checking
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
        self._drawn = None
        self.call_after_refresh(self._focus, panel)

    def _focus(self, panel: Widget) -> None:
        self.set_focus(panel, scroll_visible=False)
        self.look()

    def action_tab(self, tab: str) -> None:
        """Show the named tab of the panels which share a place."""
        self._panels.show_tab(tab)
        self._drawn = None
        self.call_after_refresh(self.look)
