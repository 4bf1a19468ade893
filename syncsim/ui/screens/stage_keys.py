"""The keys of the stage: each with the words for the line of keys, the help and the palette."""

from __future__ import annotations

from textual.binding import BindingType

from syncsim.core.live import Mode
from syncsim.core.state import Actor
from syncsim.session.stage_view import Attention, StageView
from syncsim.ui.look import clean, cut
from syncsim.ui.widgets.keys import key

#: What the line of keys says where there is no room for all its words.
BRIEF = {
    "stage.previous": "",
    "stage.step_chosen": "step it",
    "stage.hint": "hint",
    "stage.back": "past",
    "stage.branch": "branch",
    "stage.free": "free",
    "stage.copy": "copy",
    "hide marks": "unmark",
    "story, help": "story",
}

#: In the order in which the line of keys shows them, until there is no more room.
STAGE_KEYS: list[BindingType] = [
    key(
        "space",
        "order('play')",
        "play",
        "Let the scheduler pick, step after step; again: pause.",
        id="stage.play",
    ),
    key(
        "s,right",
        "order('step')",
        "step",
        "One step; the scheduler picks who. Looking back: one forward.",
        id="stage.step",
        sign="s",
    ),
    key(
        "up",
        "choose(-1)",
        "choose",
        "Choose a process; a primitive, while that panel has the focus.",
        id="stage.previous",
        sign="↑↓",
    ),
    key(
        "down",
        "choose(1)",
        "choose",
        "Choose a process; a primitive, while that panel has the focus.",
        id="stage.next",
        show=False,
    ),
    key(
        "enter",
        "step_chosen",
        "step it",
        "One step of the chosen process.",
        id="stage.step_chosen",
        sign="⏎",
    ),
    key(
        "h",
        "order('hint')",
        "hint",
        "A hint for the puzzle; again: the next one.",
        id="stage.hint",
    ),
    key(
        "i",
        "inspect",
        "inspect",
        "All about the chosen process or primitive; again: close.",
        id="stage.inspect",
    ),
    key(
        "v",
        "check",
        "check",
        "Check every interleaving; again: hide the result, then the marks.",
        id="stage.check",
    ),
    key(
        "left",
        "order('back')",
        "look back",
        "Look at the moment before this step.",
        id="stage.back",
        sign="←",
    ),
    key(
        "b",
        "order('branch')",
        "branch from here",
        "Restart and stop at this step, so you can go another way.",
        id="stage.branch",
    ),
    key(
        "f",
        "order('free')",
        "free run",
        "Let the operating system schedule; space pauses at any moment.",
        id="stage.free",
    ),
    key(
        "x",
        "order('xray')",
        "X-ray",
        "X-ray: step the locks, pipe and feeder inside; again: off.",
        id="stage.xray",
    ),
    key(
        "k",
        "faults",
        "fault",
        "Kill, terminate, stop or continue the chosen process.",
        id="stage.faults",
    ),
    key(
        "n",
        "order('another_order')",
        "new random seed",
        "Let another random seed pick from now on.",
        id="stage.another_order",
        show=False,
    ),
    key(
        "N",
        "order('round_robin')",
        "round robin",
        "Let everyone go in turn from now on (round robin).",
        id="stage.round_robin",
        show=False,
    ),
    key(
        "tab",
        "panel(1)",
        "panel",
        "Move to the next panel, or to the one before.",
        id="stage.panel",
        show=False,
    ),
    key(
        "shift+tab",
        "panel(-1)",
        "panel before",
        "Move to the next panel, or to the one before.",
        id="stage.panel_before",
        show=False,
    ),
    *(
        key(
            f"{number}",
            f"replay({number})",
            f"replay failure {number}",
            "Replay a failure that the check has found, from the beginning.",
            id=f"stage.replay_{number}",
            show=False,
        )
        for number in range(1, 6)
    ),
    key(
        "r",
        "order('restart')",
        "restart",
        "Start the program again from the beginning.",
        id="stage.restart",
    ),
    key(
        "minus",
        "faster(-1)",
        "speed",
        "Play faster or slower: from one step in two seconds up to flat out.",
        id="stage.slower",
        sign="+-",
    ),
    key(
        "plus,equals_sign",
        "faster(1)",
        "faster",
        "Play faster or slower: from one step in two seconds up to flat out.",
        id="stage.faster",
        sign="+",
        show=False,
    ),
    key(
        "y",
        "copy",
        "copy schedule",
        "Copy the schedule: the choices that led here, as a short text.",
        id="stage.copy",
    ),
    key("c", "code", "code", "The program on the whole screen.", id="stage.code"),
    key(
        "pageup",
        "sheet(-1)",
        "inspector up",
        "Scroll the inspector.",
        id="stage.sheet_up",
        show=False,
    ),
    key(
        "pagedown",
        "sheet(1)",
        "inspector down",
        "Scroll the inspector.",
        id="stage.sheet_down",
        show=False,
    ),
    key(
        "question_mark",
        "help",
        "help",
        "What the puzzle is about, what the signs mean, and all keys.",
        id="stage.help",
        sign="?",
    ),
    key("q,escape", "leave", "back", "End the run and go back.", id="stage.leave", sign="q"),
]


def key_words(view: StageView, attention: Attention, actor: Actor | None) -> dict[str, str]:
    """Return what the line of keys says now instead of its own words; empty: not that key.

    ``actor`` is the chosen process.
    """
    over = view.mode is Mode.OVER
    words = {
        "stage.hint": f"hint {view.hint}/{view.hints}" if view.hints else "",
        "stage.check": view.check_word,
    }
    if view.past is None:
        words["stage.branch"] = ""
    if view.goal is not None:
        words["stage.help"] = "story, help"
    if not view.state.n:
        words["stage.back"] = ""
    if view.mode in (Mode.PLAYING, Mode.FREE):
        words["stage.play"] = "pause"
    if attention.inspecting:
        words["stage.inspect"] = "close"
    if view.xrayed:
        words["stage.xray"] = "by call"
    if over:
        gone = ("play", "step", "step_chosen", "slower", "free", "xray")
        words |= {f"stage.{key}": "" for key in gone}
    else:
        words["stage.copy"] = ""
    if view.past is not None:
        words |= {
            "stage.play": "to present", "stage.step": "forward",
            "stage.step_chosen": "", "stage.slower": "", "stage.free": "",
            "stage.faults": "",
        }  # fmt: skip
    elif attention.among_primitives:
        words["stage.step_chosen"] = ""
    elif actor is not None and not over:
        words["stage.step_chosen"] = f"step {cut(clean(actor.name), 10)}"
    if all(each.ended for each in view.state.actors):
        words["stage.faults"] = ""
    return words
