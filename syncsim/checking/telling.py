"""A check as lines of text."""

from __future__ import annotations

from syncsim.checking.checked import Checked
from syncsim.checking.verdict import shows_itself
from syncsim.core.diagnosis import Verdict
from syncsim.headless import plain, step_line

#: So many things that were raced for are named.
_MOST_RACED_FOR = 5
#: What became of a property, in a word.
_HOLDS = {True: "holds", False: "does not hold", None: "not known"}


def told(checked: Checked) -> list[str]:
    """The check as lines of text."""
    word = "proven" if checked.verdict is Verdict.FINISHED else str(checked.verdict)
    lines = [word, plain(checked.explanation)]
    if not checked.failures and (checked.complete or checked.raced_for):
        lines.append(_raced_for(checked.raced_for))
    for claim in checked.properties:
        lines.append(f"{_HOLDS[claim.holds]}: {plain(claim.property)}")
        if claim.holds is not False:  # else it is told as a failure
            lines.append(f"  {plain(claim.explanation)}")
        if claim.holds and claim.schedule:
            lines.append(f"  schedule: {claim.schedule}")
    for failure in checked.failures:
        lines.append("")
        sure = "confirmed on real processes" if failure.confirmed else "not confirmed"
        if shows_itself(failure):
            lines.append(f"{failure.verdict}: {plain(failure.explanation)}")
            continue
        said = failure.explanation == checked.explanation
        why = "" if said else f" {plain(failure.explanation)}"
        lines.append(f"{failure.verdict} ({sure}):{why}")
        lines += [step_line(step) for step in failure.steps]
        lines += [f"  {one.kind}: {plain(one.explanation)}" for one in failure.findings]
        lines.append(f"schedule: {failure.schedule}")
    told_already = {one for failure in checked.failures for one in failure.findings}
    for one in checked.findings:
        if one not in told_already:
            shown = f" (schedule: {one.schedule})" if one.schedule else ""
            lines += ["", f"{one.kind}: {plain(one.explanation)}{shown}"]
    searched = f"{checked.executions:,} executions, " if checked.executions else ""
    if not checked.search:
        return lines
    lines.append("")
    lines.append(
        f"{checked.search}: {searched}{checked.states:,} states, {checked.transitions:,} steps, "
        f"depth {checked.depth:,}, {checked.seconds:.2f} s"
    )
    return lines


def _raced_for(contested: dict[str, list[str]]) -> str:
    """What there was to interleave: the most contested first."""
    if not contested:
        return "Nothing was raced for: no two processes could be about to use the same thing."
    most = sorted(contested.items(), key=lambda one: -len(one[1]))
    shown = [f"{plain(name)} ({plain(', '.join(who))})" for name, who in most[:_MOST_RACED_FOR]]
    left = len(most) - len(shown)
    return f"raced for: {', '.join(shown)}{f' and {left:,} more' if left else ''}"
