"""Random programs, as data: every one of them ends by construction.

Locks are nested in one order only, and all else that may wait has a timeout, except what
somebody is sure to answer: a barrier that everyone meets at, and what the player drains.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st

Plan: TypeAlias = dict[str, Any]
Operation: TypeAlias = list[Any]

#: What can be held while something else is done.
LOCKS = ("Lock", "RLock", "Semaphore", "BoundedSemaphore")
TIMEOUTS = st.sampled_from([0.0005, 0.002, 0.01])
MAYBE_TIMEOUTS = st.sampled_from([0, 0, 0.002, 0.01])
_NUMBERS = st.integers(0, 10**6)


def _things(draw: st.DrawFn, parties: int) -> list[Operation]:
    things = [
        draw(
            st.sampled_from(
                [
                    ["Lock"],
                    ["RLock"],
                    ["Semaphore", 0],
                    ["Semaphore", 2],
                    ["BoundedSemaphore", 1],
                    ["BoundedSemaphore", 2],
                    ["Condition"],
                    ["Event"],
                    ["Queue"],
                    ["Queue", 1],
                    ["Queue", 2],
                    ["JoinableQueue", 2],
                    ["SimpleQueue"],
                    ["Pipe"],
                    ["Pipe", False],
                    ["Value", "i", 0],
                    ["Array", "i", 3],
                ]
            )
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    if draw(st.booleans()):
        things.append(["Barrier", parties])
    return things


def _operation(draw: st.DrawFn, things: list[Operation], me: int, above: int, depth: int) -> Any:
    """One operation of the process ``me``, which holds things up to number ``above``."""
    at = draw(st.integers(0, len(things) - 1))
    kind, *arguments = things[at]
    may_hold = at > above
    inner = st.deferred(lambda: _script(things, me, max(at, above), depth + 1))
    if depth == 0 and draw(st.integers(0, 14)) == 0:
        return ["child", draw(_script(things, 1 << 10, -1, 1)), draw(TIMEOUTS)]
    if depth == 0 and draw(st.integers(0, 14)) == 0:
        thread = draw(_script(things, 1 << 10, -1, 1))
        return ["thread", thread, draw(_script(things, me, -1, 1))]
    match kind:
        case "Lock" | "RLock" | "Semaphore" | "BoundedSemaphore":
            options: list[Any] = [["release", at]] if kind != "Lock" or draw(st.booleans()) else []
            if kind.endswith("Semaphore"):
                options.append(["value_of", at])
            if depth < 3:
                if may_hold and arguments != [0]:
                    options += 3 * [["hold", at, draw(inner)]]
                options.append(["attempt", at, draw(MAYBE_TIMEOUTS), draw(inner)])
            return draw(st.sampled_from(options)) if options else ["go_on"]
        case "Condition" if may_hold:
            return draw(
                st.sampled_from(
                    [["wait", at, draw(TIMEOUTS)], ["notify", at, draw(st.integers(0, 2))]]
                )
            )
        case "Event":
            return draw(
                st.sampled_from(
                    [
                        ["set", at],
                        ["clear", at],
                        ["is_set", at],
                        ["await_event", at, draw(TIMEOUTS)],
                    ]
                )
            )
        case "Queue" | "JoinableQueue":
            timeout = draw(MAYBE_TIMEOUTS)
            return draw(
                st.sampled_from(
                    2 * [["put", at, timeout], ["get", at, timeout]] + [["empty", at], ["full", at]]
                )
            )
        case "SimpleQueue":
            return draw(st.sampled_from([["put_simple", at], ["put_simple", at], ["empty", at]]))
        case "Pipe" if me < 2:  # one process at each end, as the documentation demands
            options = []
            duplex = not arguments
            if duplex or me == 0:
                options.append(["receive", at, me, draw(MAYBE_TIMEOUTS)])
            if duplex or me == 1:
                options.append(["send", at, me])
            return draw(st.sampled_from(options))
        case "Value":
            return draw(
                st.sampled_from([["read", at], ["write", at, draw(_NUMBERS)], ["increase", at]])
            )
        case "Array":
            place = draw(st.integers(0, arguments[1] - 1))
            return draw(
                st.sampled_from(
                    [["read_place", at, place], ["write_place", at, place, draw(_NUMBERS)]]
                )
            )
        case _:
            return draw(st.sampled_from([["go_on"], ["pause", 0.0005]]))


@st.composite
def _script(draw: st.DrawFn, things: list[Operation], me: int, above: int, depth: int) -> Any:
    most = (7, 3, 2, 1)[min(depth, 3)]
    return [_operation(draw, things, me, above, depth) for _ in range(draw(st.integers(1, most)))]


@st.composite
def plans(draw: st.DrawFn, method: str = "fork") -> Plan:
    """A program of two to four processes."""
    parties = draw(st.integers(2, 4))
    things = _things(draw, parties)
    scripts = [draw(_script(things, me, -1, 0)) for me in range(parties)]
    if things[-1][0] == "Barrier":
        for _ in range(draw(st.integers(1, 2))):
            for script in scripts:
                script.insert(draw(st.integers(0, len(script))), ["meet", len(things) - 1])
    return {"method": method, "things": things, "scripts": scripts}
