"""Small programs that are made up: two or three processes, a few calls each on what they share.

Each prints what came of every call, so that what happened can be told from what was printed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

#: A program prints and joins, and nothing else beside its calls.
_HEAD = '''\
from multiprocessing import get_context
from time import sleep


def tell(who, call, *arguments):
    """Make the call, and print what came of it."""
{telling}
    print(f"{{who}} {{result}}\\n", end="", flush=True)  # one write


def held(lock, call, *arguments):
    with lock:
        return call(*arguments)

'''
_CATCHES = """\
    try:
        result = call(*arguments)
    except Exception as error:
        result = type(error).__name__"""
_RAISES = """\
    result = call(*arguments)"""

#: Seconds that a call waits which does not wait for ever.
BRIEFLY = 0.002
#: The most seconds of a pause between two calls.
PAUSE = 0.004

_LOCKED = (
    "{it}.acquire",
    "{it}.acquire",
    "{it}.acquire, False",
    f"{{it}}.acquire, True, {BRIEFLY}",
    "{it}.release",
    "{it}.release",
)
_COUNTED = (*_LOCKED, "{it}.get_value")
_QUEUED = (
    "{it}.put, {item}",
    "{it}.put, {item}",
    "{it}.get",
    "{it}.get, False",
    f"{{it}}.get, True, {BRIEFLY}",
    "{it}.empty",
    "{it}.full",
    "{it}.qsize",
)
_BOUNDED_QUEUE = (*_QUEUED, "{it}.put, {item}, False", f"{{it}}.put, {{item}}, True, {BRIEFLY}")
#: How a primitive may be made, and what may be done with it.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "lock": (("Lock()",), _LOCKED),
    "rlock": (("RLock()",), _LOCKED),
    "semaphore": (("Semaphore(0)", "Semaphore(1)", "Semaphore(2)"), _COUNTED),
    "bounded": (("BoundedSemaphore(1)", "BoundedSemaphore(2)"), _COUNTED),
    "condition": (
        ("Condition()", "Condition(context.Lock())"),
        (
            "held, {it}, {it}.wait",
            f"held, {{it}}, {{it}}.wait, {BRIEFLY}",
            "held, {it}, {it}.notify",
            "held, {it}, {it}.notify, 2",
            "held, {it}, {it}.notify_all",
            "{it}.acquire",
            "{it}.release",
            "{it}.wait",
            "{it}.notify",
        ),
    ),
    "event": (
        ("Event()",),
        (
            "{it}.set",
            "{it}.set",
            "{it}.clear",
            "{it}.is_set",
            "{it}.wait",
            f"{{it}}.wait, {BRIEFLY}",
        ),
    ),
    "barrier": (
        ("Barrier(2)", "Barrier(3)"),
        (
            "{it}.wait",
            "{it}.wait",
            f"{{it}}.wait, {BRIEFLY}",
            "{it}.abort",
            "{it}.reset",
            'getattr, {it}, "broken"',
            'getattr, {it}, "n_waiting"',
        ),
    ),
    "queue": (("Queue()",), _QUEUED),
    "short": (("Queue(1)", "Queue(2)"), _BOUNDED_QUEUE),
    "joinable": (
        ("JoinableQueue()",),
        ("{it}.put, {item}", "{it}.get", "{it}.get, False", "{it}.task_done", "{it}.join"),
    ),
    "simple": (("SimpleQueue()",), ("{it}.put, {item}", "{it}.get", "{it}.empty")),
    "value": (
        ("Value('i', 0)", "Value('i', 0, lock=context.Lock())"),
        (
            "{it}.get_lock().acquire",
            "{it}.get_lock().release",
            "setattr, {it}, 'value', 1",
            "getattr, {it}, 'value'",
        ),
    ),
    "pipe": (
        ("Pipe()", "Pipe(False)"),
        (
            "{it}[{end}].send, {item}",
            "{it}[{end}].send, {item}",
            "{it}[{end}].recv",
            "{it}[{end}].recv",
            "{it}[{end}].poll",
            f"{{it}}[{{end}}].poll, {BRIEFLY}",
            "{it}[{end}].close",
            "{it}[{other}].close",
        ),
    ),
}
NAMES = "abc"


@dataclass(frozen=True)
class Client:
    """A program: what is shared, and what each process calls; the first is the main one."""

    things: tuple[tuple[str, str], ...]
    scripts: tuple[tuple[str, ...], ...]
    catches: bool = True
    """Whether the exception of a call is a result like another, or ends the process."""
    method: str = "fork"

    def source(self, seed: int | None = None) -> str:
        """Its text; with a seed there are pauses here and there between the calls."""
        chance = random.Random(seed) if seed is not None else None
        names = [name for name, _ in self.things]
        lines = [_HEAD.format(telling=_CATCHES if self.catches else _RAISES)]
        for who, script in zip(NAMES[1:], self.scripts[1:], strict=False):
            body = _body(who, script, chance) or ["    pass"]
            lines += [f"\ndef {who}({', '.join(names)}):", *body, ""]
        lines += ["", 'if __name__ == "__main__":', f'    context = get_context("{self.method}")']
        lines += [f"    {name} = context.{made}" for name, made in self.things]
        others = NAMES[1 : len(self.scripts)]
        arguments = f"args=({', '.join(names)},)"
        for who in others:
            lines += [f"    process_{who} = context.Process(target={who}, {arguments})"]
        lines += [f"    process_{who}.start()" for who in others]
        lines += _body("a", self.scripts[0], chance)
        for who in others:
            lines += [f"    process_{who}.join()"]
            lines += [f'    tell("a", getattr, process_{who}, "exitcode")']
        return "\n".join(lines) + "\n"


def _body(who: str, script: tuple[str, ...], chance: random.Random | None) -> list[str]:
    lines = []
    for call in script:
        if chance is not None and chance.random() < 0.6:
            lines.append(f"    sleep({chance.random() * PAUSE:.5f})")
        lines.append(f'    tell("{who}", {call})')
    return lines


@st.composite
def clients(
    draw: st.DrawFn, *kinds: str, most: int = 8, each: int = 5, method: str = "fork"
) -> Client:
    """Programs with one or two of those primitives, and at most so many calls."""
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True))
    things = tuple((kind, draw(st.sampled_from(KINDS[kind][0]))) for kind in chosen)
    scripts = []
    for me in range(draw(st.integers(2, 3))):
        # An end of a pipe is for one process alone, as the documentation demands.
        mine = [kind for kind in chosen if kind != "pipe" or me < 2]
        calls = [(kind, call) for kind in mine for call in KINDS[kind][1]]
        picked = (
            draw(st.lists(st.sampled_from(calls), min_size=min(me, 1), max_size=each))
            if calls
            else []
        )
        scripts.append(picked)
    while sum(map(len, scripts)) > most:
        max(scripts, key=len).pop()
    return Client(
        things,
        tuple(
            tuple(
                call.format(it=kind, item=f'"{NAMES[me]}{at}"', end=me % 2, other=1 - me % 2)
                for at, (kind, call) in enumerate(script)
            )
            for me, script in enumerate(scripts)
        ),
        catches=draw(st.booleans()) or draw(st.booleans()),
        method=method,
    )
