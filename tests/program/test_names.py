"""A primitive is called what the source calls it."""

from __future__ import annotations

import ast
import sys
from itertools import islice
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsim.program.names import NamePattern, Namer, Position, pattern


def creations(text: str) -> list[Position]:
    """Where the source calls Lock, Queue, Semaphore or Condition, in the order of the text."""
    calls = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in {"Lock", "Queue", "Semaphore", "Condition"}
    ]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return [
        Position(call.lineno, call.col_offset, call.end_lineno, call.end_col_offset)
        for call in calls
    ]


def called(text: str) -> list[tuple[str, bool] | None]:
    """What the source calls each of its creations."""
    found = [pattern(text, position) for position in creations(text)]
    return [None if one is None else (one.base, one.indexed) for one in found]


def names(text: str, *, kind: str = "Lock") -> list[str]:
    """The display names of the creations, each executed once."""
    namer = Namer()
    return [namer.name(text, position, kind) for position in creations(text)]


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("slots = Semaphore(3)", "slots"),
        ("slots = multiprocessing.Semaphore(3)", "slots"),
        ("self.slots = Semaphore(3)", "self.slots"),
        ("self.bank.door = Lock()", "self.bank.door"),
        ("bank().door = Lock()", "door"),
        ("first = second = Lock()", "first"),
        ("slots: Semaphore = Semaphore(3)", "slots"),
        ("if (door := Lock()): pass", "door"),
        ("serve(lock=Lock())", "lock"),
        ("serve(locks=[Lock()])", "locks[0]"),
        ("setattr(bank, 'door', Lock())", "bank.door"),
        ("def enter(who, door): ...\nenter('Ada', Lock())", "door"),
        ("class Clerk:\n    def __init__(self, door): ...\nClerk(Lock()).start()", "door"),
        ("def enter(who, door): ...\nProcess(target=enter, args=(1, Lock()))", "door"),
        ("def share(it): ...\nPool(2, initializer=share, initargs=(Lock(),))", "it"),
        ("def enter(doors): ...\nProcess(target=enter, args=([Lock()],))", "doors[0]"),
        ("def enter(who, door=Lock()): ...", "door"),
        ("def enter(*, door=Lock()): ...", "door"),
        ("door = Lock() if shared else None", "door"),
        ("door = None if alone else Lock()", "door"),
        ("door = door or Lock()", "door"),
        ("with Lock() as door: pass", "door"),
        ("locks['a'] = Lock()", "locks['a']"),
        ("locks[0] = Lock()", "locks[0]"),
        ("def make():\n    global door\n    door = Lock()", "door"),
        ("class Bank:\n    door = Lock()", "door"),
        ("größe = 'ä'; tür = Lock()", "tür"),
        ("slots = Semaphore(\n    3,\n)", "slots"),
        ("here, there = Queue()", "here/there"),
        ("self.here, there = Queue()", "self.here/there"),
        ("door = (\n    context\n    .Lock()\n)", "door"),
    ],
)
def test_one_creation_is_called_what_it_is_bound_to(text: str, base: str) -> None:
    assert called(text) == [(base, False)]


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("forks = [Lock() for _ in range(4)]", "forks"),
        ("forks = {Lock() for _ in range(4)}", "forks"),
        ("forks = tuple(Lock() for _ in range(4))", "forks"),
        ("self.forks = list(Lock() for _ in range(4))", "self.forks"),
        ("forks = {name: Lock() for name in names}", "forks"),
        ("forks = {name: Lock()}", "forks"),
        ("forks = [[Lock() for _ in row] for row in rows]", "forks"),
        ("forks = [{'left': Lock()} for _ in seats]", "forks"),
        ("table = {'forks': [Lock() for _ in seats]}", "table['forks']"),
        ("forks.append(Lock())", "forks"),
        ("self.forks.append(Lock())", "self.forks"),
        ("forks.insert(0, Lock())", "forks"),
        ("forks.extend([Lock()])", "forks"),
        ("forks[seat] = Lock()", "forks"),
        ("forks += [Lock()]", "forks"),
        ("forks = [*others, Lock()]", "forks"),
        ("forks = [Lock()] + others", "forks"),
    ],
)
def test_a_site_that_creates_many_is_indexed(text: str, base: str) -> None:
    assert called(text) == [(base, True)]


@pytest.mark.parametrize(
    ("text", "bases"),
    [
        ("a, b = Lock(), Lock()", ["a", "b"]),
        ("(a, b), self.c = (Lock(), Lock()), Lock()", ["a", "b", "self.c"]),
        ("savings, door = Value('i', 0), Lock()", ["door"]),
        ("locks = [Lock(), Lock()]", ["locks[0]", "locks[1]"]),
        ("locks = (Lock(), Lock())", ["locks[0]", "locks[1]"]),
        ("locks = {'a': Lock(), 'b': Lock()}", ["locks['a']", "locks['b']"]),
        ("grid = [[Lock(), Lock()]]", ["grid[0][0]", "grid[0][1]"]),
    ],
)
def test_a_display_says_which_is_which(text: str, bases: list[str]) -> None:
    assert called(text) == [(base, False) for base in bases]


@pytest.mark.parametrize(
    "text",
    [
        "Worker(Queue()).start()",
        "Lock()",
        "return_value = [Worker(Lock())]",
        "workers.append(Worker(Lock()))",
        "Process(target=work, args=(Lock(),))",
        "def work(): ...\nProcess(target=work, args=(Lock(),))",
        "def work(a): ...\ndef work(b): ...\nwork(Lock())",
        "def work(a, b): ...\nwork(*both, Lock())",
        "Pool(initargs=(Lock(),))",
        "serve(**Lock())",
        "*a, b = Lock(), Lock()",
        "make = lambda: Lock()",
        "def make():\n    return Lock()",
        "a, b = [Lock() for _ in range(2)]",
        "[a, b, c] = 1, *Lock(), 2",
        "worker = Lock() if Lock() else None",
    ],
)
def test_a_creation_that_the_source_does_not_name_has_no_name(text: str) -> None:
    assert None in called(text)


def test_the_lock_inside_a_condition_is_not_the_condition() -> None:
    assert called("changed = Condition(Lock())") == [("changed", False), None]


def test_the_names_of_one_list_count_from_zero() -> None:
    text = "forks = [Lock() for _ in range(4)]"
    [position] = creations(text)
    namer = Namer()
    assert [namer.name(text, position, "Lock") for _ in range(3)] == [
        "forks[0]",
        "forks[1]",
        "forks[2]",
    ]


def test_the_second_of_a_name_says_so() -> None:
    assert names("slots = Lock()\nslots = Lock()\nslots = Lock()") == [
        "slots",
        "slots#2",
        "slots#3",
    ]


def test_what_is_appended_continues_what_was_listed() -> None:
    assert names("locks = [Lock()]\nlocks.append(Lock())") == ["locks[0]", "locks[1]"]


def test_the_nameless_are_counted_per_kind() -> None:
    namer = Namer()
    kinds = ["Lock", "Queue", "Lock"]
    assert [namer.name(None, None, kind) for kind in kinds] == ["Lock#1", "Queue#1", "Lock#2"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (None, Position(1, 0, 1, 6)),
        ("door = Lock()", None),
        ("door = Lock()", Position(None, None, None, None)),
        ("door = Lock()", Position(7, 0, 7, 6)),
        ("door = = Lock()", Position(1, 9, 1, 15)),
        ("door = Lock()\0", Position(1, 7, 1, 13)),
        ("", Position(1, 0, 1, 0)),
    ],
)
def test_what_cannot_be_read_is_named_by_its_kind(
    text: str | None, position: Position | None
) -> None:
    assert Namer().name(text, position, "Lock") == "Lock#1"


def test_the_position_that_the_running_frame_reports_is_understood() -> None:
    text = "size = 'ü'; slots = (context\n    .Lock(\n  3))\nforks = [Lock(0) for _ in range(2)]\n"
    namer, heard = Namer(), []

    def create(_: int) -> None:
        frame = sys._getframe(1)
        reported = frame.f_code.co_positions()
        line, end_line, column, end_column = next(islice(reported, frame.f_lasti // 2, None))
        heard.append(namer.name(text, Position(line, column, end_line, end_column), "Lock"))

    scope = {"context": SimpleNamespace(Lock=create), "Lock": create}
    exec(compile(text, "program.py", "exec"), scope)
    assert heard == ["slots", "forks[0]", "forks[1]"]


@given(
    st.lists(
        st.sampled_from(
            [
                "a = Lock()",
                "a = [Lock()]",
                "a.append(Lock())",
                "a[0] = Lock()",
                "Lock = Lock()",
                "Lock()",
                "a, Lock = Lock(), Lock()",
            ]
        ),
        max_size=12,
    )
)
def test_no_two_primitives_share_a_name(lines: list[str]) -> None:
    given_names = names("\n".join(lines))
    assert len(set(given_names)) == len(given_names)


def test_a_pattern_is_a_value() -> None:
    assert NamePattern("forks", True) == NamePattern("forks", True)
