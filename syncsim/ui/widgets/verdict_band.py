"""The verdict: a band across the stage that says what happened and why, and draws the cycle."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace
from textual.content import Content
from textual.widgets import Static

from syncsim.core.deadlock.findings import FindingKind
from syncsim.core.deadlock.graph import Link
from syncsim.core.deadlock.verdict import Diagnosis, Verdict
from syncsim.core.state import State
from syncsim.core.words.listing import headline
from syncsim.session.stage_view import StageView
from syncsim.ui.look import ascii_only, clean, colour, shown
from syncsim.ui.widgets.ring import ring

#: A glyph, the same in ASCII, and a title, for each verdict.
TITLES = {
    Verdict.FINISHED: ("✓", "v", "Finished"),
    Verdict.DEADLOCK: ("⊗", "#", "Deadlock"),
    Verdict.LIVELOCK: ("↻", "@", "Livelock"),
    Verdict.ASSERTION: ("✗", "x", "An assertion fails"),
    Verdict.CRASH: ("✗", "x", "Crash"),
    Verdict.STARVATION: ("⌛", "~", "Starvation"),
    Verdict.UNDECIDED: ("◇", "?", "Undecided"),
}

#: Findings that the drawing and the explanation have said already.
_SAID = (FindingKind.CYCLE, FindingKind.PARTIAL_DEADLOCK)

#: Said where a scheduler came to the goal without the person.
_YOURS = "{} did this, not you. Press r, then choose the steps yourself: ↑↓ and ⏎."

#: How many findings are shown at the most.
_FINDINGS = 3


def brief(verdict: Verdict) -> str:
    """The verdict in a word, with its sign: "⊗ deadlock"."""
    glyph, plain, _ = TITLES[verdict]
    return f"{plain if ascii_only() else glyph} {verdict}"


class BandContent(NamedTuple):
    """The content of the band: a verdict after ``n`` steps, and what it means for the goal."""

    diagnosis: Diagnosis
    n: int
    state: State
    #: Whether it is the goal of the puzzle; None where there is no goal.
    reached: bool | None = None
    par: int | None = None
    #: The goal in words.
    goal: str = ""
    #: Who came to the goal, where that was not the person.
    by: str = ""
    #: Whether some of the steps were inside calls; those of the par are not.
    closely: bool = False

    @classmethod
    def of(cls, view: StageView) -> BandContent | None:
        """Return the verdict to tell of in that view; None where there is none."""
        result, goal = view.result, view.goal
        if result is None:
            return None
        return cls(
            result.verdict.diagnosis, result.verdict.n, view.present, result.reached,
            goal.par if goal else None, goal.text if goal else "", result.by, view.result_closely,
        )  # fmt: skip


class VerdictBand(Static):
    """Hidden until there is a verdict."""

    def __init__(self) -> None:
        super().__init__(id="verdict", markup=False)
        self.display = False
        self._outcome: BandContent | None = None
        self._drawn: tuple[BandContent, int] | None = None

    def show(self, outcome: BandContent | None) -> None:
        """Show that verdict, or none."""
        self._outcome = outcome
        if (outcome is not None) != self.display:
            self.display = outcome is not None
        if outcome is not None:
            self._redraw()

    def on_resize(self) -> None:
        """Draw the ring anew for the new width."""
        self._redraw()

    def _redraw(self) -> None:
        outcome = self._outcome
        width = self.size.width or self.app.size.width - 4
        if outcome is None or self._drawn == (outcome, width):
            return
        self._drawn = (outcome, width)
        verdict = outcome.diagnosis.verdict or Verdict.UNDECIDED
        good = outcome.reached or (verdict is Verdict.FINISHED and outcome.reached is None)
        self.set_class(bool(good), "-good")
        self.set_class(not good and verdict is not Verdict.FINISHED, "-bad")
        self.border_title = Content(f" {_title(outcome, verdict)} ")
        par = outcome.par if outcome.reached else None
        by_call = " by call" if outcome.closely else ""
        self.border_subtitle = Content(f" par {par}{by_call} ") if par else None
        # Where it is narrow every line is dear, and the line of keys says nearly the same.
        with_keys = not self.screen.has_class("-narrow")
        self.update(Content("\n").join(_body(outcome, width, with_keys=with_keys)))


def _title(outcome: BandContent, verdict: Verdict) -> str:
    glyph, plain, words = TITLES[verdict]
    steps = "1 step" if outcome.n == 1 else f"{outcome.n} steps"
    codes = [actor.exitcode for actor in outcome.state.actors[:1]]
    after = f"after {steps}" if outcome.n else "before the first step"
    if outcome.reached:
        star = "*" if ascii_only() else "★"
        what = f" · {words.lower()}" if verdict is not Verdict.FINISHED else ""
        closely = " with the X-ray" if outcome.closely else ""
        return shown(headline(f"{star} Goal reached in {steps}{closely}{what}", codes))
    by = f" · by {clean(outcome.by, 24)}, not by you" if outcome.by else ""
    sign = plain if ascii_only() else glyph
    return shown(headline(f"{sign} {words} {after}{by}", codes))


def _body(outcome: BandContent, width: int, *, with_keys: bool) -> list[Content]:
    diagnosis = outcome.diagnosis
    lines = [coloured(clean(diagnosis.explanation, 1200), outcome.state)]
    for row in ring([_clean(link) for link in diagnosis.cycle], width - 2):
        actors = outcome.state.actors
        parts = [
            Content.styled(
                shown(part.text),
                f"bold {colour(actors[part.actor])}"
                if part.actor is not None
                else {"primitive": "$foreground", "arrow": "$quiet"}[part.kind],
            )
            for part in row
        ]
        lines.append(Content("  ") + Content("").join(parts))
    said = [f for f in diagnosis.findings if f.kind not in _SAID]
    for finding in said[:_FINDINGS]:
        lines.append(
            Content.styled(f"{finding.kind}: ", "$quiet")
            + coloured(clean(finding.explanation, 300), outcome.state)
        )
    if len(said) > _FINDINGS:
        lines.append(Content.styled(f"and {len(said) - _FINDINGS} more", "$quiet"))
    if outcome.by:
        lines.append(Content.styled(shown(_YOURS.format(_opening(outcome.by))), "$quiet"))
    elif outcome.reached is False:
        lines.append(Content.styled(shown(clean(_not_yet(outcome))), "$quiet"))
    if not with_keys:
        return lines
    keys = [("←", "look back"), ("b", "branch from there"), ("y", "copy the schedule")]
    lines.append(
        Content("   ").join(
            [
                Content.assemble((shown(key), "bold $accent"), " ", (word, "$quiet"))
                for key, word in [*keys, ("r", "again")]
            ]
        )
    )
    return lines


def _opening(words: str) -> str:
    """Words at the opening of a sentence; a seed, as ``random:1``, stays as it is typed."""
    return words[:1].upper() + words[1:] if " " in words else words


def _not_yet(outcome: BandContent) -> str:
    """The goal, where this is not it."""
    finished = outcome.diagnosis.verdict is Verdict.FINISHED
    how = "Not yet: everybody finished." if finished else "Not yet."
    return f"{how} Goal: {outcome.goal} h for a hint"


def _clean(link: Link) -> Link:
    """The link with names that can be shown, not too long for a drawing."""
    process, waits_for, held_by = (
        clean(text, 20) for text in (link.process, link.waits_for, link.held_by)
    )
    return replace(link, process=process, waits_for=waits_for, held_by=held_by)


def coloured(text: str, state: State) -> Content:
    """Clean text in which the names of processes have their colours."""
    content = Content(shown(text))
    plain = content.plain
    for actor in state.actors:
        name = shown(clean(actor.name))
        at = plain.find(name) if name else -1
        while at >= 0:
            end = at + len(name)
            if not (plain[at - 1 : at].isalnum() or plain[end : end + 1].isalnum()):
                content = content.stylize(colour(actor), at, end)
            at = plain.find(name, end)
    return content
