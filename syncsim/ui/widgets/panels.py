"""The panels of the stage, and how they share the room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.verdict import Diagnosis
from syncsim.core.operation import Site
from syncsim.core.state import Actor, Primitive, State
from syncsim.program.source import Program
from syncsim.session.history import History
from syncsim.session.speed import Clock
from syncsim.session.stage_view import Attention, StageView
from syncsim.ui.look import clean, shown
from syncsim.ui.widgets.happened import HappenedPanel
from syncsim.ui.widgets.inspector import Inspector, about_part, about_primitive, about_process
from syncsim.ui.widgets.lanes import lanes
from syncsim.ui.widgets.primitives_panel import PrimitivesPanel
from syncsim.ui.widgets.processes_panel import ProcessesPanel
from syncsim.ui.widgets.source_panel import SourcePanel
from syncsim.ui.widgets.timeline import TimelinePanel
from syncsim.ui.widgets.xray import XrayRow, part_of, parts

#: What shares the place under the processes and primitives where the terminal is narrow.
TABS = ("source", "happened", "time")


class Panels(Container):
    """Two columns; one, with what tells of the program and of time as tabs, where it is narrow."""

    def __init__(self, program: Program, history: History, opening: Content, clock: Clock) -> None:
        """``opening`` is what stands there before anything has happened."""
        super().__init__(id="body")
        self.processes = ProcessesPanel(id="processes")
        self.primitives = PrimitivesPanel(clock, id="primitives")
        self.source = SourcePanel(program)
        self.happened = HappenedPanel(history, opening)
        self.time = TimelinePanel(id="time")
        self.inspector = Inspector()
        self._names = {"source": program.name, "happened": "What happened", "time": "Time"}
        self._tab = "happened"
        self._xray = False

    def compose(self) -> Iterator[Widget]:
        """Left, right, and the inspector beside them or in the place of the right one."""
        with Vertical(id="left"):
            yield self.processes
            yield self.primitives
            yield self.time
        with Vertical(id="right"):
            yield self.source
            yield self.happened
        yield self.inspector

    # -- what they show ---------------------------------------------------------------------

    def show(self, view: StageView, place: Site | None, *, whole: bool) -> None:
        """Show that view, with the action at ``place``.

        Unless ``whole``, the panels that tell of single steps are left as they are.
        """
        state, xray, diagnosis = view.state, view.xrayed, view.diagnosis or Diagnosis(None)
        if self._xray and not xray:
            self._leave_the_inside(state)
        self._xray = xray
        self.processes.show(state, diagnosis, view.last, xray=xray, marks=view.marks)
        self.primitives.show(state, diagnosis, xray=xray)
        if self.source.display:
            self.source.show(state, place)
            if self._names["source"] != self.source.title:
                self._names["source"] = self.source.title
                self.name_panels()
        if self.time.display and whole:
            self.time.show(state, diagnosis, xray=xray)
        if self.happened.display and whole:
            self.happened.show(state, view.past)

    def begin(self, history: History, program: Program) -> None:
        """Another run, perhaps of another text."""
        self.source.read(program)
        self.name_panels()
        for panel in (self.time, self.processes, self.primitives):
            panel.forget()
        self.happened.begin(history)

    # -- what is chosen ---------------------------------------------------------------------

    def attention(self, state: State, fault_words: Mapping[str, str] | None) -> Attention:
        """Return where the person looks."""
        actor = self.actor(state)
        other = self.primitive(state) or self.part(state)
        inspects = self.inspector.display and other is None and actor is not None
        return Attention(
            actor=self.processes.chosen,
            primitive=self.primitives.chosen,
            inspected=actor.id if inspects and actor is not None else None,
            among_primitives=self.among_primitives,
            inspecting=self.inspecting,
            fault_words=fault_words,
            covers_verdict=self.narrow and self.inspecting,
        )

    @property
    def among_primitives(self) -> bool:
        """Return whether the person chooses among the primitives now."""
        return self.primitives.has_focus

    def choose(self, by: int) -> None:
        """Choose the next one, or the one before."""
        panel = self.primitives if self.among_primitives else self.processes
        if by > 0:
            panel.choose_next()
        else:
            panel.choose_previous()

    def actor(self, state: State) -> Actor | None:
        """The chosen process."""
        chosen = self.processes.chosen
        known = chosen is not None and chosen < len(state.actors)
        return state.actors[chosen] if known and chosen is not None else None

    def primitive(self, state: State) -> Primitive | None:
        """The chosen primitive, while one chooses among them."""
        chosen = self.primitives.chosen if self.among_primitives else None
        return state.primitives.get(chosen or "")

    def part(self, state: State) -> XrayRow | None:
        """The chosen part of a primitive, while one chooses among them."""
        return part_of(state, self.primitives.chosen if self.among_primitives else None)

    def _leave_the_inside(self, state: State) -> None:
        """Choose the process of the chosen feeder, and the primitive of the chosen part."""
        part, actor = part_of(state, self.primitives.chosen), self.actor(state)
        if part is not None:
            self.primitives.chosen = part.primitive.id
        if actor is not None and actor.library:
            self.processes.chosen = actor.parent

    # -- how they share the room ------------------------------------------------------------

    @property
    def narrow(self) -> bool:
        """Return whether there is room for one column only."""
        return self.screen.has_class("-narrow")

    @property
    def inspecting(self) -> bool:
        """Return whether the inspector was opened."""
        return self.has_class("-inspecting")

    def inspect(self, state: State, mover: ActorId) -> None:
        """Open or close the inspector; with nothing chosen, on ``mover``."""
        chosen = (self.actor(state), self.primitive(state), self.part(state))
        if chosen == (None, None, None) and not self.inspecting and state.actors:
            self.processes.chosen = mover
        self.toggle_class("-inspecting")
        self.set_class(self.among_primitives, "-primitive")

    def show_sheet(self, view: StageView) -> None:
        """Show in the inspector what is chosen."""
        state, sheet = view.state, self.inspector
        if not sheet.display:
            return
        past = view.history.past(state.n)
        primitive, actor, part = self.primitive(state), self.actor(state), self.part(state)
        if part is not None:
            sheet.show(about_part(state, part, past))
        elif primitive is not None:
            sheet.show(about_primitive(state, primitive, past))
        elif actor is None:
            sheet.show(Content.styled(shown("Choose a process with ↑ and ↓."), "$quiet"))
        else:
            diagnosis, inspected = view.diagnosis, view.inspected
            sheet.show(about_process(state, actor, diagnosis, inspected, past, view.grain))

    def share_room(self, state: State, *, verdict: bool, xray: bool) -> None:
        """Share the lines of the left column among its panels; a verdict needs room as well."""
        room = self.size.height
        if not state.actors or not room:
            return
        people = len(lanes(state, xray=xray)) + 2
        things = len(state.primitives) + 2
        if xray:
            things += sum(len(parts(primitive)) for primitive in state.primitives.values())
        if not self.narrow:
            self.processes.styles.height = min(people, max(5, int(room * 0.4)))
            self.primitives.styles.height = "1fr"
            self.time.styles.height = min(people, max(4, int(room * 0.3)))
            return
        share = 0.6 if verdict else 0.4
        upper = min(people, max(5, int(room * share)))
        lower = room - upper if verdict else max(4, int(room * share))
        self.processes.styles.height = upper
        self.primitives.styles.height = min(things, lower)
        self.set_class(room - upper - min(things, lower) < 3, "-full")
        self.time.styles.height = "1fr"

    def next_to_focus(self, by: int) -> Widget:
        """The panel after the one that has the focus, in the order of the tab key."""
        panels: list[Widget] = [self.processes, self.primitives]
        if not (self.narrow and self.inspecting):  # there the inspector has their place
            panels += [self.source, self.happened, self.time]
        focused = self.screen.focused
        at = panels.index(focused) if focused in panels else 0
        panel = panels[(at + by) % len(panels)]
        if panel.id in TABS:
            self.show_tab(panel.id)
        self.set_class(panel is self.primitives, "-primitive")
        return panel

    def show_tab(self, tab: str) -> None:
        """Show that one of those which share a place."""
        self._tab = tab
        self.name_panels()

    def name_panels(self) -> None:
        """Give each panel its title; where panels share a place, the one shown names them all."""
        for tab, panel in zip(TABS, (self.source, self.happened, self.time), strict=True):
            self.set_class(tab == self._tab, f"-tab-{tab}")
            if self.narrow:
                names = [self._tab_name(each, chosen=each == tab) for each in TABS]
                panel.border_title = Content.styled(shown(" │ "), "$frame").join(names)
            else:
                newest = " · newest left" if tab == "time" else ""
                panel.border_title = Content(shown(clean(self._names[tab], 40) + newest))

    def _tab_name(self, tab: str, *, chosen: bool) -> Content:
        tone = "bold $foreground" if chosen else "$quiet"
        name = Content.styled(shown(clean(self._names[tab], 30)), tone)
        return name.stylize(f"@click=screen.tab({tab!r})")
