"""The actors that have a lane, in their order."""

from __future__ import annotations

from syncsim.core.state import Actor, State
from syncsim.core.words.lineage import family


def lanes(state: State, *, xray: bool) -> list[tuple[Actor, int]]:
    """The actors from the top to the bottom, each with its depth in the family.

    Children stand right after their parent, in order of birth; the library's own threads are
    seen under the X-ray alone, each below its process.
    """
    threads: dict[int | None, list[Actor]] = {}
    for actor in state.actors:
        if actor.library and xray:
            threads.setdefault(actor.parent, []).append(actor)
    found = []
    for actor, depth in family(state):
        if not actor.library:
            found.append((actor, depth))
            found += [(thread, depth + 1) for thread in threads.get(actor.id, ())]
    return found
