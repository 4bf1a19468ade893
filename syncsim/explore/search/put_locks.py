"""When a feeder really sends: only one at a time has the put lock of a queue.

In the virtual world an item is in the pipe as soon as its feeder likes, behind another one that
is not wholly in it.  Nobody can tell, but a schedule is about real feeders: there the one behind
has to wait for the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncsim.core.operation import Verb
from syncsim.virtual.model.states import DROPPED, Did


def in_turn(did: Iterable[Did]) -> Iterator[Did]:
    """Yield what was done, each send of a feeder when it has the lock, if it ever gets it."""
    has_lock: dict[int, int] = {}
    waiting: dict[int, list[Did]] = {}
    for one in did:
        feeds = one.request is None and one.token
        if feeds and one.verb is Verb.SEND and one.part != DROPPED:
            if one.atom in has_lock:
                waiting.setdefault(one.atom, []).append(one)
                continue
            if not one.whole:
                has_lock[one.atom] = one.actor
        yield one
        if feeds and one.verb is Verb.SENT and has_lock.get(one.atom) == one.actor:
            del has_lock[one.atom]
            behind = waiting.get(one.atom, [])
            while behind and one.atom not in has_lock:
                follows = behind.pop(0)
                if not follows.whole:
                    has_lock[one.atom] = follows.actor
                yield follows
