"""The smallest counterexample: with the fewest steps, and among those the fewest switches.

A step is a choice of the schedule; a *switch* is a choice for another process than the one
before.  Exact where the states that are as near as the failure can all be visited: breadth first
for the steps, and then for the switches through the shortest ways alone.  For what is too large
the executions with the fewest preemptions are visited first (Musuvathi, Qadeer: "Iterative context
bounding for systematic testing of multithreaded programs", PLDI 2007), and of what was found blocks
of steps of one process are left out, or put together, as long as it fails alike.

A search by executions that left none out has met the fewest steps to an end already: all orders of
the same execution have as many.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import count, groupby
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from syncsim.core.deadlock.verdict import Verdict, diagnose
from syncsim.core.operation import Verb
from syncsim.core.transition_system import Move
from syncsim.explore.dependence.relation import Event, dependent
from syncsim.explore.results import Path, choices, failure_in, verdict_at_the_end
from syncsim.explore.virtual.events import event_of
from syncsim.virtual.model.states import Did, State
from syncsim.virtual.model.system import System
from syncsim.virtual.run import VirtualRun

#: So many states may be visited, for each of the two ways to look for a smaller one.
MOST_STATES = 100_000
#: So many where only others who take part could make it smaller.
ENOUGH_STATES = 4_000
#: So many times something is left out of a long one, or put together.
MOST_TRIES = 2_000

Key: TypeAlias = Hashable


class _Step(NamedTuple):
    """A step of a way: from which state, by which move, and what was done."""

    before: Key
    move: Move
    did: tuple[Did, ...]


def minimised(system: System, path: Path, *, shortest: bool = False) -> Iterator[Path]:
    """Ever smaller counterexamples to that verdict; the last one is the smallest.

    Each step is a move of the system, which is not eager, and one of the path.  ``shortest`` says
    that none has fewer steps than that.
    """
    yield (path := _regrouped(system, path))
    each_once = switches(path.did) < len({move.actor for move in path.moves})
    most = ENOUGH_STATES if shortest and each_once else MOST_STATES
    other = _fewest_preemptions(system, path, most)
    if other is not None:
        yield (path := min(_regrouped(system, other), path, key=size))
    exact = _fewest_steps(system, path, most)
    if exact is not None:
        yield (path := exact)
    if exact is None or path.verdict is Verdict.DEADLOCK:
        # (Some may wait for ever while others could still go on: these steps can be left out.)
        yield from _shrunk(system, path)


def in_single_steps(fine: System, system: System, path: Path) -> Path | None:
    """That path of another system, as one of a system that is not eager."""
    names = {at: name for name, at in system.atoms.items()}
    state, did = fine.start()
    moves, every = [], [*did]
    for one in path.did:
        member = system.members[one.actor]
        if not one.token or (one.verb is Verb.SENT and member.feeds is not None):
            continue
        if member.feeds is None:
            actor = fine.actor(member.key)
        else:
            process, pipe = member.feeds
            actor = fine.feeder(fine.actor(system.members[process].key), fine.atom(names[pipe]))
        move = Move(actor, one.times_out)
        if not fine.can(state, move):
            return None
        state, did = fine.take(state, move)
        moves.append(move)
        every += did
    return Path(path.verdict, tuple(moves), tuple(every))


def size(path: Path) -> tuple[int, int]:
    """Return how many steps the path has, and how many switches."""
    return path.length, switches(path.did)


def switches(done: Iterable[Did]) -> int:
    """Return how often another process is chosen than the one before."""
    return max(0, sum(1 for _ in groupby(one.actor for one in done if one.token)) - 1)


def _length(did: Iterable[Did]) -> int:
    return sum(map(choices, did))


def _fails(system: System, state: State, verdict: Verdict) -> bool:
    if verdict is Verdict.DEADLOCK:
        return not system.moves(state) and verdict_at_the_end(system, state) is verdict
    return failure_in(state) is verdict


# -- exactly ----------------------------------------------------------------------------


def _fewest_steps(system: System, path: Path, most_states: int) -> Path | None:
    """The smallest of all that fail like that path, unless more states are as near as that."""
    verdict, most = path.verdict, path.length
    start = system.start()
    nearest: dict[Key, int] = {start.state.key: 0}
    before: dict[Key, list[_Step]] = {start.state.key: []}
    ends: list[Key] = []
    order = count()
    todo = [(0, next(order), start.state)]
    order_of: list[Key] = []
    while todo:
        far, _, state = heappop(todo)
        key = state.key
        if far > nearest[key] or far > most:
            continue
        order_of.append(key)
        if _fails(system, state, verdict):
            ends.append(key)
            most = far  # what is farther does not matter any more
            continue
        for move in system.moves(state):
            after, did = system.take(state, move)
            there, at = far + _length(did), after.key
            known = nearest.get(at)
            if there > most or (known is not None and known < there):
                continue
            step = _Step(key, move, did)
            if known == there:
                before[at].append(step)
                continue
            if len(nearest) >= most_states:
                return None
            nearest[at] = there
            before[at] = [step]
            heappush(todo, (there, next(order), after))
    return _fewest_switches(start.did, before, order_of, ends, verdict)


def _fewest_switches(
    begun: tuple[Did, ...],
    before: dict[Key, list[_Step]],
    nearest_first: list[Key],
    ends: list[Key],
    verdict: Verdict,
) -> Path | None:
    """Return one that switches least of the shortest ways to one of the ends."""
    needed = set(ends)
    for key in reversed(nearest_first):
        if key in needed:
            needed.update(step.before for step in before[key])
    # For each state, by who was chosen last: the switches, and the last step with whose before.
    best: dict[Key, dict[int, tuple[int, _Step | None, int]]] = {}
    for key in nearest_first:
        if key not in needed:
            continue
        ways = best[key] = {} if before[key] else {-1: (-1, None, -1)}
        for step in before[key]:
            chosen = [one.actor for one in step.did if one.token]
            inside = sum(1 for _ in groupby(chosen)) - 1
            for last, (cost, _, _) in best[step.before].items():
                cost += inside + (last != chosen[0])
                if chosen[-1] not in ways or cost < ways[chosen[-1]][0]:
                    ways[chosen[-1]] = cost, step, last
    if not ends:
        return None
    _, end, last = min(
        ((cost, end, last) for end in ends for last, (cost, _, _) in best[end].items()),
        key=itemgetter(0),
    )
    steps: list[_Step] = []
    key = end
    while (leg := best[key][last])[1] is not None:
        steps.append(leg[1])
        key, last = leg[1].before, leg[2]
    return _path(begun, reversed(steps), verdict)


def _path(begun: tuple[Did, ...], steps: Iterable[_Step], verdict: Verdict) -> Path:
    moves: list[Move] = []
    every = [*begun]
    for step in steps:
        moves.append(step.move)
        every += step.did
    return Path(verdict, tuple(moves), tuple(every))


# -- as well as can be done -------------------------------------------------------------


def _fewest_preemptions(system: System, path: Path, most_states: int) -> Path | None:
    """One that fails alike with the fewest preemptions; the way that is longest goes on first.

    A preemption takes the turn from a process that could go on.
    """
    verdict, most = path.verdict, path.length
    start = system.start()
    order = count()
    todo: list[tuple[int, int, int, State, int, _Link | None]] = [
        (0, 0, next(order), start.state, -1, None)
    ]
    seen: set[Key] = set()
    while todo and len(seen) < most_states:
        preempted, far, _, state, last, link = heappop(todo)
        far = -far
        key = state.key, last
        if key in seen:
            continue
        seen.add(key)
        if _fails(system, state, verdict):
            return _path(start.did, _unwound(link), verdict)
        moves = system.moves(state)
        goes_on = any(move.actor == last for move in moves)
        for move in moves:
            after, did = system.take(state, move)
            there = far + _length(did)
            if there <= most:
                cost = preempted + (goes_on and move.actor != last)
                step = _Link(_Step(key, move, did), link)
                heappush(todo, (cost, -there, next(order), after, move.actor, step))
    return None


class _Link(NamedTuple):
    step: _Step
    before: _Link | None


def _unwound(link: _Link | None) -> list[_Step]:
    steps = []
    while link is not None:
        steps.append(link.step)
        link = link.before
    return steps[::-1]


def _regrouped(system: System, path: Path) -> Path:
    """An execution of the same class with fewer switches: each goes on for as long as it can."""
    state = system.start().state
    events: list[Event] = []
    for move in path.moves:
        state, did = system.take(state, move)
        events.append(event_of(move, did))
    left: dict[int, list[int]] = {}
    after: list[set[int]] = []
    for at, event in enumerate(events):
        left.setdefault(event.move.actor, []).append(at)
        after.append({n for n, before in enumerate(events[:at]) if dependent(before, event)})
    state, begun = system.start()
    moves, every, made = [], [*begun], set[int]()
    while any(left.values()):
        block, state, done = max(
            (_block(system, state, events, after, made, own) for own in left.values()),
            key=lambda one: len(one[0]),
        )
        if not block:
            return path
        left[events[block[0]].move.actor] = left[events[block[0]].move.actor][len(block) :]
        moves += [events[at].move for at in block]
        every += done
        made.update(block)
    return min(path, Path(path.verdict, tuple(moves), tuple(every)), key=size)


def _block(
    system: System,
    state: State,
    events: list[Event],
    after: list[set[int]],
    made: set[int],
    own: list[int],
) -> tuple[list[int], State, list[Did]]:
    """Return what one actor can do now without a pause, the state after it, and its deeds."""
    block: list[int] = []
    every: list[Did] = []
    for at in own:
        move = events[at].move
        if after[at] - made - set(block) or not system.can(state, move):
            break
        state, did = system.take(state, move)
        block.append(at)
        every += did
    return block, state, every


def _shrunk(system: System, path: Path) -> Iterator[Path]:
    """Without blocks that are not needed, and with blocks of one process put together."""
    tries = MOST_TRIES
    better: Path | None = path
    while better is not None:
        path, better = better, None
        for moves in _smaller(path.moves):
            if not tries:
                return
            tries -= 1
            candidate = _made(system, moves, path.verdict)
            if candidate is not None and size(candidate) < size(path):
                yield (better := candidate)
                break


def _smaller(moves: tuple[Move, ...]) -> Iterable[tuple[Move, ...]]:
    """Yield moves that might do as well: with fewer steps, or with fewer switches."""
    blocks = [tuple(same) for _, same in groupby(moves, key=lambda move: move.actor)]
    for at, block in enumerate(blocks):  # not this block, nor what that process does after it
        actor = block[0].actor
        rest = [one for one in blocks[at + 1 :] if one[0].actor != actor]
        yield _joined([*blocks[:at], *rest])
        yield _joined([*blocks[:at], *blocks[at + 1 :]])
        yield _joined([*blocks[:at], block[:-1], *blocks[at + 1 :]])
    for at, block in enumerate(blocks):
        for later in range(at + 1, len(blocks)):
            if blocks[later][0].actor == block[0].actor:
                between = blocks[at + 1 : later]
                yield _joined([*blocks[:at], block, blocks[later], *between, *blocks[later + 1 :]])
                yield _joined([*blocks[:at], *between, block, *blocks[later:]])
                break


def _joined(blocks: Iterable[tuple[Move, ...]]) -> tuple[Move, ...]:
    return tuple(move for block in blocks for move in block)


def _made(system: System, moves: tuple[Move, ...], verdict: Verdict) -> Path | None:
    """Those moves from the start on, if they can be made and it then fails like that."""
    state, did = system.start()
    every = [*did]
    for at, move in enumerate(moves):
        if not system.can(state, move):
            return None
        state, did = system.take(state, move)
        every += did
        if verdict is not Verdict.DEADLOCK and failure_in(state) is verdict:
            return Path(verdict, moves[: at + 1], tuple(every))
    if any(system.members[move.actor].feeds is not None for move in system.moves(state)):
        return None  # a feeder is no actor of the core's, and may still help
    world = VirtualRun(system)
    for move in moves:
        world.make(move)
    if diagnose(world.state).verdict is not verdict:
        return None
    return Path(verdict, moves, tuple(every))
