"""The name that the source gives to a primitive: `forks[2]`, `self.slots`, `locks['a']`.

A primitive is created by a call, and the code around that call says what its author
calls it: the target of an assignment, a list it is appended to, the keyword it is
passed as. This module reads that from the syntax tree; nothing is run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, pairwise
from typing import NamedTuple, TypeAlias


class Position(NamedTuple):
    """Where a call stands in the source, as the syntax tree counts.

    Lines count from 1, columns are UTF-8 byte offsets from 0. Mind the order:
    `code.co_positions()` yields line, end line, column, end column. It yields None
    for what the compiler did not record.
    """

    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


@dataclass(frozen=True, slots=True)
class NamePattern:
    """The name that a creation site gives to what it creates."""

    base: str
    indexed: bool = False
    """One site makes many: they are called `base[0]`, `base[1]`, in order of birth."""


def pattern(text: str, position: Position) -> NamePattern | None:
    """Return what the source calls the result of the call at `position`; None if nothing."""
    steps = _calls(text).get((position.end_line, position.end_column))
    return _climb(steps, _parameters(text)) if steps else None


class Namer:
    """Gives every primitive of a run a name of its own, in the order of their creation."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._numbers: dict[str, Iterator[int]] = {}

    def name(self, text: str | None, position: Position | None, kind: str) -> str:
        """Return the display name of a new primitive of this `kind` ("Lock").

        `text` is the source of the file that creates it, None when that cannot be
        read. The second `slots` of a run is `slots#2`; without any name in the
        source it is `Lock#1`, counted per kind.
        """
        given = pattern(text, position) if text is not None and position is not None else None
        if given is None:
            return self._next(kind, "{}#{}", first=1)
        if given.indexed:
            return self._next(given.base, "{}[{}]", first=0)
        if given.base not in self._used:
            self._used.add(given.base)
            return given.base
        return self._next(given.base, "{}#{}", first=2)

    def copy(self) -> Namer:
        """Return a namer that goes on by itself: the names of a forked child."""
        twin = Namer()
        twin._used = set(self._used)
        return twin

    def _next(self, base: str, form: str, first: int) -> str:
        numbers = self._numbers.setdefault(form.format(base, ""), count(first))
        name = next(name for n in numbers if (name := form.format(base, n)) not in self._used)
        self._used.add(name)
        return name


# Reading the tree -------------------------------------------------------------------

_Chain: TypeAlias = tuple[ast.AST, ...]
"""A call and what it is part of, from the inside out."""

_CONVERSIONS = frozenset({"dict", "frozenset", "list", "set", "sorted", "tuple"})
_COLLECTORS = frozenset({"add", "append", "appendleft", "extend", "insert"})
_PARCELS = frozenset({"args", "initargs", "kwargs", "kwds"})
"""Keywords of multiprocessing that pass things on and name none of them."""


@lru_cache(maxsize=64)
def _calls(text: str) -> dict[tuple[int | None, int | None], _Chain]:
    """Return every call of the source by where it ends, up to the statement it is part of.

    The end alone tells a call: it is a closing parenthesis, and each call has its own.
    The start does not: of `a.b()` split over lines CPython reports the line of `b`.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    calls: dict[tuple[int | None, int | None], _Chain] = {}
    todo: list[_Chain] = [(tree,)]
    while todo:
        chain = todo.pop()
        node = chain[0]
        if isinstance(node, ast.Call):
            calls[node.end_lineno, node.end_col_offset] = chain
        for child in ast.iter_child_nodes(node):
            todo.append((child,) if isinstance(child, ast.stmt) else (child, *chain))
    return calls


@lru_cache(maxsize=64)
def _parameters(text: str) -> dict[str, tuple[str, ...]]:
    """Return the argument names of each function of the source; a class has those of `__init__`.

    A name that is defined twice says nothing.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name, args=arguments):
                names = tuple(item.arg for item in (*arguments.posonlyargs, *arguments.args))
            case ast.ClassDef(name=name, body=body):
                starts = [
                    n for n in body if isinstance(n, ast.FunctionDef) and n.name == "__init__"
                ]
                names = tuple(item.arg for start in starts for item in start.args.args[1:])
            case _:
                continue
        found[name] = () if name in found else names
    return found


def _argument(call: ast.Call, node: ast.AST, path: tuple[object, ...]) -> tuple[str, int] | None:
    """Return the function, and the position of the argument that `node` or its part becomes."""
    match call.func, node:
        case ast.Name(id=name), _ if node in call.args:
            before = call.args[: call.args.index(node)]
            return None if any(isinstance(a, ast.Starred) for a in before) else (name, len(before))
        case _, ast.keyword(arg="args" | "initargs" as kind) if path and isinstance(path[0], int):
            wanted = "target" if kind == "args" else "initializer"
            for keyword in call.keywords:
                if keyword.arg == wanted and isinstance(keyword.value, ast.Name):
                    return keyword.value.id, path[0]
    return None


def _default(arguments: ast.arguments, node: ast.AST) -> str | None:
    """Return the argument whose default `node` is."""
    plain = [*arguments.posonlyargs, *arguments.args]
    if node in arguments.defaults:
        index = arguments.defaults.index(node)
        return plain[len(plain) - len(arguments.defaults) + index].arg
    if node in arguments.kw_defaults:
        return arguments.kwonlyargs[arguments.kw_defaults.index(node)].arg
    return None


class _Place(NamedTuple):
    """A place on the way outwards from a call: its node, what is around it, and where it sits.

    `path` is where the call sits in the displays passed on the way: `[1]` in
    `[Lock(), Lock()]`. It is forgotten where one site makes `many`.
    """

    node: ast.AST
    parent: ast.AST
    path: tuple[object, ...]
    many: bool


def _climb(chain: _Chain, parameters: dict[str, tuple[str, ...]]) -> NamePattern | None:
    """Go outwards from the call until something gives it a name."""
    path: tuple[object, ...] = ()
    many = False
    for node, parent in pairwise(chain):
        place = _Place(node, parent, path, many)
        target = _target(place) or _parameter(place, parameters)
        if target is not None:
            return _bind(*target)
        passed = _through_display(place) or (_through_expression(place) and (path, many))
        if not passed:
            return None
        path, many = passed
    return None


_Target: TypeAlias = tuple[ast.expr, tuple[object, ...], bool]


def _target(place: _Place) -> _Target | None:
    """Return what the parent binds the node to, if it does, with where and whether it is many."""
    node, parent, path, many = place
    match parent:
        case ast.Assign(targets=[target, *_]):
            return target, path, many
        case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
            return target, path, many
        case ast.AugAssign(target=target):
            return target, (), True
        case ast.withitem(optional_vars=ast.expr() as target):
            return target, path, many
        case ast.keyword(arg=str(name)) if name not in _PARCELS:
            return ast.Name(name), path, many
        case ast.Call(func=ast.Attribute(value=owner, attr=verb), args=[*_, last]) if (
            last is node and verb in _COLLECTORS
        ):
            return owner, (), True
        case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant(str(name)), _]):
            return ast.Attribute(owner, name), path, many
        case _:
            return None


def _parameter(place: _Place, parameters: dict[str, tuple[str, ...]]) -> _Target | None:
    """Return the parameter of a function of the program that the node becomes, if it does."""
    node, parent, path, many = place
    if isinstance(parent, ast.arguments):
        default = _default(parent, node)
        return None if default is None else (ast.Name(default), path, many)
    if not isinstance(parent, ast.Call) or _is_conversion(place):
        return None
    argument = _argument(parent, node, path)
    if argument is None:
        return None
    function, position = argument
    names = parameters.get(function, ())
    if position >= len(names):
        return None
    rest = path[1:] if isinstance(node, ast.keyword) else path
    return ast.Name(names[position]), rest, many


def _through_display(place: _Place) -> tuple[tuple[object, ...], bool] | None:
    """Return where the call sits seen from outside a display; None if the parent is none."""
    node, parent, path, many = place
    match parent:
        case ast.Tuple(elts=items) | ast.List(elts=items):
            if any(isinstance(item, ast.Starred) for item in items):
                return (), True
            return (next(i for i, item in enumerate(items) if item is node), *path), many
        case ast.Dict(keys=keys, values=values) if node in values:
            key = keys[values.index(node)]
            return ((key.value, *path), many) if isinstance(key, ast.Constant) else ((), True)
        case ast.ListComp(elt=part) | ast.SetComp(elt=part) | ast.GeneratorExp(elt=part) if (
            part is node
        ):
            return (), True
        case ast.DictComp(value=part) if part is node:
            return (), True
        case ast.Set() | ast.Starred() | ast.BinOp():
            return (), True
        case _:
            return None


def _through_expression(place: _Place) -> bool:
    """Return whether the parent's value is the node's, or the node is a parcel of arguments."""
    match place.parent:
        case ast.IfExp(test=test):
            return test is not place.node
        # args=(...): the function that gets them says what they are called
        case ast.BoolOp() | ast.keyword():
            return True
        case _:
            return _is_conversion(place)


def _is_conversion(place: _Place) -> bool:
    """Return whether the parent makes a collection of another kind of the node."""
    match place.parent:
        case ast.Call(func=ast.Name(id=name), args=[only]):
            return only is place.node and name in _CONVERSIONS
        case _:
            return False


def _bind(target: ast.expr, path: tuple[object, ...], many: bool) -> NamePattern | None:
    """Return the pattern of what sits at `path` in the value that is bound to `target`."""
    match target, path:
        case ((ast.Tuple(elts=items) | ast.List(elts=items)), (int(index), *rest)):
            if index >= len(items) or any(isinstance(i, ast.Starred) for i in items[: index + 1]):
                return None
            return _bind(items[index], tuple(rest), many)
        case ast.Tuple(elts=[one, other]) | ast.List(elts=[one, other]), () if not many:
            # What is one thing and is given away as two: the ends of a Pipe.
            ends = _spell(one), _spell(other)
            base = f"{ends[0]}/{ends[1]}" if all(ends) else None
        case ast.Subscript(value=owner, slice=key), _ if not isinstance(key, ast.Constant):
            # One line that fills many places: forks[seat] = Lock()
            base, path, many = _spell(owner), (), True
        case _:
            base = _spell(target)
    if base is None:
        return None
    return NamePattern(base + "".join(f"[{key!r}]" for key in path), many)


def _spell(target: ast.expr) -> str | None:
    """Return the target as its author wrote it, or None for what is no plain name."""
    match target:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=name):
            start = _spell(owner)
            return f"{start}.{name}" if start else name
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            start = _spell(owner)
            return f"{start}[{key!r}]" if start else None
        case _:
            return None
