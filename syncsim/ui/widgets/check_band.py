"""The check, told under the stage: a quiet line while it goes on, then a band with its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.schedule import Grain
from syncsim.core.state import State
from syncsim.core.words.listing import counted, headline
from syncsim.session.background_check import Searched
from syncsim.session.check_state import as_one_steps
from syncsim.session.stage_view import CheckStanding
from syncsim.ui.look import ascii_only, clean, shown
from syncsim.ui.widgets.verdict_band import TITLES, coloured

if TYPE_CHECKING:
    from syncsim.checking import Checked, Failure

#: So many cells of an explanation are shown.
_MOST = 600

#: So many findings beside the failures are told.
_FINDINGS = 2


class CheckBand(Static):
    """The band that shows a check; hidden while there is none or it is not wanted."""

    def __init__(self) -> None:
        super().__init__(id="check", markup=False)
        self._drawn: CheckStanding | None = None

    def show(self, standing: CheckStanding | None) -> None:
        """Show the standing of the check; None hides the band."""
        if standing == self._drawn:
            return
        self._drawn = standing
        self.display = standing is not None
        if standing is None:
            return
        checked = standing.checked
        verdict = checked.verdict if checked is not None else Verdict.UNDECIDED
        self.set_class(standing.running, "-running")
        self.set_class(verdict is Verdict.FINISHED, "-good")
        self.set_class(verdict not in (Verdict.FINISHED, Verdict.UNDECIDED), "-bad")
        if standing.running:
            self.update(_progress(standing.searched))
            return
        self.border_title = Content(shown(f" {_title(standing)} "))
        self.border_subtitle = Content(shown(f" {_covered(checked)} ")) if checked else None
        self.update(Content("\n").join(_body(standing)))


def _progress(searched: Searched | None) -> Content:
    words = "Checking every interleaving"
    if searched is not None:
        states = counted(searched.states, "state")
        words += f": {states}, {searched.rate:,.0f} a second, {searched.seconds:.0f} s"
    return Content.assemble((shown(f"{words} …"), "$quiet"), "   ", ("v", "bold $accent"), " stops")


def _title(standing: CheckStanding) -> str:
    checked = standing.checked
    if checked is None:
        return "No result"
    glyph, plain, words = TITLES[checked.verdict]
    sign = plain if ascii_only() else glyph
    if checked.verdict is Verdict.FINISHED:
        return headline(f"{sign} Proven: it cannot fail", checked.exits)
    if checked.verdict is Verdict.UNDECIDED:
        return headline(f"{sign} Undecided", checked.exits, perhaps=True)
    count = sum(failure.confirmed for failure in checked.failures)
    return f"{sign} It can fail" + (f", in {count} ways" if count > 1 else f": {words.lower()}")


def _covered(checked: Checked) -> str:
    visited = (
        counted(checked.executions, "execution")
        if checked.executions
        else counted(checked.states, "state")
    )
    return f"{visited} · {checked.seconds:.1f} s"


def _body(standing: CheckStanding) -> list[Content]:
    checked = standing.checked
    if checked is None:
        return [Content(shown(clean(standing.why, _MOST)))]
    lines = []
    if not checked.failures or checked.verdict is Verdict.UNDECIDED:
        lines.append(coloured(clean(checked.explanation, _MOST), standing.state))
    if checked.hint:
        lines.append(Content.styled(shown(f"syncsim check: {checked.hint}"), "$quiet"))
    sure = [one for one in checked.failures if one.confirmed]
    for number, failure in enumerate(sure, 1):
        lines += _failure(number, failure, standing.state)
    told = {one for failure in sure for one in failure.findings}
    beside = [one for one in checked.findings if one not in told]
    for one in beside[:_FINDINGS]:
        lines.append(
            Content.styled(shown(f"{one.kind}: "), "$quiet")
            + coloured(clean(one.explanation, 300), standing.state)
        )
    if len(beside) > _FINDINGS:
        lines.append(Content.styled(f"and {len(beside) - _FINDINGS} more", "$quiet"))
    keys: list[tuple[str, str]] = []
    if sure:
        which = "1" if len(sure) == 1 else f"1-{len(sure)}"
        keys.append((which, "replay it on the stage" if len(sure) == 1 else "replay one"))
    keys.append(("v", "close"))
    said = [Content.assemble((key, "bold $accent"), " ", (word, "$quiet")) for key, word in keys]
    lines.append(Content("   ").join([*said, _about_marks(standing)]))
    return lines


def _failure(number: int, failure: Failure, state: State) -> list[Content]:
    glyph, plain, words = TITLES[failure.verdict]
    sign = shown(plain if ascii_only() else glyph)
    steps = counted(len(failure.steps), "step")
    if as_one_steps(failure)[1] is Grain.ATOM:
        steps += " under the X-ray"
    return [
        Content.assemble(
            (f"{number}", "bold $accent"),
            f" {sign} {words} in {steps}",
            (", confirmed on real processes", "$quiet"),
        ),
        coloured(clean(failure.explanation, _MOST), state),
    ]


def _about_marks(standing: CheckStanding) -> Content:
    """Return a sentence on what became of foresight."""
    checked = standing.checked
    if standing.stale:
        words = "The file has changed since this run began: r restarts with it."
    elif standing.known is None:
        words = "Looking ahead …"
    elif standing.known:
        words = "marks: what may come if it goes next"
    elif checked is not None and checked.complete:
        words = "There are too many states to look ahead."
    else:
        words = ""
    return Content.styled(shown(words), "$quiet")
