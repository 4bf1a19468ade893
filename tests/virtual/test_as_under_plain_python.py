"""What programs do besides multiprocessing is as under plain Python, in a forked child, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import syncsim
from syncsim.core.deadlock.verdict import Verdict

OF_ITS_OWN = """
import io, os, sys, threading
from os import environ, getenv
from multiprocessing import Lock, Process

guard, again, local, happened = (
    threading.Lock(), threading.RLock(), threading.local(), threading.Event()
)

def work(lock, me):
    with lock:
        assert environ["WHO"] == "main" and guard.locked() and local.who == "main"
        environ["WHO"] = os.environ["NEW"] = f"{me}"
        assert getenv("WHO") == f"{me}" and "NEW" in environ and getenv("NO", "no") == "no"
        assert environ.pop("NEW") and "NEW" not in dict(environ) | {} and "WHO" in {} | environ
        try:
            environ["WHO"] = 1
        except TypeError as error:
            assert "str expected" in str(error)
        guard.release()
        with guard:
            assert again.acquire(blocking=False)
        assert not guard.locked() and not happened.is_set()
        local.who = me
        happened.set()
        sys.argv.append("child")
        assert sys.argv.count("child") == 1 and sys.path[0] == "/nowhere"
        sys.stdout = io.StringIO()
        print("hidden", me)
        assert sys.stdout.getvalue() == f"hidden {me}\\n"
        sys.stdout = sys.__stdout__

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    environ["WHO"] = local.who = "main"
    guard.acquire()
    with again, again:
        sys.path.insert(0, "/nowhere")
        lock = Lock()
        both = [Process(target=work, args=(lock, me)) for me in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
    assert [one.exitcode for one in both] == [0, 0]
    assert environ["WHO"] == local.who == "main" and guard.locked() and not happened.is_set()
    assert "child" not in sys.argv
"""
OF_MANY_KINDS = """
import collections, dataclasses, enum, functools, operator, typing
from multiprocessing import Pipe, Process

class Kind(enum.Enum):
    GO = enum.auto()
    STOP = "stop"

class Flag(enum.IntFlag):
    A = 1
    B = 2

Point = collections.namedtuple("Point", "x y")

class Named(typing.NamedTuple):
    x: int
    y: int = 2

@dataclasses.dataclass(order=True, frozen=True, slots=True)
class Job:
    priority: int
    name: str = dataclasses.field(compare=False, default="x")

class Meta(type):
    made = []
    def __new__(meta, *arguments):
        kind = super().__new__(meta, *arguments)
        meta.made.append(kind.__name__)
        return kind

class Base(metaclass=Meta):
    registry = {}
    def __init_subclass__(cls, **_):
        Base.registry[cls.__name__] = cls

class Tree(Base):
    def __init__(self, *below):
        self.below = below
    def __iter__(self):
        yield self
        for tree in self.below:
            yield from tree
    @functools.cached_property
    def size(self):
        return sum(1 for _ in self)
    @property
    def leaf(self):
        return not self.below
    @classmethod
    def make(cls):
        return cls(cls(), cls())

class Slotted:
    __slots__ = ("_n",)
    def __init__(self, n):
        self._n = n
    n = property(operator.attrgetter("_n"))

def counted(function):
    @functools.wraps(function)
    def call(*arguments):
        call.calls += 1
        return function(*arguments)
    call.calls = 0
    return call

@functools.singledispatch
def kind_of(value):
    return "other"

@kind_of.register
def _(value: int):
    return "int"

@counted
def work(end, add):
    while True:
        match end.recv():
            case Kind.GO, int(flag):
                assert flag == Flag.A | Flag.B
            case [Job() as job, Point(x=x), Named(y=y)]:
                end.send((dataclasses.replace(job, priority=job.priority + x + y), kind_of(x)))
            case {"tree": tree}:
                assert tree.size == 3 and not tree.leaf and Slotted(add(1)).n == 3
                end.send(collections.Counter(tree.leaf for tree in tree))
            case Kind.STOP:
                break
    assert work.calls == 1 and list(Base.registry) == ["Tree"] and Meta.made == ["Base", "Tree"]

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    here, there = Pipe()
    child = Process(target=work, args=(there, functools.partial(operator.add, 2)))
    child.start()
    here.send((Kind.GO, Flag.A | Flag.B))
    here.send([Job(1), Point(1, 2), Named(1)])
    assert here.recv() == (Job(4), "int")
    here.send({"tree": Tree.make()})
    assert here.recv() == {True: 2, False: 1}
    here.send(Kind.STOP)
    child.join()
    assert child.exitcode == 0 and work.calls == 0
"""
OF_THE_LIBRARY = """
import argparse, contextlib, decimal, hashlib, heapq, itertools, json, logging, pathlib, random
import re, statistics, textwrap, traceback
from multiprocessing import Process, Queue, current_process

logging.basicConfig(level=logging.INFO, format="%(processName)s %(message)s")
log, numbers, word = logging.getLogger(__name__), itertools.count(), re.compile("[a-z]+")
random.seed(3)

class Odd(Exception):
    def __init__(self, n):
        super().__init__(f"{n} is odd")
        self.n = n

@contextlib.contextmanager
def scope(what):
    try:
        yield what
    finally:
        log.info("%s is over", what)

def work(outbox, n):
    heap = [3, 1, n]
    heapq.heapify(heap)
    assert word.fullmatch("ab") and heapq.heappop(heap) in (0, 1)
    assert json.loads(json.dumps({"n": [n]})) == {"n": [n]} and next(numbers) == 0
    assert decimal.Decimal("1.1") + n == decimal.Decimal(f"{n + 1}.1")
    assert pathlib.PurePath("a", "b").name == "b" and statistics.mean([n, n]) == n
    assert hashlib.sha256(b"x").hexdigest() and textwrap.dedent("  x") == "x"
    try:
        with scope("work"):
            if n % 2:
                raise Odd(n)
    except Odd as error:
        text = "".join(traceback.format_exception_only(type(error), error))
        outbox.put((error.n, text.strip().rpartition(": ")[2]))
    else:
        outbox.put((n, f"{current_process().name} {random.Random(n).randrange(9)}"))

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method("fork")
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2)
    outbox = Queue()
    some = [
        Process(target=work, args=(outbox, n), name=f"worker {n}")
        for n in range(parser.parse_args().count)
    ]
    for one in some:
        one.start()
    got = sorted(outbox.get() for _ in some)
    for one in some:
        one.join()
    assert got == [(0, f"worker 0 {random.Random(0).randrange(9)}"), (1, "1 is odd")], got
    assert next(numbers) == 0
"""
PROGRAMS = {"its own": OF_ITS_OWN, "kinds": OF_MANY_KINDS, "library": OF_THE_LIBRARY}


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_it_is_as_under_plain_python(tmp_path: Path, text: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(text)
    plain = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert plain.returncode == 0, plain.stderr
    checked = syncsim.check(program)
    assert checked.verdict is Verdict.FINISHED, checked.explanation
