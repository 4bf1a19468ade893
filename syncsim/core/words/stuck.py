"""Why nobody of those who wait for ever can go on, in one to three sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncsim.core.atoms import ActorId
from syncsim.core.words.listing import names

if TYPE_CHECKING:
    from syncsim.core.deadlock.graph import WaitForGraph

#: What is said of a cycle of one, of two, and of more.
_NOBODY = {1: "It waits for itself", 2: "Neither can go on"}


def explain_stuck(graph: WaitForGraph) -> str:
    """Return the sentences: the cycle, who else waits, idle workers, and joins without a cycle."""
    in_cycle = {link.actor for link in graph.cycle}
    rest: list[str] = []
    joins: list[str] = []
    idle: dict[str, list[ActorId]] = {}
    for actor in graph.stuck:
        if actor in in_cycle:
            continue
        pool = graph.idle_at(actor)
        if pool:
            idle.setdefault(pool, []).append(actor)
        else:
            clauses = joins if graph.is_join(actor) else rest
            clauses.append(f"{graph.state.actors[actor].name} {graph.waits[actor].clause}")
    sentences = [_cycle(graph)] if graph.cycle else []
    if rest:
        last = "" if graph.cycle else ", and nobody is left who could help"
        sentences.append(f"{'; '.join(rest)}{last}.")
    for pool, workers in idle.items():
        waits = "waits" if len(workers) == 1 else "wait"
        sentences.append(f"{names(graph.state, workers)} {waits} for a task of {pool}.")
    if joins and not graph.cycle:
        sentences.append(f"{'; '.join(joins)}.")
    return " ".join(sentences)


def _cycle(graph: WaitForGraph) -> str:
    clauses = []
    for link, before in zip(graph.cycle, graph.cycle[-1:] + graph.cycle[:-1], strict=True):
        holds = "" if graph.is_join(before.actor) else f"holds {before.waits_for} and "
        clauses.append(f"{link.process} {holds}waits for {link.waits_for}")
    nobody = _NOBODY.get(len(graph.cycle), "None of them can go on")
    return f"{'; '.join(clauses)}. {nobody}."
