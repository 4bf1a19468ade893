"""A check as lines of text."""

from __future__ import annotations

from syncsim.checking.checked import Checked, Failure
from syncsim.checking.verdict import shows_itself
from syncsim.core.diagnosis import Verdict
from syncsim.core.words import counted
from syncsim.headless import plain, step_line

#: So many things that were raced for are named.
_MOST_RACED_FOR = 5


def told(checked: Checked) -> list[str]:
    """The check as lines of text."""
    word = "proven" if checked.verdict is Verdict.FINISHED else str(checked.verdict)
    lines = [word, plain(checked.explanation)]
    if checked.hint:
        lines.append(checked.hint)
    if checked.note:
        lines.append(checked.note)
    if not checked.failures and (checked.complete or checked.raced_for):
        lines.append(_raced_for(checked.raced_for))
    for claim in checked.properties:
        if claim.holds is False:
            continue  # it is told as a failure
        lines.append(f"{'holds' if claim.holds else 'not known'}: {plain(claim.property)}")
        lines.append(f"  {plain(claim.explanation)}")
        if claim.holds and claim.schedule:
            lines.append(f"  schedule: {claim.schedule}")
    for failure in checked.failures:
        lines += _failure(failure, said=failure.explanation == checked.explanation)
    told_already = {
        (one.kind, one.explanation) for failure in checked.failures for one in failure.findings
    }
    for one in checked.findings:
        if (one.kind, one.explanation) not in told_already:
            shown = f" (schedule: {one.schedule})" if one.schedule else ""
            lines += ["", f"{one.kind}: {plain(one.explanation)}{shown}"]
    if not checked.search:
        return lines
    searched = [counted(checked.executions, "execution")] if checked.executions else []
    searched += [counted(checked.states, "state"), counted(checked.transitions, "step")]
    searched += [f"depth {checked.depth:,}", f"{checked.seconds:.2f} s"]
    return [*lines, "", f"{checked.search}: {', '.join(searched)}"]


def _failure(failure: Failure, *, said: bool) -> list[str]:
    """One way to fail, and the steps to it; why is left out where it was ``said``."""
    why = "" if said else f" {plain(failure.explanation)}"
    if shows_itself(failure):
        return ["", f"{failure.verdict}:{why}"] if why else []
    sure = "confirmed on real processes" if failure.confirmed else "not confirmed"
    return [
        "",
        f"{failure.verdict} ({sure}):{why}",
        *map(step_line, failure.steps),
        *(f"  {one.kind}: {plain(one.explanation)}" for one in failure.findings),
        f"schedule: {failure.schedule or 'empty, for no choice comes before it'}",
    ]


def _raced_for(contested: dict[str, list[str]]) -> str:
    """What there was to interleave: the most contested first."""
    if not contested:
        return "Nothing was raced for: no two processes could be about to use the same thing."
    most = sorted(contested.items(), key=lambda one: -len(one[1]))
    shown = [f"{plain(name)} ({plain(', '.join(who))})" for name, who in most[:_MOST_RACED_FOR]]
    left = len(most) - len(shown)
    return f"raced for: {', '.join(shown)}{f' and {left:,} more' if left else ''}"
