"""Properties of a program: plain Python over its states, and nothing written into the program.

    never(lambda s: s.inside("write") > 1)
    sometimes(lambda s: s.inside("read") == 2)
    always(lambda s: not s.over or s.value("counter") == 20)
    eventually(lambda s: s.inside("eat", "Plato"))

A property gets a ``View`` of a state: who is inside which function, what the primitives hold,
who waits.  On the command line it is an expression over the same words: ``inside("write") > 1``.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct

from syncsim.core.atoms import Semaphore
from syncsim.core.state import Primitive


class PropertyError(ValueError):
    """A property that cannot be judged: a sentence for the person."""


class NotYetError(Exception):
    """A property asks for something that is not there in this state: it says nothing about it."""


class Kind(StrEnum):
    """The kinds of claims that a property makes about states."""

    ALWAYS = "always"  # it holds in every state
    NEVER = "never"  # it holds in no state
    SOMETIMES = "sometimes"  # there is a state in which it holds
    EVENTUALLY = "eventually"  # no run can do without a state in which it holds


class Fairness(StrEnum):
    """Which runs that never end are taken for possible.

    By both, a process that could go on all the time does go on.  By the ``strong`` one so does
    one that could again and again, as under a scheduler that tosses coins; by the ``weak`` one a
    lock may pass it by for ever, as a POSIX semaphore, which has no line to wait in.
    """

    STRONG = "strong"
    WEAK = "weak"


# -- what a property sees ---------------------------------------------------------------


class Who(NamedTuple):
    """A process: its number in its world, its name, and its exit code once it has ended."""

    number: int
    name: str
    exitcode: int | None
    ended: bool


class View(ABC):
    """A state as a property sees it, whichever world it comes from.

    A process is *inside* a function when its next operation has the function in its call stack:
    a body without any operation can be given one by ``print`` or ``sleep``.  Primitives go by
    the names that the source gives them: ``forks[2]``.  Where a primitive has not been made yet,
    or a process not been started, the property says nothing about the state.
    """

    def inside(self, function: str, process: str | None = None) -> int:
        """Return how many processes are inside the function of that name, or if that one is."""
        return sum(
            function in self._stack(who.number)
            for who in self._who()
            if not who.ended and process in (None, who.name)
        )

    def value(self, name: str) -> Any:
        """Return the value of that primitive.

        Of a lock or semaphore the permits that are left, of an Event whether it is set, of a
        Value its value, of an Array its values as a list, of a queue or a Pipe what was put and not
        got yet, the oldest first.  What is no number, text, or container of such is given as the
        text that the screen shows; so is what is longer than 60 characters.
        """
        primitive = self._named(name)
        parts = primitive.parts
        if "flag" in parts:
            return self._semaphore(parts["flag"]).value > 0
        if "value" in parts:
            return self._content(parts["value"])
        if "items" in parts:
            return self._items(parts["items"])
        for role in ("permits", "lock"):
            if len(parts) == 1 and role in parts:
                return self._semaphore(parts[role]).value
        raise PropertyError(f"{name} is a {primitive.sort}, which has no value")

    def items(self, name: str) -> tuple[Any, ...]:
        """All that was ever got from that queue (or received by that Pipe), the oldest first."""
        primitive = self._named(name)
        if "items" not in primitive.parts:
            raise PropertyError(f"{name} is a {primitive.sort}: nothing is got from it")
        return self._received(primitive.parts["items"])

    def holders(self, name: str) -> tuple[str, ...]:
        """The names of those who hold that lock or a permit of it, the longest first."""
        names = {who.number: who.name for who in self._who()}
        return tuple(
            names[holder]
            for role, atom in self._named(name).parts.items()
            if role != "slots"  # of a Queue, which nobody holds
            for holder in self._held_by(atom)
        )

    def waiting(self, name: str) -> tuple[str, ...]:
        """The names of those who are at that primitive and cannot go on."""
        stuck = set(self._blocked(self._named(name)))
        return tuple(who.name for who in self._who() if who.number in stuck)

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of all processes that were started, in order of birth."""
        return tuple(who.name for who in self._who())

    def exitcode(self, process: str) -> int | None:
        """The exit code of the process of that name; None while it lives."""
        for who in self._who():
            if who.name == process:
                return who.exitcode
        raise NotYetError(f"a process called {process}")

    @property
    def over(self) -> bool:
        """Return whether all processes have ended."""
        return all(who.ended for who in self._who())

    def _named(self, name: str) -> Primitive:
        found = [one for one in self._primitives() if one.name == name]
        if not found:
            raise NotYetError(f"a primitive called {name}")
        if len(found) > 1:
            raise PropertyError(f"there are {len(found)} primitives called {name}")
        return found[0]

    # -- what the two worlds have to tell ---------------------------------------------------

    @abstractmethod
    def _who(self) -> Iterable[Who]:
        """The processes, in order of birth."""

    @abstractmethod
    def _stack(self, number: int) -> tuple[str, ...]:
        """The functions that the process is inside of."""

    @abstractmethod
    def _primitives(self) -> Iterable[Primitive]:
        """The primitives that are there."""

    @abstractmethod
    def _semaphore(self, atom: str) -> Semaphore: ...

    @abstractmethod
    def _held_by(self, atom: str) -> tuple[int, ...]:
        """Return the holders of an atom; nobody where it is no semaphore."""

    @abstractmethod
    def _content(self, atom: str) -> Any:
        """The value of a piece of shared memory."""

    @abstractmethod
    def _items(self, atom: str) -> tuple[Any, ...]:
        """Return the messages in a pipe and in the buffers before it."""

    @abstractmethod
    def _received(self, atom: str) -> tuple[Any, ...]:
        """Return all messages that were ever taken out of a pipe."""

    @abstractmethod
    def _blocked(self, primitive: Primitive) -> Iterable[int]:
        """Return the processes that wait at an atom."""


@lru_cache(maxsize=4096)
def value_of(label: str) -> Any:
    """The value that is shown so; the text itself where that does not say it."""
    try:
        return ast.literal_eval(label)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return label


# -- properties -------------------------------------------------------------------------

#: What a property asks of a state: true or not.
Condition: TypeAlias = Callable[[View], object]


class Property(Struct, frozen=True):
    """A claim about a program.

    ``text`` is the condition as its author wrote it, ``site`` where, if that is known.
    ``whenever`` belongs to an ``eventually``: after each state in which that holds there has to
    be one in which ``condition`` does; without it, after the beginning.
    """

    kind: Kind
    condition: Condition
    text: str
    site: str = ""
    whenever: Condition | None = None
    fairness: Fairness = Fairness.STRONG

    def __str__(self) -> str:
        return f"{self.kind}({self.text})"

    def holds(self, view: View) -> bool:
        """Return whether the condition is true there; raise ``NotYetError``, ``PropertyError``."""
        return self._ask(self.condition, view)

    def begins(self, view: View) -> bool:
        """Return whether the condition has to become true from there on; raises as ``holds``."""
        return self.whenever is not None and self._ask(self.whenever, view)

    def _ask(self, condition: Condition, view: View) -> bool:
        try:
            return bool(condition(view))
        except (NotYetError, MemoryError):  # (the latter: a limit of ours)
            raise
        except PropertyError as error:
            raise PropertyError(f"{self} cannot be judged: {error}") from error
        except Exception as error:
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise PropertyError(f"{self} cannot be judged: it raises {what}") from error


def always(condition: Condition) -> Property:
    """The condition holds in every state that can be reached."""
    return _property(Kind.ALWAYS, condition)


def never(condition: Condition) -> Property:
    """The condition holds in no state that can be reached."""
    return _property(Kind.NEVER, condition)


def sometimes(condition: Condition) -> Property:
    """There is a state that can be reached in which the condition holds."""
    return _property(Kind.SOMETIMES, condition)


def eventually(
    condition: Condition,
    *,
    whenever: Condition | None = None,
    fairness: Fairness | str = Fairness.STRONG,
) -> Property:
    """Every run comes to a state in which the condition holds: also one that never ends.

    With ``whenever`` it comes to one after each state in which that holds: so
    ``whenever=lambda s: True`` means again and again.  Raises ValueError for an unknown fairness,
    and as the others do ``PropertyError`` for a condition that is no function.
    """
    found = _property(Kind.EVENTUALLY, condition)
    text = found.text
    if whenever is not None:
        text = f"{text}, whenever={_source_of(whenever)[0]}"
    return Property(found.kind, condition, text, found.site, whenever, Fairness(fairness))


def _property(kind: Kind, condition: Condition) -> Property:
    text, site = _source_of(condition)
    return Property(kind, condition, text, site)


def _source_of(function: Condition) -> tuple[str, str]:
    """A lambda's own words, or the function's name; and where it stands."""
    if not callable(function):
        raise PropertyError(f"{function!r} is no function of a state, such as lambda s: s.over")
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", type(function).__name__)
    if code is None:
        return name, ""
    site = f"{code.co_filename}:{code.co_firstlineno}"
    if code.co_name != "<lambda>":
        return name, site
    try:
        text = "".join(inspect.findsource(code)[0])
        return _lambda_in(text, code) or name, site
    except (OSError, SyntaxError):
        return name, site


def _lambda_in(text: str, code: CodeType) -> str | None:
    """The body of the lambda with that code in the text of its file."""
    places = [
        (line, column) for line, _, column, _ in code.co_positions() if line and column is not None
    ]
    last = max(places, default=None)
    found = None
    for node in ast.walk(ast.parse(text)):  # from the outermost on: the last one is meant
        if isinstance(node, ast.Lambda) and last is not None:
            body = node.body
            begin, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
            if node.lineno == code.co_firstlineno and begin <= last < end:
                found = " ".join((ast.get_source_segment(text, body) or "").split())
    return found


# -- as an expression -------------------------------------------------------------------

_WORDS = frozenset(name for name in vars(View) if not name.startswith("_"))


class _OfView(ast.NodeTransformer):
    """``inside(...)`` becomes ``s.inside(...)``, but for the expression's ``own`` names."""

    def __init__(self, own: set[str]) -> None:
        self._own = own

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in _WORDS - self._own:
            state = ast.copy_location(ast.Name("s", ast.Load()), node)
            return ast.copy_location(ast.Attribute(state, node.id, node.ctx), node)
        return node


def parse(kind: Kind, text: str, fairness: Fairness = Fairness.STRONG) -> Property:
    """The property whose condition is a Python expression over the words of ``View``.

    Raises ``PropertyError`` for what is no expression, or has unknown names in it.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:  # ValueError: a NUL in it
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise PropertyError(f"{text!r} is no Python expression ({why})") from None
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known = {"s", *_WORDS, *vars(builtins)}
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)} | {
        argument.arg for argument in ast.walk(tree) if isinstance(argument, ast.arg)
    }
    for node in names:
        if node.id not in known | own:
            words = ", ".join(sorted(_WORDS))
            raise PropertyError(f"{text!r} has an unknown name, {node.id}: there are {words}")
    arguments = ast.arguments([], [ast.arg("s")], None, [], [], None, [])
    function = ast.Expression(ast.Lambda(arguments, _OfView(own).visit(tree).body))
    code = compile(ast.fix_missing_locations(function), f"<{kind}>", "eval")
    return Property(kind, eval(code, {}), text.strip(), fairness=fairness)


# -- on the way to another process ------------------------------------------------------


def pack(properties: Iterable[Property]) -> bytes:
    """The properties for another process of the same Python; raises ``PropertyError``.

    A lambda has no name to be found by, and a module of tests cannot be imported there: so what
    is in the modules of the conditions is taken along, by value.
    """
    found = tuple(properties)
    for one in found:
        if not isinstance(one, Property):
            raise PropertyError(
                f"{one!r} is no property: always, never, sometimes and eventually make them"
            )
    if not found:
        return b""
    import pickle

    import cloudpickle  # type: ignore[import-untyped]

    with _taken_along(cloudpickle, {_module_of(one.condition) for one in found}):
        try:
            return pickle.dumps((sys.path, cloudpickle.dumps(found)))
        except Exception as error:
            raise PropertyError(f"a property cannot be handed to the checker: {error}") from error


def _module_of(condition: Condition) -> str:
    return getattr(condition, "__module__", None) or "builtins"


@contextmanager
def _taken_along(cloudpickle: Any, names: set[str]) -> Iterator[None]:
    # (What is in __main__ is taken along anyway.)
    ours = names - {"__main__", "builtins"}
    modules = [sys.modules[name] for name in ours if name in sys.modules]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def unpack(data: bytes) -> tuple[Property, ...]:
    """The properties that were packed; raises ``PropertyError``."""
    if not data:
        return ()
    import pickle

    path, packed = pickle.loads(data)
    before = list(sys.path)
    sys.path += [folder for folder in path if folder not in before]
    try:
        found: tuple[Property, ...] = pickle.loads(packed)
    except Exception as error:
        raise PropertyError(f"a property cannot be handed to the checker: {error}") from error
    finally:
        sys.path[:] = before
    return found
