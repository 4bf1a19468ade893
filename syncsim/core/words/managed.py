"""The words for calls on what the server of a manager keeps: dictionaries, lists, namespaces."""

from __future__ import annotations

from typing import Final

_KEYED: Final = {
    "__getitem__": "reads {result} from {it}[{detail}]",
    "__setitem__": "sets {it}[{first}] to {second}",
    "__delitem__": "deletes {it}[{detail}]",
    "__contains__": "looks whether {detail} is in {it}: {result}",
    "__len__": "counts what is in {it}: {result}",
    "__iter__": "begins to go through {it}",
    "__next__": "comes to {result} in {it}",
    "__reversed__": "begins to go through {it} backwards",
    "clear": "clears {it}",
    "copy": "copies {it}: {result}",
    "__repr__": "reads all of {it}: {result}",
    "#GETVALUE": "reads all of {it}: {result}",
}

_DICT: Final = _KEYED | {
    "get": "reads {result} from {it}[{detail}]",
    "keys": "reads the keys of {it}: {result}",
    "values": "reads the values of {it}: {result}",
    "items": "reads the items of {it}: {result}",
    "pop": "takes {result} out of {it}[{detail}]",
    "popitem": "takes {result} out of {it}",
    "setdefault": "sets {it}[{detail}] if it is not there: {result}",
    "update": "updates {it} with {detail}",
}

_LIST: Final = _KEYED | {
    "append": "appends {detail} to {it}",
    "extend": "extends {it} by {detail}",
    "insert": "inserts into {it}: {detail}",
    "pop": "takes {result} out of {it}",
    "remove": "removes {detail} from {it}",
    "count": "counts {detail} in {it}: {result}",
    "index": "looks for {detail} in {it}: at {result}",
    "sort": "sorts {it}",
    "reverse": "reverses {it}",
}

_SORTS: Final = {
    "dict": _DICT,
    "list": _LIST,
    "Array": _KEYED,
    "Namespace": {
        "__getattribute__": "reads {result} from {it}.{detail}",
        "__setattr__": "sets {it}.{first} to {second}",
        "__delattr__": "deletes {it}.{detail}",
        "__repr__": "reads all of {it}: {result}",
        "#GETVALUE": "reads all of {it}: {result}",
    },
    "Barrier": {
        "reset": "resets {it}",
        "abort": "breaks {it}",
        "__getattribute__": "reads {result} from {it}.{detail}",
    },
}


def template(sort: str, method: str) -> str:
    """Return the words for a call of the method on a thing of the sort; an unknown one is named."""
    return _SORTS.get(sort, {}).get(method, "calls {it}.{verb}({detail}): {result}")


#: The words for what somebody is about to do.
_PENDING: Final = {
    "__getitem__": "read {it}[{detail}]",
    "__setitem__": "set {it}[{first}] to {second}",
    "__delitem__": "delete {it}[{detail}]",
    "__getattribute__": "read {it}.{detail}",
    "__setattr__": "set {it}.{first} to {second}",
    "__delattr__": "delete {it}.{detail}",
    "__contains__": "look for {detail} in {it}",
    "__len__": "count {it}",
    "__iter__": "go through {it}",
    "__next__": "go through {it}",
    "__repr__": "read {it}",
    "#GETVALUE": "read {it}",
}


def intention(method: str, it: str, detail: str) -> str:
    """Return in words what somebody is about to do with ``it``: "append 3 → log"."""
    first, second = assignment(detail)
    template = _PENDING.get(method, "{method} {detail} → {it}" if detail else "{method} {it}")
    return template.format(method=method, it=it, detail=detail, first=first, second=second)


def assignment(detail: str) -> tuple[str, str]:
    """Return the two sides of ``'a' to 1``: the target of an assignment, and the value."""
    first, _, second = detail.partition(" to ")
    return first, second
