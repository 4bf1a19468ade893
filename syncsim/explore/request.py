"""Requests to the checker, and the reports of its process: all that both sides share."""

from __future__ import annotations

from msgspec import Struct

from syncsim.core.deadlock.findings import Finding
from syncsim.core.outlook import Foreseen
from syncsim.core.schedule import Grain
from syncsim.explore.bounds import USUAL


class Request(Struct, frozen=True):
    """A request to search a program."""

    path: str
    arguments: tuple[str, ...] = ()
    start_method: str = ""
    search: str = "exhaustive"
    by_call: bool = False
    first: bool = False
    seed: int = 0
    states: int = USUAL.states
    depth: int = USUAL.depth
    seconds: float = USUAL.seconds
    #: How many processes may search at once, and how many bytes each of them may have.
    jobs: int = 1
    memory: int = 4 << 30
    #: What is to be judged besides, by ``properties.pack``.
    properties: bytes = b""
    #: What each line that we say begins with, so that nothing the program writes is taken for one.
    word: str = ""
    #: Whether one wants to ask afterwards what may come.
    foresight: bool = False
    #: On real processes, and in the process of who asks.
    real: bool = False


class Question(Struct, frozen=True):
    """A question for the outlook after the first ``keep`` choices of the last, and the new ones."""

    keep: int
    then: str
    grain: Grain


class Answer(Struct, frozen=True):
    """The outlook; None where nothing is known."""

    foreseen: Foreseen | None


class Found(Struct, frozen=True):
    """A failure and the schedule that leads to it."""

    verdict: str
    schedule: str
    moves: int
    #: Of a livelock: the schedule up to where the circle begins.
    way: str = ""
    #: Of a deadlock while others go on: who waits for ever, in order of birth.
    waits: int | None = None


class Judged(Struct, frozen=True):
    """A property that was judged: ``found`` is a counterexample to it, or a witness of it."""

    holds: bool | None
    found: Found | None = None
    doubt: str = ""


class Report(Struct, frozen=True):
    """The progress of the search, or, if ``over``, its result.

    ``problem`` says why the program cannot be searched, ``wrong`` what is wrong with a property.
    ``doubt`` says why nothing is proven although everything was visited, and ``hint`` what may
    help where there is no verdict.  ``note`` is what to know of this Python.
    """

    search: str = ""
    over: bool = False
    complete: bool = False
    limit: str = ""
    problem: str = ""
    doubt: str = ""
    hint: str = ""
    note: str = ""
    states: int = 0
    transitions: int = 0
    executions: int = 0
    depth: int = 0
    frontier: int = 0
    seconds: float = 0.0
    failures: tuple[Found, ...] = ()
    #: Beside the failures, of every interleaving that was visited.
    findings: tuple[Finding, ...] = ()
    raced_for: dict[str, list[str]] = {}
    #: Whether a process was started, and whether any primitive was touched or one was started.
    started: bool = False
    touched: bool = False
    #: The exit codes of the main process, of every end that was visited.
    exits: tuple[int, ...] = ()
    wrong: str = ""
    properties: tuple[Judged, ...] = ()
