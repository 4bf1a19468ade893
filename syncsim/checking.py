"""The check: every interleaving is visited, and each failure is replayed on real processes.

The search runs in a process of its own (``explore.worker``).  What it finds is not believed:
its schedule is replayed on the real processes first, and the verdict, the explanation and the
steps are those of the real run.
"""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.atoms import Atom, Cell, Channel, Semaphore
from syncsim.core.diagnosis import Diagnosis, Finding, Link, Verdict, diagnose
from syncsim.core.ledger import DivergenceError
from syncsim.core.schedule import parse_schedule
from syncsim.core.status import status
from syncsim.core.step import Step
from syncsim.core.words import waiting_for
from syncsim.explore.checker import Checker, CheckError
from syncsim.explore.exhaustive import SEARCHES
from syncsim.explore.jobs import cores
from syncsim.explore.judging import search_for
from syncsim.explore.progress import Progress, is_wanted
from syncsim.explore.properties import Kind, Property, PropertyError, pack, unpack
from syncsim.explore.real import NAME as REAL
from syncsim.explore.real import RealSearch
from syncsim.explore.worker import Found, Judged, Report, Request
from syncsim.headless import plain, step_line
from syncsim.program.source import Program, load
from syncsim.real.world import RealWorld
from syncsim.witness import Witness

#: So many things that were raced for are named.
_MOST_RACED_FOR = 5
#: Seconds for one replay.
_REPLAY = 20.0


class Failure(Struct, frozen=True):
    """One way to fail: its schedule, and what the real processes came to under it.

    ``confirmed`` is whether they came to that verdict; else the words are the search's.
    ``property`` is the one that does not hold, if that is the failure.
    """

    verdict: Verdict
    explanation: str
    schedule: str
    confirmed: bool
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    cycle: tuple[Link, ...] = ()
    processes: tuple[dict[str, Any], ...] = ()
    property: str = ""


class Upheld(Struct, frozen=True):
    """What a property came to: it holds, it does not, or (None) it is not known.

    ``schedule`` is that of the counterexample, or for ``sometimes`` that of a witness, and
    ``confirmed`` whether the real processes came to it.  ``site`` is where it was written.
    """

    property: str
    site: str
    holds: bool | None
    explanation: str
    schedule: str = ""
    confirmed: bool = False


class Checked(Struct, frozen=True):
    """What a check came to.

    ``complete`` says that everything was visited: then, without a failure, the program is
    proven.  ``failures`` holds one of each kind, the shortest first; ``findings`` what else was
    seen in any interleaving, and ``raced_for`` which processes raced for what, by name.
    """

    verdict: Verdict
    explanation: str
    complete: bool
    confirmed: bool
    search: str
    states: int
    transitions: int
    executions: int
    depth: int
    seconds: float
    failures: tuple[Failure, ...] = ()
    findings: tuple[Finding, ...] = ()
    raced_for: dict[str, list[str]] = {}
    properties: tuple[Upheld, ...] = ()

    @property
    def schedule(self) -> str:
        """That of the shortest counterexample; empty without one."""
        return self.failures[0].schedule if self.failures else ""

    def as_dict(self) -> dict[str, Any]:
        """As ``syncsim check --json`` prints it."""
        worst = self.failures[0] if self.failures else None
        return {
            "verdict": self.verdict,
            "explanation": self.explanation,
            "complete": self.complete,
            "confirmed": self.confirmed,
            "search": self.search,
            "states": self.states,
            "transitions": self.transitions,
            "executions": self.executions,
            "depth": self.depth,
            "seconds": round(self.seconds, 3),
            "schedule": self.schedule or None,
            "steps": [msgspec.structs.asdict(step) for step in worst.steps] if worst else [],
            "findings": self.findings,
            "raced_for": self.raced_for,
            "failures": [
                {
                    "verdict": one.verdict,
                    "explanation": one.explanation,
                    "schedule": one.schedule,
                    "confirmed": one.confirmed,
                    "property": one.property or None,
                }
                for one in self.failures
            ],
            "properties": [msgspec.structs.asdict(one) for one in self.properties],
            "cycle": [
                {"process": link.process, "waits_for": link.waits_for, "held_by": link.held_by}
                for link in (worst.cycle if worst else ())
            ],
            "processes": worst.processes if worst else (),
        }


def check(
    what: str | os.PathLike[str] | Callable[[], object],
    *,
    arguments: tuple[str, ...] = (),
    search: str = "exhaustive",
    grain: str | None = None,
    real: bool = False,
    first: bool = False,
    seed: int = 0,
    max_states: int = 2_000_000,
    max_depth: int = 10_000,
    timeout: float = 60.0,
    jobs: int | None = None,
    properties: Iterable[Property] = (),
) -> Checked:
    """Visit every interleaving of a program, or of a function at the top of a module.

    ``timeout`` is in seconds, ``max_depth`` in steps in a row.  The ``grain`` is ``atom`` or
    ``call``.  So many processes as there are ``jobs`` search at once, as many as there are cores
    unless said otherwise.  ``properties`` are judged besides: ``always``, ``never``, ``sometimes``
    and ``eventually`` make them.  ``real`` searches on real processes: the program is run many
    times, and what it does to files and the like is done each time; the grain is ``call`` then,
    unless it is given, for each step takes real time.  Raises ``ProgramError`` for what cannot be
    read, ``ValueError`` for a function that cannot be imported, ``PropertyError`` for a property
    that cannot be judged, ``CheckError`` when the check itself fails.
    """
    for word, words in ((search, SEARCHES), (grain or "atom", ("atom", "call"))):
        if word not in words:
            raise ValueError(f"{word!r} is none of {', '.join(words)}")
    with tempfile.TemporaryDirectory(prefix="syncsim-") as folder:
        program = load(_caller(what, folder) if callable(what) else os.fspath(what), arguments)
        request = Request(
            str(program.path),
            arguments,
            search=search,
            by_call=(grain or ("call" if real else "atom")) == "call",
            real=real,
            first=first,
            seed=seed,
            states=max_states,
            depth=max_depth,
            seconds=timeout,
            jobs=jobs if jobs is not None else cores(),
            properties=pack(properties),
        )
        return check_program(program, request)


def _caller(function: Callable[[], object], folder: str) -> str:
    """A program that does nothing but call that function; its path."""
    name = getattr(function, "__qualname__", "")
    file = inspect.getsourcefile(function)
    if file is None or not name.isidentifier():
        raise ValueError(f"{name or function!r} is no function at the top of a module")
    module = os.path.splitext(os.path.basename(file))[0]
    path = os.path.join(folder, f"check_{module}.py")
    with open(path, "w", encoding="utf-8") as program:
        program.write(
            f"import sys\n\nsys.path.insert(0, {os.path.dirname(os.path.abspath(file))!r})\n"
            f"from {module} import {name}\n\nif __name__ == '__main__':\n    {name}()\n"
        )
    return path


def check_program(
    program: Program, request: Request, on_progress: Callable[[Report], None] = lambda report: None
) -> Checked:
    """Search the program and replay what was found; raises ``CheckError``, ``PropertyError``."""
    claims = unpack(request.properties)
    if claims and not search_for(request.search):
        raise PropertyError(
            f"properties are judged over all states, and the search {request.search} leaves most "
            "of them out: take graph, or a sampler"
        )
    if claims and request.real:
        raise PropertyError("properties are judged in the virtual world, not on real processes")
    if request.real:
        report = RealSearch(program, request, on_progress).run()
    else:
        with Checker(request) as checker:
            report = checker.search(on_progress)
    on_progress(report)
    if report.wrong:
        raise PropertyError(report.wrong)
    return judge(program, report, claims)


def judge(
    program: Program,
    report: Report,
    claims: Sequence[Property] = (),
    interrupted: Callable[[], bool] = lambda: False,
) -> Checked:
    """Replay what the search found; once it is ``interrupted`` what comes of it means nothing."""
    if report.problem and not report.failures:
        hint = " With --real it is searched on real processes, which takes longer."
        why = f"The program cannot be checked: {report.problem}."
        return _undecided(report, why + (hint if report.elsewhere else ""))
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
    return replace(checked, properties=tuple(upheld))


def _by_length(failure: Failure) -> tuple[bool, bool, int]:
    """The confirmed first, then what no schedule shows; the shortest of them first."""
    steps = len(parse_schedule(failure.schedule))
    return not failure.confirmed, not _shows_itself(failure), steps


def _shows_itself(failure: Failure) -> bool:
    """Whether nothing is there to be confirmed: no run at all is the failure."""
    return failure.property.startswith(Kind.SOMETIMES)


def _decide(report: Report, failures: Sequence[Failure], upheld: Sequence[Upheld]) -> Checked:
    if failures and (failures[0].confirmed or _shows_itself(failures[0])):
        worst = failures[0]
        return _checked(
            report, worst.verdict, worst.explanation, tuple(failures), confirmed=worst.confirmed
        )
    if failures:
        real = report.search == REAL
        why = report.doubt or ("the program is not deterministic" if real else "an error of ours")
        return _undecided(
            report,
            f"The search found a {failures[0].verdict}, but the real processes did not come to it "
            f"under its schedule ({failures[0].explanation}): {why}.",
            tuple(failures),
        )
    for one in upheld:
        if one.holds is None and report.complete:
            return _undecided(report, f"{one.property} is not known to hold: {one.explanation}.")
    if report.complete:
        return _checked(report, Verdict.FINISHED, _proof(report), ())
    doubt = report.doubt or "not everything was visited"
    return _undecided(report, f"Nothing bad was found, but {doubt}: {_covered(report)}.")


def _uphold(
    program: Program, claim: Property, judged: Judged, report: Report
) -> tuple[Upheld, Failure | None]:
    """What became of the property; with the failure that it is, if it does not hold."""
    name, found = str(claim), judged.found
    if found is None:
        if judged.holds is None:
            why = judged.doubt or "not everything was visited"
            return Upheld(name, claim.site, None, why), None
        if judged.holds:
            return Upheld(name, claim.site, True, _proof_of(claim.kind, report.states)), None
        why = f"{name} does not hold: so it is in none of the {report.states:,} states."
        failure = Failure(Verdict.ASSERTION, why, "", False, property=name)
        return Upheld(name, claim.site, False, why), failure
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
        return f"no run through the {states:,} states avoids it"
    return f"so in {'none' if kind is Kind.NEVER else 'all'} of the {states:,} states"


def _told_of(claim: Property, found: Found, witness: Witness) -> str:
    """Why the replay refutes the property, or shows what it claims that there is."""
    choices = len(parse_schedule(found.schedule))
    after = f"after {choices} choices" if choices else "at the beginning"
    if claim.kind is Kind.EVENTUALLY:
        if found.verdict == Verdict.STARVATION:
            begins = len(parse_schedule(found.way))
            how = (
                f"after {begins} choices the same {choices - begins} can be made again and again, "
                f"which is fair ({claim.fairness} fairness), and it never comes true"
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
    )


def _beside(report: Report, failures: tuple[Failure, ...]) -> tuple[Finding, ...]:
    """The findings of the counterexample, and those of kinds that it does not show."""
    known = failures[0].findings if failures else ()
    kinds = {one.kind for one in known}
    return *known, *(one for one in report.findings if one.kind not in kinds)


def _undecided(report: Report, why: str, failures: tuple[Failure, ...] = ()) -> Checked:
    return _checked(report, Verdict.UNDECIDED, why, failures)


def _covered(report: Report) -> str:
    number, what = report.executions or report.states, "execution" if report.executions else "state"
    what = f"{number:,} {what}{'' if number == 1 else 's'}"
    bound = f" (the bound was {report.limit})" if report.limit else ""
    return f"{what}, up to a depth of {report.depth:,}{bound}"


def _proof(report: Report) -> str:
    if report.executions == 1:
        what = "The one execution was visited to which all others are equivalent"
    elif report.executions:
        what = f"All {report.executions:,} executions that differ were visited"
    else:
        what = f"All {report.states:,} states were visited"
    if report.search == REAL:
        what += " on real processes"
    return f"{what}: no process can wait for ever, no assertion can fail, none can crash."


# -- the real processes -----------------------------------------------------------------


def confirm(
    program: Program,
    found: Found,
    look: Callable[[RealWorld], None] = lambda world: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Failure:
    """Replay the schedule on the real processes; what came of it.

    Of a livelock, what follows the way must lead back to where it began.  Who waits for ever
    while others go on must wait there; that nothing can help it is what the search has seen.
    ``look`` is shown the processes whenever they are quiet.
    """
    verdict, schedule, way = Verdict(found.verdict), found.schedule, found.way
    steps: list[Step] = []
    deadline = time.monotonic() + _REPLAY
    begins, made = len(parse_schedule(way)), 0
    goes_round = verdict in (Verdict.LIVELOCK, Verdict.STARVATION)
    world = RealWorld(program, patience=10.0, on_step=steps.append)
    world.interrupted = interrupted
    try:
        world.settle(deadline)
        look(world)
        before = _place(world) if goes_round and not begins else None
        for at, choice in enumerate(parse_schedule(schedule)):
            world.adapt(choice.grain, deadline)
            if choice not in world.choices():
                why = f"choice {at + 1} of the schedule cannot be made"
                return Failure(verdict, why, schedule, False, tuple(steps))
            world.take(choice, deadline)
            world.settle(deadline)
            look(world)
            made += 1
            if goes_round and made == begins:
                before = _place(world)
        diagnosis = _final(world, deadline)
        if goes_round and diagnosis.verdict is None and before == _place(world):
            round_ = made - begins
            again = "the same step comes" if round_ == 1 else f"the same {round_} steps come"
            diagnosis = replace(
                diagnosis,
                verdict=verdict,
                explanation=f"After {begins} choices everybody is where they are after {made}: "
                f"{again} again and again, and nobody achieves anything.",
            )
        state = world.state
        if found.waits is not None and diagnosis.verdict is None:
            waits = waiting_for(state, state.actors[found.waits])
            if waits is not None:
                diagnosis = replace(
                    diagnosis,
                    verdict=verdict,
                    explanation=f"{state.actors[found.waits].name} {waits.clause}; whatever the "
                    "others do, it can never go on.",
                )
        return Failure(
            diagnosis.verdict or verdict,
            diagnosis.explanation or "nothing bad happens",
            schedule,
            diagnosis.verdict is verdict,
            tuple(steps),
            diagnosis.findings,
            diagnosis.cycle,
            tuple(
                {
                    "name": actor.name,
                    "state": status(state, actor, diagnosis.stuck),
                    "exitcode": actor.exitcode,
                    "holds": [primitive.name for primitive in state.holdings(actor)],
                }
                for actor in state.actors
            ),
        )
    except DivergenceError as error:
        return Failure(verdict, str(error), schedule, False, tuple(steps))
    finally:
        world.close()


def _place(world: RealWorld) -> object:
    """Where everybody is, and the value of everything."""
    state = world.state
    who = tuple((actor.pending, actor.life, actor.exitcode) for actor in state.actors)
    return who, {name: _essence(atom) for name, atom in state.atoms.items()}


def _essence(atom: Atom) -> object:
    """What the processes can tell of an atom, without what is kept of it for a person."""
    match atom:
        case Cell():
            return atom.value
        case Semaphore():
            return atom.value, atom.recursive and atom.holders
        case Channel():
            buffered = [(item.label, item.sender) for item in atom.buffered]
            return buffered, [item.label for item in atom.items], atom.sending, atom.ended
        case _:
            return atom


def _final(world: RealWorld, deadline: float) -> Diagnosis:
    """The diagnosis, once nothing that is unseen may still change it."""
    while True:
        diagnosis = diagnose(world.state)
        if diagnosis.verdict is not Verdict.DEADLOCK or not world.may_still_move():
            return diagnosis
        if time.monotonic() > deadline:
            return diagnosis
        world.pump(0.05)


# -- the command ------------------------------------------------------------------------


def run(program: Program, request: Request, *, as_json: bool) -> int:
    """``syncsim check``: says what came of it; the answer is the exit code."""
    progress = Progress(sys.stderr, request.seconds)
    shown = not as_json and is_wanted(sys.stdout, sys.stderr)
    try:
        checked = check_program(program, request, progress.show if shown else lambda report: None)
    except CheckError as error:
        print(f"syncsim: {error}.", file=sys.stderr)
        return 3
    except PropertyError as error:
        print(f"syncsim: {error}.", file=sys.stderr)
        return 2
    finally:
        progress.clear()
    if as_json:
        print(msgspec.json.encode(checked.as_dict()).decode())
    else:
        print("\n".join(told(checked)))
    if checked.verdict is Verdict.FINISHED:
        return 0
    return 3 if checked.verdict is Verdict.UNDECIDED else 1


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
        if _shows_itself(failure):
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
