"""Two memories that a program can tell apart have two fingerprints; else a proof is false."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import syncsim
from syncsim.core.deadlock.verdict import Verdict
from syncsim.explore.foresight import whole_graph
from syncsim.program.ownership import root
from syncsim.program.source import load
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.system import System
from syncsim.virtual.process.fingerprint import Fingerprints, image_of

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
    "the steps of a range": ("x = range(*__v__)", "(0, 0, 1)", "(0, 0, 2)"),
    "how far a list was gone through": (
        "x = iter([5, 5, 5])\nfor _ in range(__v__): next(x)", "1", "2"
    ),
    "how far a range was gone through": (
        "x = iter(range(3))\nfor _ in range(__v__): next(x)", "1", "2"
    ),
    "what is gone through": ("x = iter({__v__: 1})", "1", "True"),
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
    "a lock of a thread": (
        "import threading\nx = threading.Lock()\nif __v__: x.acquire()", "False", "True"
    ),
    "what is local to a thread": (
        "import threading\nx = threading.local()\nx.n = __v__", "1", "True"
    ),
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
        "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n"
        "    def f(self): ...\nclass B(A):\n    def f(self): return 1\nx = B()",
        "from typing import Protocol\nclass A(Protocol):\n    def f(self) -> int: ...\n"
        "class B(A):\n    def f(self): return 1\nx = B()",
        "from collections.abc import Mapping\nclass A(Mapping):\n"
        "    def __init__(self): self.d = {}\n"
        "    def __getitem__(self, key): return self.d[key]\n"
        "    def __iter__(self): return iter(self.d)\n    def __len__(self): return len(self.d)\n"
        "x = A()\nassert isinstance(x, Mapping)",
    ],
)
def test_what_is_common_can_be_written(text: str) -> None:
    assert images(text, "0") != [None]


@pytest.mark.parametrize(
    "text",
    [
        "import functools\n@functools.cache\ndef f(): return 1\nf()",
        "from abc import ABC\nclass A(ABC): pass\nA.register(int)",
    ],
    ids=["a cache", "who is registered"],
)
def test_what_is_kept_in_c_is_not_known(text: str) -> None:
    assert images(text, "0") == [None]


CHANGES = {
    "a variable": ("x = 1", "x = True"),
    "an item of a list": ("x = [1]", "x[0] = 2"),
    "one more in a list": ("x = [1]", "x.append(1)"),
    "a list in a tuple": ("x = ([],)", "x[0].append(1)"),
    "a dict": ("x = {}", "x['a'] = 1"),
    "the order of a dict": ("x = {1: 1, 2: 1}", "x[1] = x.pop(1)"),
    "a deque": ("from collections import deque\nx = deque([1])", "x[0] = 2"),
    "a set": ("x = {1}", "x.add(2)"),
    "an array of bytes": ("x = bytearray(1)", "x[0] = 1"),
    "an iterator": ("x = iter([1, 1])", "next(x)"),
    "the attribute of a function": ("def x(): pass", "x.n = 1"),
    "a default": ("def x(a=1): pass", "x.__defaults__ = (2,)"),
    "a default in it": ("def x(a=[]): pass", "x.__defaults__[0].append(1)"),
    "the code of a function": ("def x(): pass\ndef y(): return 1", "x.__code__ = y.__code__"),
    "a variable of a closure": (
        "def make():\n    n = 0\n    def go():\n        nonlocal n\n        n += 1\n    return go\n"
        "x = make()",
        "x()",
    ),
    "a lock": ("import threading\nx = threading.Lock()", "x.acquire()"),
    "a lock that is held again": ("import threading\nx = threading.RLock()", "x.acquire()"),
    "something local": ("import threading\nx = threading.local()\nx.n = 1", "x.n = 2"),
    "an attribute of a class": ("class A:\n    n = 1", "A.n = 2"),
    "an attribute of an abstract class": ("import abc\nclass A(abc.ABC):\n    n = 1", "A.n = 2"),
    "who is registered with a class": ("import abc\nclass A(abc.ABC): pass", "A.register(int)"),
    "the bases of a class": (
        "class A: pass\nclass B(A): pass\nclass C(A): pass\nclass D(B): pass", "D.__bases__ = (C,)"
    ),
    "an attribute": ("class A: pass\nx = A()", "x.n = 1"),
    "the class of an object": ("class A: pass\nclass B: pass\nx = A()", "x.__class__ = B"),
    "another module": ("x = 1", "__all__['more'] = type(__all__['__main__'])('more')"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "change"), CHANGES.values(), ids=CHANGES)
def test_memory_that_has_changed_is_written_anew(text: str, change: str) -> None:
    module = ModuleType("__main__")
    vars(module)["__all__"] = modules = {"__main__": module}
    exec(compile(text, "/program.py", "exec"), vars(module))
    prints = Fingerprints()
    first, again = (prints.of([], modules, None, None) for _ in range(2))
    exec(compile(change, "/program.py", "exec"), vars(module))
    assert first is not None
    assert first == again
    assert prints.of([], modules, None, None) != first


ITEMS = iter([1, 1, 1, 2])


def following() -> int | None:
    return next(ITEMS, None)


def test_the_variable_of_a_comprehension_in_a_module_counts() -> None:
    found: list[Any] = []

    def look() -> None:
        found.append(Fingerprints().of([(sys._getframe(1), True)], {}, None, None))

    @root
    def run(source: str) -> None:
        names = {"look": look, "check": lambda x: None, "following": following}
        exec(compile(source, "/program.py", "exec"), names)

    run("{(look(), check(x))[0] for x in iter(following, None)}")
    _, second, third, other = found  # (the set was empty before the first)
    assert second is not None
    assert second == third
    assert second != other


PROGRAM = """
from multiprocessing import Lock, Process

def work(lock):
    while True:
        with lock:
            work.rounds += 1
        assert work.rounds < 3

work.rounds = 0
if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    child = Process(target=work, args=(Lock(),))
    child.start()
    child.join()
"""


def test_a_function_that_counts_its_rounds_is_not_proven(tmp_path: Path) -> None:
    path = tmp_path / "rounds.py"
    path.write_text(PROGRAM)
    assert syncsim.check(path, timeout=30).verdict is Verdict.ASSERTION


TAKES_TURNS = """
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from multiprocessing import Lock, Process
from typing import Generic, TypeVar

__rounds = []
T = TypeVar("T")

class Box(Generic[T]):
    pass

class Thing(ABC):
    @abstractmethod
    def name(self): ...

@dataclass
class Turn(Thing):
    def name(self):
        return self.of

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
    import multiprocessing
    multiprocessing.set_start_method("fork")
    lock = Lock()
    for _ in range(2):
        Process(target=work, args=(lock,)).start()
"""


def test_a_loop_that_counts_its_items_ends_in_finitely_many_states(tmp_path: Path) -> None:
    path = tmp_path / "turns.py"
    path.write_text(TAKES_TURNS)
    checked = syncsim.check(path, timeout=30)
    assert checked.verdict is Verdict.FINISHED, checked.explanation


OF_ITSELF = """
from multiprocessing import Lock, Process, current_process

def work(lock):
    current_process().rounds = 0
    while True:
        with lock:
            current_process().rounds += 1
        assert current_process().rounds < 3

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
"""


OF_ITS_ENVIRONMENT = """
import os
from multiprocessing import Lock, Process

def work(lock):
    while True:
        with lock:
            os.environ["ROUNDS"] += "."
        assert os.environ["ROUNDS"] != "..."

os.environ["ROUNDS"] = ""
if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    Process(target=work, args=(Lock(),)).start()
"""


def test_a_process_that_counts_in_its_environment_is_not_proven(tmp_path: Path) -> None:
    path = tmp_path / "rounds.py"
    path.write_text(OF_ITS_ENVIRONMENT)
    assert syncsim.check(path, timeout=30).verdict is Verdict.ASSERTION


@pytest.mark.parametrize(
    "main", ["work(Lock())", "child = Process(target=work, args=(Lock(),))\n    child.start()"]
)
def test_a_process_that_counts_its_rounds_is_not_proven(tmp_path: Path, main: str) -> None:
    path = tmp_path / "rounds.py"
    path.write_text(OF_ITSELF + f"    {main}\n")
    assert syncsim.check(path, timeout=30).verdict is Verdict.ASSERTION


BY_C = """
from _io import _IOBase  # (what is an ABC has no fingerprint)
from multiprocessing import Lock

lock = Lock()

def step(item):
    with lock:
        return item

class Lines(_IOBase):
    def readline(self, size=-1):
        with lock:
            return b"x"

if __name__ == "__main__":
    assert {} < 3
"""


@pytest.mark.parametrize("counted", ["sum(map(step, [1] * 3))", "len(Lines().readlines(3))"])
def test_what_c_counts_while_it_calls_the_program_counts(tmp_path: Path, counted: str) -> None:
    path = tmp_path / "counts.py"
    path.write_text(BY_C.format(counted))
    assert syncsim.check(path, timeout=30).verdict is Verdict.ASSERTION


HERE = Path(__file__).parent
#: Programs with few states, and in which many places are the same.
SMALL = [
    HERE / "programs" / "barrier.py",
    HERE.parent / "explore" / "pools" / "called_back.py",
    HERE / "programs" / "own_proxy.py",
    HERE.parent / "explore" / "checked" / "manager_queue.py",
]


def ends(path: Path) -> tuple[set[Any], int]:
    """How the program may end, and how many states it has."""
    system = System(VirtualProgram(load(path)).main(), by_call=True)
    graph = whole_graph(system, 20_000)
    assert graph is not None
    found = {
        frozenset(
            (system.name(actor), node.ended or str(node.request))
            for actor, node in enumerate(state.nodes)
            if node is not None
        )
        for state, after in zip(graph.states, graph.edges, strict=True)
        if not after
    }
    system.close()
    return found, len(graph.states)


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_what_is_taken_for_the_same_ends_the_same_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, states = ends(path)
    monkeypatch.setattr(Fingerprints, "of", lambda *_: None)
    apart, more = ends(path)
    assert found == apart
    assert states < more


@pytest.mark.parametrize("path", SMALL[:2], ids=lambda path: path.stem)
def test_memory_that_has_not_changed_is_the_same_as_if_written_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, different, again = Fingerprints.of, [], 0

    def of(self: Fingerprints, stacks: Any, *rest: Any) -> Any:
        nonlocal again
        before = self._memory
        found, anew = real(self, stacks, *rest), real(Fingerprints(), stacks, *rest)
        again += before is not None and before is self._memory
        if found != anew:
            different.append(rest)
        return found

    monkeypatch.setattr(Fingerprints, "of", of)
    ends(path)
    assert not different
    assert again
