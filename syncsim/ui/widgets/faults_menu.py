"""The faults: a small choice, under the stage, of what one may do to the chosen process."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from syncsim.core.faults import WORDS, why_not
from syncsim.core.schedule import FAULTS, Move
from syncsim.core.state import Actor, State
from syncsim.ui.look import ascii_only, badge, clean, colour, shown
from syncsim.ui.widgets.keys import key


class FaultsMenu(Widget):
    """Hidden until one asks for it; what cannot be done is quiet, and says why."""

    DEFAULT_CSS = """
    FaultsMenu {
        display: none; height: 6; padding: 0 1; background: $background;
        border: round $accent 60%; border-title-color: $accent; border-subtitle-color: $quiet;
    }
    .-ascii FaultsMenu { border: ascii $frame; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            key(move, f"do({move.value!r})", fault.word, f"{fault.signal}.", id=f"faults.{move}")
            for move, fault in WORDS.items()
        ),
        Binding("up", "move(-1)", show=False, id="faults.up"),
        key("down", "move(1)", "choose", "Choose what to do.", id="faults.down", sign="↑↓"),
        key("enter", "do", "do it", "Do it to the process.", id="faults.do", sign="⏎"),
        key("escape,q", "close", "close", "Do nothing.", id="faults.close", sign="esc"),
    ]

    can_focus = True

    class Picked(Message):
        """One of them was picked for that process."""

        def __init__(self, actor: int, move: Move) -> None:
            super().__init__()
            self.actor = actor
            self.move = move

    class Closed(Message):
        """One does not want to do anything (any more)."""

    def __init__(self) -> None:
        super().__init__(id="faults")
        self._actor: int | None = None
        self._state = State()
        #: The line chosen; None until one chooses, so that nobody is killed by ⏎ alone.
        self._at: int | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the person is choosing a fault."""
        return self._actor is not None

    @property
    def words(self) -> dict[str, str]:
        """The keys that the line of keys is to leave out, because they can do nothing."""
        who = self._who
        cannot = FAULTS if who is None else [m for m in FAULTS if why_not(self._state, who, m)]
        left_out = {f"faults.{move}": "" for move in cannot}
        return left_out if self._at is not None else {**left_out, "faults.do": ""}

    def open(self, actor: Actor, state: State) -> None:
        """Let one choose what to do to that process."""
        self._actor, self._state = actor.id, state
        self._at = None
        self.border_title = Content.assemble(
            "What to do to ", (f"{badge(actor)}{shown(clean(actor.name, 30))}", colour(actor))
        )
        self.border_subtitle = Content(f"pid {actor.pid}")
        self.display = True
        self.focus()
        self.refresh()

    def show(self, state: State) -> None:
        """Refresh the menu from the new state of the process."""
        if self.is_open and state is not self._state:
            self._state = state
            self.refresh()

    def close(self) -> None:
        """Choose no more."""
        self._actor = None
        self.display = False

    @property
    def _who(self) -> Actor | None:
        actors = self._state.actors
        known = self._actor is not None and self._actor < len(actors)
        return actors[self._actor] if known and self._actor is not None else None

    def render(self) -> Content:
        """A line for each: its key, its name, its signal, and what comes of it."""
        who = self._who
        if who is None:
            return Content("")
        cursor = ">" if ascii_only() else "▸"
        lines = []
        for at, move in enumerate(FAULTS):
            fault = WORDS[move]
            why = why_not(self._state, who, move)
            head = f"{fault.word:<10} {fault.signal}  "
            tone = "$quiet" if why else "$foreground"
            lines.append(
                Content.assemble(
                    (f"{cursor} " if at == self._at else "  ", "$accent"),
                    (f"{move}  ", "$quiet" if why else "bold $accent"),
                    (head, f"bold {tone}" if at == self._at and not why else tone),
                    (shown(clean(why or fault.effect, 200)), "$quiet"),
                )
            )
        return Content("\n").join(lines)

    def action_move(self, by: int) -> None:
        """Choose the next one, or the one before; at first the top one, or the bottom one."""
        before = self._at if self._at is not None else min(-by, 0)
        self._at = (before + by) % len(FAULTS)
        self.refresh()

    def action_do(self, mark: str = "") -> None:
        """Do that one, or the one that is chosen, if any."""
        if self._actor is None:
            return
        if mark:
            self.post_message(self.Picked(self._actor, Move(mark)))
        elif self._at is not None:
            self.post_message(self.Picked(self._actor, FAULTS[self._at]))

    def action_close(self) -> None:
        """Do nothing."""
        self.post_message(self.Closed())

    def on_click(self, event: Click) -> None:
        """A click does what is written there."""
        place = event.get_content_offset(self)
        if place is not None and place.y < len(FAULTS):
            self.action_do(FAULTS[place.y].value)
