"""Things that the server of a manager keeps: their sort, their content, a call of them.

Told in both worlds alike.
"""

from __future__ import annotations

import array
import queue
import threading
from typing import Any, Final

from syncsim.program.safe_text import safe_text

#: How much of a content is told, in characters.
_MOST = 400

#: What has a model of its own: sure only of one that the server has just made itself.
_OWNED: Final = (threading.Lock, threading.RLock, threading.Semaphore, threading.BoundedSemaphore)
_BY_MAKER: Final = dict(
    zip(_OWNED, ("Lock", "RLock", "Semaphore", "BoundedSemaphore"), strict=True)
)
_BY_CLASS: Final[dict[type, str]] = {
    threading.Condition: "Condition",
    threading.Event: "Event",
    threading.Barrier: "Barrier",
    queue.Queue: "Queue",
    queue.LifoQueue: "Queue",
    queue.PriorityQueue: "Queue",
    dict: "dict",
    list: "list",
    array.array: "Array",
}


def sort_of(maker: Any, thing: Any, *, given: bool) -> str:
    """Return the sort of a thing by its maker (``given`` something) or class; empty: unknown."""
    if maker in _OWNED:
        return _BY_MAKER[maker]
    if maker is threading.Condition and given:  # over a lock of its own
        return ""
    kind = type(thing)
    if kind.__module__ == "multiprocessing.managers":
        return kind.__name__ if kind.__name__ in ("Namespace", "Value") else ""
    return _BY_CLASS.get(kind, "")


def content(thing: Any) -> str:
    """Return the content of a thing, as text; nothing of the program's own runs for that."""
    kind = type(thing)
    if kind is threading.Event:
        return "set" if thing._flag else "not set"
    if kind is threading.Barrier:
        return "broken" if thing._state < 0 else ""
    if isinstance(thing, queue.Queue):
        return safe_text(list(thing.queue), _MOST)
    if kind in (dict, list, array.array):
        return safe_text(thing, _MOST)
    inside = getattr(thing, "__dict__", None)
    if type(inside) is not dict or kind.__module__ in ("threading", "_thread"):
        return ""
    if kind.__module__ == "multiprocessing.managers":
        if kind.__name__ == "Value":
            return safe_text(inside.get("_value"), _MOST)
        inside = {name: value for name, value in inside.items() if not name.startswith("_")}
    pairs = (f"{name}={safe_text(value, 80, 2)}" for name, value in list(inside.items())[:8])
    text = ", ".join(pairs)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def argument(method: str, args: Any, keywords: Any) -> str:
    """Return the arguments in words: ``'a' to 1`` for an item that is set."""
    if method in ("__getattribute__", "__setattr__", "__delattr__") and args:
        texts = [str(args[0])[:60], *map(safe_text, args[1:])]
    else:
        texts = [safe_text(arg) for arg in args]
    if method in ("__setitem__", "__setattr__"):
        return " to ".join(texts)
    if method == "__setstate__":
        return ""
    texts += [f"{name}={safe_text(value)}" for name, value in keywords.items()]
    return ", ".join(texts)
