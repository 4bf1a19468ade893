"""Doubt: the parts of a run that were not seen, and its verdict then: silence is no success."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.deadlock.findings import Finding, FindingKind
from syncsim.core.deadlock.verdict import Diagnosis, Verdict
from syncsim.core.words.listing import counted

#: So many processes are told one by one.
_TOLD = 5


class Unseen(Struct, frozen=True):
    """A process of the run that never reported: its pid, who has started it, and its command.

    The pid is None where it is not known (``os.system`` does not say).
    """

    pid: int | None
    parent: str
    command: str


class Child(Struct, frozen=True):
    """Another program that was started, which no one need see: its name, by whom, how often."""

    name: str
    parent: str
    times: int = 1


class Coverage(Struct, frozen=True):
    """The knowledge of a run besides its state.

    ``unseen`` are the processes that never reported, ``blind`` is what none of them can be seen to
    do (sentences), ``children`` are the other programs.  ``notes`` are to be known and no reason
    for doubt.
    """

    unseen: tuple[Unseen, ...] = ()
    blind: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def doubts(self) -> str:
        """Why a good end is not believed, in sentences; empty where it is."""
        return " ".join(filter(None, (who_was_not_seen(self.unseen), *self.blind)))


def who_was_not_seen(unseen: Sequence[Unseen]) -> str:
    """Return the sentence about those processes; empty if there are none."""
    if not unseen:
        return ""
    were = "was" if len(unseen) == 1 else "were"
    each = [_account(process) for process in unseen[:_TOLD]]
    if len(unseen) > _TOLD:
        each.append(f"and {len(unseen) - _TOLD} more")
    processes = counted(len(unseen), "process", "processes")
    return f"{processes} {were} not seen: {'; '.join(each)}."


def _account(process: Unseen) -> str:
    pid = "" if process.pid is None else f"pid {process.pid}, "
    command = f", command {process.command}" if process.command else ""
    return f"{pid}started by {process.parent}{command}"


def doubted(diagnosis: Diagnosis, view: Coverage) -> Diagnosis:
    """Return the diagnosis with what was not seen: then nothing is ``finished``.

    A failure that has happened has happened; who waits for ever was proven to.
    """
    findings = [
        Finding(
            FindingKind.CHILD_PROGRAM,
            f"{child.name}, started by {child.parent}"
            + (f" {child.times} times" * (child.times > 1)),
        )
        for child in view.children
    ]
    if not view.doubts:
        return replace(diagnosis, findings=(*diagnosis.findings, *findings))
    if diagnosis.verdict is Verdict.FINISHED:
        why = f"{view.doubts} Nobody knows whether all is well there. {diagnosis.explanation}"
        diagnosis = replace(diagnosis, verdict=Verdict.UNDECIDED, explanation=why)
    else:
        findings = [Finding(FindingKind.NOT_SEEN, view.doubts), *findings]
    return replace(diagnosis, findings=(*diagnosis.findings, *findings))
