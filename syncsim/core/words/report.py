"""A report of how a run stands: who waits for what, held by whom, since when, and where.

Values, and the same as plain text of at most 100 columns, fit for a bug tracker.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from msgspec import Struct

from syncsim.core.deadlock.findings import Finding
from syncsim.core.deadlock.graph import Link
from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.text import clean
from syncsim.core.words.listing import headline

#: The width of the text, in columns.
WIDTH = 100
#: So much of one line of the program's text is quoted.
_QUOTED = 60


class SourcePlace(Struct, frozen=True):
    """A line of the program: ``text`` is what stands there (hostile, like all of the program).

    ``exact`` is false where it is the line of the last operation, and it may be anywhere after.
    """

    file: str
    line: int
    function: str
    text: str = ""
    exact: bool = True


class ProcessReport(Struct, frozen=True):
    """The account of one process (or thread of one).

    ``since`` is the step since which it waits.  ``kernel`` is the operating system's account of
    it, ``doubt`` says where that is another than ours.
    """

    name: str
    pid: int
    state: str
    exitcode: int | None = None
    waits: str = ""
    waiting_for: str | None = None
    held_by: tuple[str, ...] = ()
    since: int | None = None
    place: SourcePlace | None = None
    holds: tuple[str, ...] = ()
    kernel: str = ""
    doubt: str = ""


class PrimitiveReport(Struct, frozen=True):
    """A primitive that somebody holds or waits for; ``made`` is where in the program it was."""

    name: str
    kind: str
    made: str
    holders: tuple[str, ...] = ()
    waiters: tuple[str, ...] = ()


class StepReport(Struct, frozen=True):
    """One step of the run."""

    n: int
    process: str
    sentence: str
    place: str


class Report(Struct, frozen=True):
    """A whole report.  ``reason`` says why the run was ended, where there is no verdict."""

    verdict: Verdict
    explanation: str
    steps: int
    findings: tuple[Finding, ...]
    cycle: tuple[Link, ...]
    processes: tuple[ProcessReport, ...]
    primitives: tuple[PrimitiveReport, ...]
    last_steps: tuple[StepReport, ...]
    python: str
    platform: str
    start_method: str
    command: str


def as_text(report: Report) -> str:
    """Return the report as lines of at most ``WIDTH`` columns that do not command a terminal."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    codes = [process.exitcode for process in report.processes[:1]]
    yield headline(f"syncsim report: {report.verdict} after {report.steps} steps", codes)
    yield from _wrapped(report.explanation, "")
    for finding in report.findings:
        yield from _wrapped(f"{finding.kind}: {finding.explanation}", "  ")
    if report.cycle:
        yield from _section("cycle")
        for link in report.cycle:
            text = f"{link.process} waits for {link.waits_for}, held by {link.held_by}"
            if link.waits_for == link.held_by:
                text = f"{link.process} waits for {link.held_by} to end"
            yield from _wrapped(text, "  ")
    yield from _section("processes")
    for process in report.processes:
        yield from _process(process)
    if report.primitives:
        yield from _section("primitives")
        for primitive in report.primitives:
            yield from _primitive(primitive)
    if report.last_steps:
        yield from _section("last steps")
        yield from _table(
            (f"{step.n}", step.process, step.sentence, clean(step.place))
            for step in report.last_steps
        )
    yield from _section("run")
    yield from _pairs(
        ("command", report.command),
        ("python", report.python),
        ("platform", report.platform),
        ("start method", report.start_method),
    )


def _process(process: ProcessReport) -> Iterator[str]:
    ended = "" if process.exitcode is None else f", exit code {process.exitcode}"
    yield from _wrapped(f"{process.name}  pid {process.pid}  {process.state}{ended}", "  ")
    pairs = []
    if process.waits:
        since = "" if process.since is None else f" (since step {process.since})"
        pairs.append(("why", f"{process.waits}{since}"))
    if any(holder not in process.waits for holder in process.held_by):
        pairs.append(("held by", ", ".join(process.held_by)))
    if process.holds:
        pairs.append(("holds", ", ".join(process.holds)))
    place = process.place
    if place is not None:
        name = place.file.rpartition("/")[2]
        quoted = f"  {_cut(place.text, _QUOTED)}" if place.text else ""
        where = f"{name}:{place.line} in {place.function}{quoted}"
        pairs.append(("line", where if place.exact else f"after {where}"))
    if process.kernel:
        pairs.append(("kernel", process.kernel))
    if process.doubt:
        pairs.append(("but", process.doubt))
    yield from _pairs(*pairs, indent="      ")


def _primitive(primitive: PrimitiveReport) -> Iterator[str]:
    made = f"  made at {primitive.made}" if primitive.made else ""
    yield from _wrapped(f"{primitive.name}  {primitive.kind}{made}", "  ")
    pairs = [("held by", primitive.holders), ("in line", primitive.waiters)]
    yield from _pairs(
        *((key, ", ".join(actors)) for key, actors in pairs if actors), indent="      "
    )


def _section(title: str) -> Iterator[str]:
    yield ""
    yield f"{title}:"


def _pairs(*pairs: tuple[str, str], indent: str = "  ") -> Iterator[str]:
    width = max((len(key) for key, _ in pairs), default=0)
    for key, value in pairs:
        yield from _wrapped(value or "not known", f"{indent}{key:<{width}}  ")


def _table(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    for n, process, sentence, place in rows:
        start = f"  {n:>5}  {_cut(process, 16):<16}  "
        room = WIDTH - len(start) - len(place) - 2
        yield f"{start}{_cut(sentence, room):<{room}}  {place}".rstrip()


def _wrapped(text: str, first: str) -> Iterator[str]:
    """Return the text behind ``first``, further lines below its beginning."""
    lines = textwrap.wrap(
        clean(text),
        WIDTH - len(first),
        break_on_hyphens=False,
        max_lines=20,
        placeholder=" …",
    )
    for number, line in enumerate(lines or [""]):
        yield (first if number == 0 else " " * len(first)) + line


def _cut(text: str, width: int) -> str:
    text = " ".join(clean(text).split())
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
