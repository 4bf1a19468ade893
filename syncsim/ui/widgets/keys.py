"""The line of keys at the bottom: what one can press now, the most useful first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.events import Click
from textual.widget import Widget

from syncsim.ui.look import shown


def key(
    keys: str,
    action: str,
    word: str,
    tooltip: str,
    *,
    id: str,  # noqa: A002
    sign: str | None = None,
    show: bool = True,
) -> Binding:
    """A binding: ``keys`` do ``action``; ``word`` is for the line, ``tooltip`` for the help.

    ``sign`` is how the keys are written in the line, where that is not their own name.
    """
    return Binding(keys, action, word, tooltip=tooltip, key_display=sign, show=show, id=id)


def _shown(bindings: list[Any]) -> list[Binding]:
    return [b for b in bindings if isinstance(b, Binding) and b.show]


class KeyLine(Widget):
    """One line made from the screen's bindings, so it never says what is not so.

    What does not fit is left out from the end; the last two (help and the way back) always
    stay.  A click on a key presses it.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; padding: 0 1; color: $quiet; background: $background; }
    """

    #: How many at the end are kept, however narrow it is.
    KEEP = 2

    def __init__(self, bindings: list[Any], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._keys = _shown(bindings)
        self._words: dict[str, str] = {}
        self._places: list[tuple[int, int, str]] = []

    def use(self, bindings: list[Any]) -> None:
        """Show those keys instead."""
        keys = _shown(bindings)
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def say(self, words: Mapping[str, str]) -> None:
        """Other descriptions than the bindings' own, by the id of the binding.

        An empty description leaves the key out.
        """
        if self._words != words:
            self._words = dict(words)
            self.refresh()

    def render(self) -> Content:
        """The keys that fit."""
        labels = []
        for binding in self._keys:
            word = self._words.get(binding.id or "", binding.description)
            if word:
                first = binding.key.partition(",")[0]
                labels.append((shown(binding.key_display or first), shown(word), first))
        size = [cell_len(sign) + cell_len(word) + 1 for sign, word, _ in labels]
        while len(labels) > self.KEEP and sum(size) + 2 * len(size) - 2 > self.size.width:
            gone = len(labels) - self.KEEP - 1
            del labels[gone], size[gone]
        parts = []
        self._places.clear()
        at = 0
        for (sign, word, press), cells in zip(labels, size, strict=True):
            self._places.append((at, at + cells, press))
            at += cells + 2
            parts.append(Content.assemble((sign, "bold $accent"), " ", word))
        return Content("  ").join(parts)

    def on_click(self, event: Click) -> None:
        """A click on a key presses it."""
        place = event.get_content_offset(self)
        for start, end, press in self._places:
            if place is not None and start <= place.x < end:
                self.app.simulate_key(press)
