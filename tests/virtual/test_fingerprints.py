"""Two memories that a program can tell apart have two fingerprints; else a proof is false."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

import syncsim
from syncsim.core.diagnosis import Verdict
from syncsim.virtual.fingerprint import fingerprint_of, image_of

TOLD_APART = {
    "an int of its own kind": ("class N(int): pass\nx = N(__v__)", "1", "2"),
    "a float of its own kind": ("class N(float): pass\nx = N(__v__)", "1", "2"),
    "a tuple of its own kind": ("class P(tuple): pass\nx = P([__v__])", "1", "2"),
    "a slot": (
        "class S: __slots__ = ('a',)\nclass T(S): pass\nx = T()\nx.a = __v__", "1", "2"
    ),
    "the function of a partial": ("import functools\nx = functools.partial(max, __v__)", "1", "2"),
    "a text stream": ("import io\nx = io.StringIO(__v__)", "'a'", "'b'"),
    "a set of truths": ("x = {__v__}", "1", "True"),
    "the order of a set": ("x = set(__v__)", "(0, 8)", "(8, 0)"),
    "the sign of zero": ("x = __v__", "0.0", "-0.0"),
    "the end of a range": ("x = range(0, __v__, 2)", "3", "4"),
    "a slice": ("x = slice(__v__)", "1", "True"),
    "how much a deque holds": ("from collections import deque\nx = deque([], __v__)", "1", "2"),
    "what a function has": ("def x(): pass\nx.n = __v__", "1", "2"),
    "two underscores": ("__x = __v__", "1", "2"),
    "a class in a class": ("class A:\n    class B:\n        n = __v__", "1", "2"),
    "a class in a function": (
        "def make(n):\n    class C:\n        def f(self): return n\n    return C\nx = make(__v__)",
        "1",
        "2",
    ),
    "what a class calls": ("class A:\n    f = staticmethod(__v__)", "max", "min"),
    "what eval has made": ("x = eval(f'lambda: {__v__}')", "1", "2"),
}  # fmt: skip


def images(text: str, *values: str) -> list[Any]:
    """What is written of the program with each of those values; it is the same code each time."""
    code, found = compile(text, "/program.py", "exec"), []
    for value in values:
        module = ModuleType("__main__")
        vars(module)["__v__"] = eval(value)
        exec(code, vars(module))
        found.append(image_of({"__main__": module}))
    return found


@pytest.mark.parametrize(("text", "one", "other"), TOLD_APART.values(), ids=TOLD_APART)
def test_what_differs_is_written_otherwise(text: str, one: str, other: str) -> None:
    first, again, second = images(text, one, one, other)
    assert first is not None
    assert first == again
    assert first != second


@pytest.mark.parametrize(
    "text",
    [
        "x = enumerate(['a']), zip('ab', 'cd'), reversed([1]), map(len, ['a'])",
        "from enum import Enum, IntEnum\nclass A(Enum):\n    B = 1\nclass C(IntEnum):\n    D = 1",
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: int = 0\n    y: list = field(default_factory=list)\nx = A()",
        "from typing import Generic, NamedTuple, TypeVar\nT = TypeVar('T')\n"
        "class A(Generic[T]): pass\nclass B(NamedTuple):\n    n: int\nx = A(), B(1)",
        "import functools\n@functools.cache\ndef x(): return 1",
    ],
)
def test_what_is_common_can_be_written(text: str) -> None:
    assert images(text, "0") != [None]


def test_what_is_in_a_cache_is_not_known() -> None:
    assert images("import functools\n@functools.cache\ndef f(): return 1\nf()", "0") == [None]


ITEMS = iter([1, 1, 1, 2])


def following() -> int | None:
    return next(ITEMS, None)


def test_the_variable_of_a_comprehension_in_a_module_counts() -> None:
    found: list[Any] = []

    def look() -> None:
        found.append(fingerprint_of([(sys._getframe(1), bottom, True)], {}, None, _none))

    def run(source: str) -> None:
        names = {"look": look, "check": lambda x: None, "following": following}
        exec(compile(source, "/program.py", "exec"), names)

    bottom = run.__code__
    run("{(look(), check(x))[0] for x in iter(following, None)}")
    _, second, third, other = found  # (the set was empty before the first)
    assert second is not None
    assert second == third
    assert second != other


def _none(code: CodeType) -> bool:
    return False


PROGRAM = """
from multiprocessing import Lock, Process

def work(lock):
    while True:
        with lock:
            work.rounds += 1
        assert work.rounds < 3

work.rounds = 0
if __name__ == "__main__":
    child = Process(target=work, args=(Lock(),))
    child.start()
    child.join()
"""


def test_a_function_that_counts_its_rounds_is_not_proven(tmp_path: Path) -> None:
    path = tmp_path / "rounds.py"
    path.write_text(PROGRAM)
    assert syncsim.check(path, timeout=30).verdict is Verdict.ASSERTION


TAKES_TURNS = """
from dataclasses import dataclass, field, fields
from multiprocessing import Lock, Process
from typing import Generic, TypeVar

__rounds = []
T = TypeVar("T")

class Box(Generic[T]):
    pass

@dataclass
class Turn:
    of: str = ""
    taken: list = field(default_factory=list)

def work(lock):
    __rounds.append(1)
    assert len(fields(Turn())) == 2 and len(__rounds) == 1
    while True:
        for at, name in enumerate("ab"):
            with lock:
                Turn(name)

if __name__ == "__main__":
    lock = Lock()
    for _ in range(2):
        Process(target=work, args=(lock,)).start()
"""


def test_a_loop_that_counts_its_items_ends_in_finitely_many_states(tmp_path: Path) -> None:
    path = tmp_path / "turns.py"
    path.write_text(TAKES_TURNS)
    checked = syncsim.check(path, timeout=30)
    assert checked.verdict is Verdict.FINISHED, checked.explanation
