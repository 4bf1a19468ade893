"""The verdict: what a state amounts to, in one word, with its explanation and its findings."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.atoms import ActorId
from syncsim.core.deadlock.findings import Finding, findings_of
from syncsim.core.deadlock.graph import Link, WaitForGraph, wait_for_graph
from syncsim.core.state import Actor, State
from syncsim.core.words.lineage import signal_name
from syncsim.core.words.listing import listing, names
from syncsim.core.words.stuck import explain_stuck
from syncsim.core.words.waiting import standing

STARTED_NONE = "It started no process."


class Verdict(StrEnum):
    """The verdict: what happens, in one word."""

    FINISHED = "finished"
    DEADLOCK = "deadlock"
    LIVELOCK = "livelock"
    ASSERTION = "assertion"
    CRASH = "crash"
    STARVATION = "starvation"
    UNDECIDED = "undecided"


class Diagnosis(Struct, frozen=True):
    """The verdict of a state (None: it may still go on), with why."""

    verdict: Verdict | None
    explanation: str = ""
    stuck: tuple[ActorId, ...] = ()
    cycle: tuple[Link, ...] = ()
    findings: tuple[Finding, ...] = ()


def diagnose(state: State) -> Diagnosis:
    """Return what the state amounts to.

    A failure that has happened comes first; then those who wait for ever.  ``finished`` once
    the main process and all others have ended.
    """
    return _diagnosis_of(wait_for_graph(state))


def _diagnosis_of(graph: WaitForGraph) -> Diagnosis:
    verdict, explanation = _verdict_of(graph)
    return Diagnosis(verdict, explanation, graph.stuck, graph.cycle, tuple(findings_of(graph)))


def _verdict_of(graph: WaitForGraph) -> tuple[Verdict | None, str]:
    state = graph.state
    failed = next((actor for actor in state.actors if actor.failed), None)
    if failed is not None:
        verdict = Verdict.ASSERTION if failed.is_assertion else Verdict.CRASH
        return verdict, _failure(failed)
    if graph.stuck and not _somebody_may_end_it(state, graph.stuck):
        return Verdict.DEADLOCK, explain_stuck(graph)
    if state.actors and all(actor.ended for actor in state.actors):
        return Verdict.FINISHED, _finished(state)
    return None, ""


def diagnose_standstill(state: State, unseen: str) -> Diagnosis:
    """Return what is known of a state in which nothing moves, though not everyone is in view.

    ``unseen`` says who may still help that is no process or thread of the state; empty if nobody.
    """
    graph = wait_for_graph(state)
    diagnosis = _diagnosis_of(graph)
    sentences = ["Nothing moves."]
    rest = state.actors
    if diagnosis.verdict in (Verdict.ASSERTION, Verdict.CRASH):
        sentences.append(diagnosis.explanation)
    elif graph.stuck and not unseen:
        sentences.append(explain_stuck(graph))
        rest = tuple(actor for actor in rest if actor.id not in graph.stuck)
    sentences.append(standing(state, rest))
    if unseen:
        sentences.append(f"Help may still come from where we do not see: {unseen}.")
    undecided = diagnosis.verdict in (None, Verdict.DEADLOCK)
    return replace(
        diagnosis,
        verdict=Verdict.UNDECIDED if undecided else diagnosis.verdict,
        stuck=() if unseen else graph.stuck,
        explanation=" ".join(filter(None, sentences)),
    )


def _somebody_may_end_it(state: State, stuck: tuple[ActorId, ...]) -> bool:
    """Return whether a process above one that is stuck still goes on: it could terminate it."""
    for actor in stuck:
        above = state.actors[actor].parent
        while above is not None:
            if above not in stuck and not state.actors[above].ended:
                return True
            above = state.actors[above].parent
    return False


def _failure(actor: Actor) -> str:
    where = f" ({actor.error_site})" if actor.error_site else ""
    if actor.is_assertion:
        return f"An assertion of {actor.name} does not hold: {actor.error}{where}."
    if actor.error:
        return f"{actor.name} ends with an exception that nobody catches: {actor.error}{where}."
    code = actor.exitcode or 0
    return f"{actor.name} is killed by signal {-code} ({signal_name(-code)})."


def _finished(state: State) -> str:
    children = [actor for actor in state.actors if not actor.is_main and not actor.thread]
    if not children:
        calls = list(dict.fromkeys(call for actor in state.actors for call in actor.called))
        if calls:
            return f"It started no process by multiprocessing, and called {listing(calls)}."
        return STARTED_NONE
    count = "The only child" if len(children) == 1 else f"All {len(children)} children"
    text = f"{count} and the main process have ended."
    killed = [a.id for a in state.actors if a.was_killed and not a.thread]
    ends = [
        (a.name, f"by {signal_name(-code)}" if code < 0 else f"with exit code {code}")
        for a in state.actors
        if (code := a.exitcode) and a.id not in killed
    ]
    if ends:
        (first, how), *others = ends
        clauses = [f"{first} ended {how}", *(" ".join(other) for other in others)]
        text += f" {listing(clauses)}."
    if killed:
        were = "was" if len(killed) == 1 else "were"
        text += f" {names(state, killed)} {were} killed by the person."
    return text
