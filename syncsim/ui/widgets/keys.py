"""The line of keys at the bottom: what one can press now, the most useful first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

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


class _Label(NamedTuple):
    """A key in the line: its sign, its word (none where the sign says it all), what to press."""

    sign: str
    word: str
    press: str

    @property
    def cells(self) -> int:
        return cell_len(self.sign) + (cell_len(self.word) + 1 if self.word else 0)


def _width(labels: list[_Label]) -> int:
    return sum(label.cells for label in labels) + 2 * (len(labels) - 1)


def _shown(bindings: list[Any]) -> list[Binding]:
    return [b for b in bindings if isinstance(b, Binding) and b.show]


#: From so many cells on, whole words are worth more than a key more.
ROOMY = 98

#: No word is any briefer.
_NONE: Mapping[str, str] = MappingProxyType({})


class KeyLine(Widget):
    """One line made from the screen's bindings, so it never says what is not so.

    Where it is narrow and they do not fit, some have a briefer word; what does not fit even
    then is left out from the end; the last two (help and the way back) always stay.  A click
    on a key presses it.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; padding: 0 1; color: $quiet; background: $background; }
    """

    #: How many at the end are kept, however narrow it is.
    KEEP = 2

    def __init__(self, bindings: list[Any], brief: Mapping[str, str] = _NONE) -> None:
        super().__init__()
        self._brief = brief
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
        labels = self._labels(_NONE)
        if self.size.width < ROOMY and _width(labels) > self.size.width:
            labels = self._labels(self._brief)
        while len(labels) > self.KEEP and _width(labels) > self.size.width:
            del labels[-self.KEEP - 1]
        parts = []
        self._places.clear()
        at = 0
        for label in labels:
            self._places.append((at, at + label.cells, label.press))
            at += label.cells + 2
            gap = " " if label.word else ""
            parts.append(Content.assemble((label.sign, "bold $accent"), gap, label.word))
        return Content("  ").join(parts)

    def _labels(self, brief: Mapping[str, str]) -> list[_Label]:
        """All keys that mean something now, those in ``brief`` with the word from there.

        They are found there by their id, or by the word that they have just now.
        """
        labels = []
        for binding in self._keys:
            own = binding.id or ""
            word = self._words.get(own, binding.description)
            if word:
                first = binding.key.partition(",")[0]
                short = brief.get(own, brief.get(word, word))
                labels.append(_Label(shown(binding.key_display or first), shown(short), first))
        return labels

    def on_click(self, event: Click) -> None:
        """A click on a key presses it."""
        place = event.get_content_offset(self)
        for start, end, press in self._places:
            if place is not None and start <= place.x < end:
                self.app.simulate_key(press)
