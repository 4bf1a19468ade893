"""A check as lines of text."""

from __future__ import annotations

from syncsim.checking.result import Checked, Failure
from syncsim.checking.verdict import shows_itself
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.text import clean
from syncsim.core.words.listing import counted, headline
from syncsim.core.words.step_line import step_line
from syncsim.program.start_methods import replayed

#: So many things that were raced for are named.
_MOST_RACED_FOR = 5


def told(checked: Checked) -> list[str]:
    """The check as lines of text, in which nothing commands a terminal."""
    return [clean(line) for line in _lines(checked)]


def _lines(checked: Checked) -> list[str]:
    word = "proven" if checked.verdict is Verdict.FINISHED else str(checked.verdict)
    perhaps = checked.verdict is Verdict.UNDECIDED
    lines = [headline(word, checked.exits, perhaps=perhaps), checked.explanation]
    if checked.hint:
        lines.append(checked.hint)
    if checked.note:
        lines.append(checked.note)
    if not checked.failures and (checked.complete or checked.raced_for):
        lines.append(_raced_for(checked.raced_for))
    for claim in checked.properties:
        if claim.holds is False:
            continue  # it is told as a failure
        lines.append(f"{'holds' if claim.holds else 'not known'}: {claim.property}")
        lines.append(f"  {claim.explanation}")
        if claim.holds and claim.schedule:
            lines.append(f"  schedule: {replayed(claim.schedule, checked.asked_method)}")
    for failure in checked.failures:
        said = failure.explanation == checked.explanation
        lines += _failure(failure, checked.asked_method, said=said)
    told_already = {
        (one.kind, one.explanation) for failure in checked.failures for one in failure.findings
    }
    for one in checked.findings:
        if (one.kind, one.explanation) not in told_already:
            again = replayed(one.schedule, checked.asked_method)
            shown = f" (schedule: {again})" if one.schedule else ""
            lines += ["", f"{one.kind}: {one.explanation}{shown}"]
    if not checked.search:
        return lines
    searched = [counted(checked.executions, "execution")] if checked.executions else []
    searched += [counted(checked.states, "state"), counted(checked.transitions, "step")]
    searched += [f"depth {checked.depth:,}", f"{checked.seconds:.2f} s"]
    return [*lines, "", f"{checked.search}: {', '.join(searched)}"]


def _failure(failure: Failure, method: str, *, said: bool) -> list[str]:
    """One way to fail, and the steps to it; why is left out where it was ``said``.

    ``method`` is the start method that was asked for.
    """
    why = "" if said else f" {failure.explanation}"
    if shows_itself(failure):
        return ["", f"{failure.verdict}:{why}"] if why else []
    again = "empty, for no choice comes before it"
    if failure.schedule:
        again = replayed(failure.schedule, method)
    sure = "confirmed on real processes" if failure.confirmed else "not confirmed"
    return [
        "",
        f"{failure.verdict} ({sure}):{why}",
        *map(step_line, failure.steps),
        *(f"  {one.kind}: {one.explanation}" for one in failure.findings),
        f"schedule: {again}",
    ]


def _raced_for(contested: dict[str, list[str]]) -> str:
    """Return what there was to interleave: the most contested first."""
    if not contested:
        return "Nothing was raced for: no two processes could be about to use the same thing."
    most = sorted(contested.items(), key=lambda one: -len(one[1]))
    shown = [f"{name} ({', '.join(who)})" for name, who in most[:_MOST_RACED_FOR]]
    left = len(most) - len(shown)
    return f"raced for: {', '.join(shown)}{f' and {left:,} more' if left else ''}"
