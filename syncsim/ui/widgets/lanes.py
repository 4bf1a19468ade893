"""Who has a lane, and in which order."""

from __future__ import annotations

from syncsim.core.state import Actor, State


def lanes(state: State, *, xray: bool) -> list[Actor]:
    """The actors from the top to the bottom.

    They stand in order of birth; the library's own threads are seen under the X-ray alone, each
    below its process.
    """
    if not xray:
        return [actor for actor in state.actors if not actor.library]
    threads: dict[int | None, list[Actor]] = {}
    for actor in state.actors:
        if actor.library:
            threads.setdefault(actor.parent, []).append(actor)
    return [
        lane
        for actor in state.actors
        if not actor.library
        for lane in (actor, *threads.get(actor.id, ()))
    ]
