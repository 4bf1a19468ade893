"""The verdict of a check, made of the search and of the replay of its findings, with why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncsim.checking.replay import confirm
from syncsim.checking.result import Checked, Failure, Upheld
from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.verdict import STARTED_NONE, Verdict
from syncsim.core.schedule import parse_schedule
from syncsim.core.words.listing import counted
from syncsim.explore.bounds import REAL
from syncsim.explore.hints import ON_REAL_PROCESSES, OR_REAL_PROCESSES, OTHER_ARGUMENTS
from syncsim.explore.properties.properties import Kind, Property, PropertyError
from syncsim.explore.request import Found, Judged, Report
from syncsim.program.source import Program
from syncsim.program.start_methods import in_force

if TYPE_CHECKING:
    from syncsim.checking.witness import Witness

#: Why a search that saw nothing is no proof.
_NOTHING = "as far as the check sees, it started no process and touched no primitive"


def judge(
    program: Program,
    report: Report,
    claims: Sequence[Property] = (),
    interrupted: Callable[[], bool] = lambda: False,
) -> Checked:
    """Replay what the search found; once it is ``interrupted`` what comes of it means nothing."""
    checked = _judged(program, report, claims, interrupted)
    method, asked = in_force(program), program.start_method
    return replace(checked, start_method=method, asked_method=asked)


def _judged(
    program: Program,
    report: Report,
    claims: Sequence[Property],
    interrupted: Callable[[], bool],
) -> Checked:
    if report.problem and not report.failures:
        return _undecided(report, f"The program cannot be checked: {report.problem}.")
    if report.complete and not report.touched:
        hint = OTHER_ARGUMENTS if report.search == REAL else OR_REAL_PROCESSES
        report = replace(report, complete=False, doubt=_NOTHING, hint=hint)
    failures = [
        confirm(program, found, interrupted=interrupted)
        for found in sorted(report.failures, key=lambda found: len(parse_schedule(found.schedule)))
    ]
    upheld = []
    unknown = [Judged(None)] * len(claims)  # it did not come to say so
    for claim, judged in zip(claims, report.properties or unknown, strict=True):
        came_to, failure = _uphold(program, claim, judged, report)
        upheld.append(came_to)
        if failure is not None:
            failures.append(failure)
    failures.sort(key=_by_length)
    checked = _decide(report, failures, upheld)
    return replace(checked, properties=tuple(upheld), note=report.note)


def _by_length(failure: Failure) -> tuple[bool, bool, int]:
    """The confirmed first, then what no schedule shows; the shortest of them first."""
    steps = len(parse_schedule(failure.schedule))
    return not failure.confirmed, not shows_itself(failure), steps


def shows_itself(failure: Failure) -> bool:
    """Return whether nothing is there to be confirmed: no run at all is the failure."""
    return failure.property.startswith(Kind.SOMETIMES)


def _decide(report: Report, failures: Sequence[Failure], upheld: Sequence[Upheld]) -> Checked:
    if failures and (failures[0].confirmed or shows_itself(failures[0])):
        worst = failures[0]
        return _checked(
            report, worst.verdict, worst.explanation, tuple(failures), confirmed=worst.confirmed
        )
    if failures:
        real = report.search == REAL
        why = report.doubt or ("the program is not deterministic" if real else "an error of ours")
        hint = report.hint if real or report.doubt else ON_REAL_PROCESSES
        return _undecided(
            replace(report, hint=hint),
            f"The search found a {failures[0].verdict}, but the real processes did not come to it "
            f"under its schedule ({failures[0].explanation}): {why}.",
            tuple(failures),
        )
    for one in upheld:
        if one.holds is None and report.complete:
            return _undecided(report, f"{one.property} is not known to hold: {one.explanation}.")
    if report.complete:
        alone = "" if report.started else f" {STARTED_NONE}"
        return _checked(report, Verdict.FINISHED, _proof(report) + alone, ())
    if report.doubt == _NOTHING:
        return _undecided(report, f"There is nothing to prove: {_NOTHING}.")
    doubt = report.doubt or "not everything was visited"
    return _undecided(report, f"Nothing bad was found, but {doubt}: {_covered(report)}.")


def _uphold(
    program: Program, claim: Property, judged: Judged, report: Report
) -> tuple[Upheld, Failure | None]:
    """Return what became of the property; with the failure that it is, if it does not hold."""
    name, found = str(claim), judged.found
    if found is None:
        if judged.holds is None or not report.complete:
            why = judged.doubt or report.doubt or "not everything was visited"
            return Upheld(name, claim.site, None, why), None
        if judged.holds:
            return Upheld(name, claim.site, True, _proof_of(claim.kind, report.states)), None
        why = f"{name} does not hold: so it is in {_of_all('none', report.states)}."
        failure = Failure(Verdict.ASSERTION, why, "", False, property=name)
        return Upheld(name, claim.site, False, why), failure
    from syncsim.checking.witness import Witness  # it knows the views of both worlds

    witness = Witness(claim)
    try:
        failure = confirm(program, found, witness.look)
        whole = witness.looks == len(parse_schedule(found.schedule)) + 1
        goes_round = found.verdict == Verdict.STARVATION and failure.confirmed
        agrees = whole and witness.agrees(goes_on=goes_round)
        why = "the property was not seen to be so" if whole else failure.explanation
        if agrees:
            why = _told_of(claim, found, witness)
    except PropertyError as error:
        failure = Failure(Verdict(found.verdict), "", found.schedule, False)
        agrees, why = False, str(error)
    if claim.kind is Kind.SOMETIMES:
        holds = True if agrees else None
        return Upheld(name, claim.site, holds, why, found.schedule, agrees), None
    failure = replace(
        failure, verdict=Verdict(found.verdict), explanation=why, confirmed=agrees, property=name
    )
    return Upheld(name, claim.site, False, why, found.schedule, agrees), failure


def _proof_of(kind: Kind, states: int) -> str:
    if kind is Kind.EVENTUALLY:
        return f"no run through the {counted(states, 'state')} avoids it"
    return f"so in {_of_all('none' if kind is Kind.NEVER else 'all', states)}"


def _of_all(which: str, states: int) -> str:
    return f"{which} of {'' if states == 1 else 'the '}{counted(states, 'state')}"


def _told_of(claim: Property, found: Found, witness: Witness) -> str:
    """Why the replay refutes the property, or shows what it claims that there is."""
    choices = len(parse_schedule(found.schedule))
    after = f"after {counted(choices, 'choice')}" if choices else "at the beginning"
    if claim.kind is Kind.EVENTUALLY:
        if found.verdict == Verdict.STARVATION:
            begins = len(parse_schedule(found.way))
            how = (
                f"after {counted(begins, 'choice')} the same {choices - begins} can be made again "
                f"and again, which is fair ({claim.fairness} fairness), and it never comes true"
            )
        else:
            how = f"{after} nothing can happen any more, and it has not come true"
    elif claim.kind is Kind.ALWAYS:
        how = f"it is not so {after}"
    else:
        how = f"it is so {after}"
    ends = "" if claim.kind is Kind.SOMETIMES else f"{claim} does not hold: "
    where = f" ({witness.places})" if witness.places else ""
    return f"{ends}{how}{where}."


def _checked(
    report: Report,
    verdict: Verdict,
    explanation: str,
    failures: tuple[Failure, ...],
    *,
    confirmed: bool = False,
) -> Checked:
    exits: Sequence[int | None] = report.exits
    if failures and failures[0].processes:
        exits = [one["exitcode"] for one in failures[0].processes[:1]]
    return Checked(
        verdict,
        explanation,
        report.complete,
        confirmed,
        report.search,
        report.states,
        report.transitions,
        report.executions,
        report.depth,
        report.seconds,
        failures,
        _beside(report, failures),
        report.raced_for,
        exits=tuple(code for code in exits if code is not None),
    )


def _beside(report: Report, failures: tuple[Failure, ...]) -> tuple[Finding, ...]:
    """The findings of the counterexample, and those of kinds that it does not show."""
    known = failures[0].findings if failures else ()
    kinds = {one.kind for one in known}
    return *known, *(one for one in report.findings if one.kind not in kinds)


def _undecided(report: Report, why: str, failures: tuple[Failure, ...] = ()) -> Checked:
    return replace(_checked(report, Verdict.UNDECIDED, why, failures), hint=report.hint)


def _covered(report: Report) -> str:
    visited = report.executions, "execution"
    what = counted(*visited if report.executions else (report.states, "state"))
    bound = f" (the bound was {report.limit})" if report.limit else ""
    return f"{what}, up to a depth of {report.depth:,}{bound}"


def _proof(report: Report) -> str:
    if report.executions == 1:
        what = "The one execution was visited to which all others are equivalent"
    elif report.executions:
        what = f"All {report.executions:,} executions that differ were visited"
    else:
        what = "The one state was" if report.states == 1 else f"All {report.states:,} states were"
        what += " visited"
    if report.search == REAL:
        what += " on real processes"
    return f"{what}: no process can wait for ever, no assertion can fail, none can crash."
