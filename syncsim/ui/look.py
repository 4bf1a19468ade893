"""The one visual language: a colour for each process, a glyph for each status, clean text.

Colour is reserved for processes and is never the only signal: a status has a glyph, a word
and a tone as well.  The process colours are those of Okabe and Ito ("Color Universal
Design", 2008), adjusted a little in lightness for each theme.
"""

from __future__ import annotations

import sys
from functools import cache, lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.theme import Theme

from syncsim import terminal
from syncsim.core import text as core_text
from syncsim.core.outlook import Outlook
from syncsim.core.state import Actor
from syncsim.core.text import in_ascii
from syncsim.core.words.status import Activity, Status

#: How many colours there are; a ninth process has the first one again, with another badge.
COLOURS: Final = 8

_DARK: Final = {
    "process-0": "#c8cdd3",  # the main process: neutral
    "process-1": "#e69f00",  # orange
    "process-2": "#56b4e9",  # sky blue
    "process-3": "#00b386",  # bluish green
    "process-4": "#f0e442",  # yellow
    "process-5": "#1f86cc",  # blue
    "process-6": "#e0661a",  # vermillion
    "process-7": "#cc79a7",  # reddish purple
    "rest": "#a7b0bb",
    "quiet": "#7c8591",  # what is there, but not to be looked at first
    "frame": "#39414c",
    "chosen": "#222a35",
}

_LIGHT: Final = {
    "process-0": "#30363d",
    "process-1": "#b87400",
    "process-2": "#2585bd",
    "process-3": "#00825f",
    "process-4": "#948a00",
    "process-5": "#005a8f",
    "process-6": "#c04f00",
    "process-7": "#a84f80",
    "rest": "#4a535d",
    "quiet": "#6b737d",
    "frame": "#c3c9d0",
    "chosen": "#e3e8f0",
}

DARK: Final = Theme(
    name="syncsim-dark",
    primary="#a794f0",
    secondary="#7c8591",
    accent="#b4a2ff",
    foreground="#d7dce2",
    background="#0f1318",
    surface="#0f1318",
    panel="#171d25",
    success="#8fd6a8",
    warning="#e8c07d",
    error="#ff6b81",
    dark=True,
    variables={**_DARK, "footer-key-foreground": "#b4a2ff"},
)

LIGHT: Final = Theme(
    name="syncsim-light",
    primary="#5b45c9",
    secondary="#6b737d",
    accent="#5b45c9",
    foreground="#1f2328",
    background="#fbfcfd",
    surface="#fbfcfd",
    panel="#eff2f5",
    success="#1a7f45",
    warning="#8a5a00",
    error="#c9243f",
    dark=False,
    variables={**_LIGHT, "footer-key-foreground": "#5b45c9"},
)

THEMES: Final = (DARK, LIGHT)

#: A glyph, the same in ASCII, and a word, for each kind of goal.
KINDS = {"watch": ("◉", "o", "watch"), "break": ("⚔", "x", "break")}


def theme_variables() -> dict[str, str]:
    """Our variables for themes that do not know them (``App.get_theme_variable_defaults``)."""
    return dict(_DARK)


class Mark(NamedTuple):
    """The look of a status, or of an outlook: a glyph, the same in ASCII, a word, and a tone.

    The tone is the name of a style: ``go``, ``rest``, ``quiet``, ``good``, ``unsure`` or ``bad``.
    """

    glyph: str
    ascii: str
    word: str
    tone: str

    @property
    def sign(self) -> str:
        """The glyph that this terminal can show."""
        return self.ascii if ascii_only() else self.glyph


_MARKS: Final = {
    Status.STARTING: Mark("◦", "-", "starting", "quiet"),
    Status.RUNS: Mark("▶", ">", "runs", "go"),
    Status.READY: Mark("●", "o", "ready", "go"),
    Status.WAITS: Mark("◌", ".", "waits", "rest"),
    Status.STUCK: Mark("⊗", "#", "stuck", "bad"),
    Status.STOPPED: Mark("■", "=", "stopped", "rest"),
    Status.OUTSIDE: Mark("◇", "?", "outside", "rest"),
    Status.SERVES: Mark("⇄", "=", "serves", "quiet"),
    Status.DONE: Mark("✓", "v", "done", "quiet"),
    Status.ZOMBIE: Mark("z", "z", "zombie", "quiet"),
    Status.CRASHED: Mark("✗", "x", "crashed", "bad"),
    Status.KILLED: Mark("✗", "x", "killed", "bad"),
}


def mark(status: Status) -> Mark:
    """Return the look of the status, the same on every screen."""
    return _MARKS[status]


_OUTLOOKS: Final = {
    Outlook.SAFE: Mark("✓", "v", "safe", "good"),
    Outlook.OPEN: Mark("◐", "~", "either way", "unsure"),
    Outlook.DOOMED: Mark("✗", "x", "doomed", "bad"),
}


def outlook_mark(outlook: Outlook) -> Mark:
    """Return the look of an outlook."""
    return _OUTLOOKS[outlook]


_TEXTURES: Final = {
    Activity.WORKING: ("█", "#"),
    Activity.HOLDING: ("▒", "="),
    Activity.WAITING: ("░", "-"),
    Activity.ABSENT: ("·", "."),
}


def texture(activity: Activity) -> str:
    """One cell of the timeline, readable without colour."""
    glyph, plain = _TEXTURES[activity]
    return plain if ascii_only() else glyph


_BADGES: Final = ("▌", "▐", "█", "▞")
_ASCII_BADGES: Final = ("|", ":", "#", "%")
_THREAD_BADGE: Final = "▏"


def hue(actor: Actor) -> str:
    """The name of the actor's colour, ``process-3``; a thread has that of its process."""
    owner = actor.parent if actor.thread and actor.parent is not None else actor.id
    return f"process-{owner % COLOURS}"


def colour(actor: Actor) -> str:
    """The actor's colour as a style for ``Content``: ``$process-3``."""
    return f"${hue(actor)}"


def badge(actor: Actor) -> str:
    """The bar before the actor's name; another one each time the colours begin again."""
    if actor.thread:
        return "'" if ascii_only() else _THREAD_BADGE
    badges = _ASCII_BADGES if ascii_only() else _BADGES
    return badges[(actor.id // COLOURS) % len(badges)]


@cache
def ascii_only() -> bool:
    """Return whether only ASCII is shown: ``SYNCSIM_ASCII`` is set, or the terminal has no UTF-8.

    Asked once and remembered (``ascii_only.cache_clear()`` asks again).
    """
    stream = sys.__stderr__ or sys.__stdout__
    return terminal.ascii_only(getattr(stream, "encoding", None) or "utf-8")


def shown(text: str) -> str:
    """The text as this terminal can show it; in ASCII every other sign becomes ``?``."""
    if not ascii_only() or text.isascii():
        return text
    return in_ascii(text, cell_len)


#: So much of a text is looked at, at the most, where a limit is given.
_LOOK_AT: Final = 4


@lru_cache(maxsize=4096)
def clean(text: str, limit: int | None = None) -> str:
    """``text`` of a program, safe to show on one line in at most ``limit`` cells.

    Escape sequences, control and invisible characters are taken out, white space becomes
    a blank, and what is too long is cut in the middle with ``…``.
    """
    if limit is not None and len(text) > 2000 + limit * _LOOK_AT:
        half = 1000 + limit * _LOOK_AT // 2
        text = text[:half] + text[-half:]
    text = core_text.clean(text)
    return text if limit is None else cut(text, limit)


def cut(text: str, limit: int) -> str:
    """Clean text in at most ``limit`` cells, cut in the middle with ``…``."""
    if cell_len(text) <= limit:
        return text
    if limit <= 1:
        return "…"[:limit]
    room = limit - 1
    head = _within(text, (room + 1) // 2)
    tail = _within(text[::-1], room - cell_len(head))[::-1]
    return f"{head}…{tail}"


def cut_end(text: str, limit: int) -> str:
    """Clean text in at most ``limit`` cells, cut at its end with ``…``."""
    if cell_len(text) <= limit:
        return text
    return _within(text, limit - 1) + "…" if limit > 0 else ""


def _within(text: str, cells: int) -> str:
    """The longest beginning of ``text`` that fits."""
    used = 0
    for at, character in enumerate(text):
        used += cell_len(character)
        if used > cells:
            return text[:at]
    return text


def pad(text: str, width: int) -> str:
    """Clean text, cut or filled up with blanks to exactly ``width`` cells."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))
