"""The report of a run that hangs, or that was ended: what is known of it, put together."""

from __future__ import annotations

import linecache
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from syncsim.core.deadlock.verdict import Diagnosis, Verdict
from syncsim.core.operation import Site
from syncsim.core.state import Actor, Primitive, State
from syncsim.core.steps import Step
from syncsim.core.words.listing import names
from syncsim.core.words.report import (
    PrimitiveReport,
    ProcessReport,
    Report,
    SourcePlace,
    StepReport,
)
from syncsim.core.words.status import status
from syncsim.core.words.waiting import waiting_for
from syncsim.real.locating import ThreadLocator


def report(
    state: State, diagnosis: Diagnosis, locator: ThreadLocator, steps: Iterable[Step], command: str
) -> Report:
    """The report of this state, while its processes are still there; ``steps`` are the last."""
    return Report(
        verdict=diagnosis.verdict or Verdict.UNDECIDED,
        explanation=diagnosis.explanation,
        steps=state.n,
        findings=diagnosis.findings,
        cycle=diagnosis.cycle,
        processes=tuple(_process(state, actor, diagnosis, locator) for actor in state.actors),
        primitives=tuple(
            _primitive(state, primitive)
            for primitive in state.primitives.values()
            if _holders(state, primitive) or state.waiting(primitive)
        ),
        last_steps=tuple(
            StepReport(step.n, step.process, step.sentence, _place(step.file, step.line))
            for step in steps
        ),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(),
        start_method=_methods(state),
        command=command,
    )


def _process(
    state: State, actor: Actor, diagnosis: Diagnosis, locator: ThreadLocator
) -> ProcessReport:
    wait = waiting_for(state, actor)
    place, kernel, doubt, waits = None, "", "", wait.clause if wait else ""
    if not actor.ended:
        site = actor.pending.site if actor.pending is not None else None
        exact = True
        if site is None:
            found = locator.of(actor.id)
            site, exact = found.site, found.exact
            if actor.outside:
                waits = f"outside: {found.doing}"
        place = _where(site, exact) if site is not None else None
        kernel, doubt = locator.account(actor.id)
    return ProcessReport(
        name=actor.name,
        pid=actor.pid,
        state=status(state, actor, diagnosis.stuck),
        exitcode=actor.exitcode,
        waits=waits,
        waiting_for=wait.what if wait else None,
        held_by=tuple(state.actors[on].name for on in dict.fromkeys(wait.on)) if wait else (),
        since=actor.since if wait else None,
        place=place,
        holds=tuple(primitive.name for primitive in state.holdings(actor)),
        kernel=kernel,
        doubt=doubt,
    )


def _primitive(state: State, primitive: Primitive) -> PrimitiveReport:
    return PrimitiveReport(
        name=primitive.name,
        kind=primitive.kind,
        made=_place(primitive.file, primitive.line),
        holders=tuple(_holders(state, primitive)),
        waiters=tuple(actor.name for actor in state.waiting(primitive)),
    )


def _holders(state: State, primitive: Primitive) -> list[str]:
    held = [actor for role in primitive.parts for actor in state.holders(primitive, role)]
    return [
        names(state, [actor]) + (" (has ended)" if state.actors[actor].ended else "")
        for actor in dict.fromkeys(held)
    ]


def _where(site: Site, exact: bool) -> SourcePlace:
    text = linecache.getline(site.file, site.line).strip()[:200]
    return SourcePlace(site.file, site.line, site.function, text, exact)


def _place(file: str, line: int) -> str:
    return f"{os.path.basename(file)}:{line}" if file else ""


def _methods(state: State) -> str:
    children = [actor for actor in state.actors if not actor.is_main and not actor.thread]
    if not children:
        return "no process was started"
    return ", ".join(sorted({_method(actor.pid) for actor in children if not actor.ended}))


def _method(pid: int) -> str:
    """Return how that process was started, by its command line."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "not known"
    for method in ("forkserver", "spawn"):
        if f"from multiprocessing.{method} import".encode() in line:
            return method
    return "fork"
