"""The checker: a process of its own in which a program is searched, with limits on it.

``main`` reads one request and writes one JSON object a line: how
far it has come (``Report``), and at last what was found.  If ``foresight`` is asked for, it then
says whether it knows what may come, and answers each ``Question`` with an ``Answer``.  Whatever
the program does to this process, whoever asked lives on; it ends when nobody asks any more.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from functools import partial
from types import FrameType
from typing import IO

import msgspec
from msgspec.structs import replace

from syncsim.core.deadlock.verdict import Verdict
from syncsim.core.operation import ALONE, Verb
from syncsim.core.schedule import Choice, Grain, format_schedule, parse_schedule
from syncsim.core.schedule import Move as Happens
from syncsim.core.text import as_json
from syncsim.explore import hints
from syncsim.explore.bounds import Bounds
from syncsim.explore.foresight import Foresight, whole_graph
from syncsim.explore.limits import (
    TOO_LONG,
    collect_seldom,
    die_with_our_parent,
    limit_memory,
    mind_the_time,
    takes_too_long,
)
from syncsim.explore.properties.judging import Judge, asked_since
from syncsim.explore.properties.properties import PropertyError, unpack
from syncsim.explore.request import Answer, Found, Judged, Question, Report, Request
from syncsim.explore.results import Path, SearchResult, choices
from syncsim.explore.search.exhaustive import search
from syncsim.explore.search.jobs import Jobs, broken, processes
from syncsim.explore.search.leases import Asked
from syncsim.explore.search.minimise import in_single_steps, minimised
from syncsim.explore.search.put_locks import in_turn
from syncsim.explore.side_findings import asked_of_main, done, findings, raced_for
from syncsim.program.source import Program, load
from syncsim.virtual import births
from syncsim.virtual.errors import NotVirtualError, TooLongError
from syncsim.virtual.loader import VirtualProgram
from syncsim.virtual.model.states import Did
from syncsim.virtual.model.system import System
from syncsim.virtual.process.body import chances
from syncsim.virtual.process.frames import can_read
from syncsim.virtual.stdlib import files
from syncsim.virtual.stdlib.chance import NUMBERS

#: A graph of so many states is kept for foresight.
KEPT = 200_000
#: Seconds between two signs of life.
_HEARTBEAT = 0.5


def schedule_of(system: System, did: Iterable[Did], *, by_call: bool) -> str:
    """The choices that were made, as a schedule of the real world."""
    grain = Grain.CALL if by_call else Grain.ATOM
    numbers: dict[int, int] = {}
    made = []
    for one in in_turn(did):
        if one.verb is Verb.BORN:
            numbers[one.actor] = len(numbers)
        elif one.token:
            move = Happens.TIME_OUT if one.times_out else Happens.GO
            choice = Choice(numbers[one.actor], move, grain)
            made += [choice] * choices(one)
        if one.verb is Verb.PUT and not by_call:
            # Its feeder is seen from the first time on that it has something to do.
            numbers.setdefault(system.feeder(one.actor, one.atom), len(numbers))
    return format_schedule(made)


def _searched(
    system: System, request: Request, judge: Judge | None, began: float
) -> Iterator[tuple[SearchResult, int]]:
    gone = time.monotonic() - began
    bounds = Bounds(request.states, request.depth, request.seconds, gone)
    asked = Asked(request.path, request.arguments, request.start_method, request.by_call)
    jobs = Jobs(request.jobs, asked, partial(processes, request.jobs, request.memory))
    try:
        yield from search(
            system,
            request.search,
            bounds,
            first=request.first,
            seed=request.seed,
            judge=judge,
            jobs=jobs,
        )
    finally:
        jobs.close()


def _births(did: Iterable[Did]) -> dict[int, int]:
    born = [one.actor for one in did if one.verb is Verb.BORN]
    return {actor: number for number, actor in enumerate(born)}


def _way_of(system: System, path: Path, request: Request) -> str:
    every = done(system, path.moves[: -path.circle])
    return schedule_of(system, every, by_call=request.by_call)


def _report(system: System, outcome: SearchResult, frontier: int, request: Request) -> Report:
    return Report(
        outcome.search,
        complete=outcome.complete,
        limit=outcome.limit,
        hint=hints.about(outcome.limit, request),
        note="" if can_read() else hints.SLOWER,
        states=outcome.states,
        transitions=outcome.transitions,
        executions=outcome.executions,
        depth=outcome.depth,
        frontier=frontier,
        seconds=outcome.seconds,
        failures=tuple(_found(system, path, request) for path in outcome.failures.values()),
    )


def _found(system: System, path: Path, request: Request) -> Found:
    return Found(
        path.verdict,
        schedule_of(system, path.did, by_call=request.by_call),
        len(path.moves),
        _way_of(system, path, request) if path.circle else "",
        _births(path.did).get(path.waits) if path.waits is not None else None,
    )


def _judged(system: System, judge: Judge, request: Request) -> tuple[Judged, ...]:
    return tuple(
        Judged(
            one.holds,
            _found(system, one.path, request) if one.path is not None else None,
            one.doubt,
        )
        for one in judge.judgements
    )


def _smaller(
    program: Program, system: System, outcome: SearchResult, path: Path, request: Request
) -> Iterator[Found]:
    """That failure with ever fewer steps and switches."""
    if not path.circle and path.waits is None:
        # Each step is a move there, so that what is not needed can be left out.
        fine = System(VirtualProgram(program).main(), by_call=request.by_call, eager=False)
        single = in_single_steps(fine, system, path)
        if single is not None:
            # (An exception is met before the end: of that execution not all steps are needed.)
            every = outcome.complete and outcome.search == "dpor"
            shortest = every and path.verdict is Verdict.DEADLOCK
            for better in minimised(fine, single, shortest=shortest):
                yield _found(fine, better, request)


class Out:
    """Where we say what we say, one line after the other; an empty one says that we live."""

    def __init__(self, file: int, word: str) -> None:
        self._file = file
        self._word = word.encode()
        self._saying = False

    def say(self, line: bytes) -> None:
        """Another line."""
        data = self._word + line + b"\n"
        self._saying = True
        while data:
            data = data[os.write(self._file, data) :]
        self._saying = False

    def live(self) -> None:
        """Say that we live."""
        if not self._saying:
            os.write(self._file, b"\n")

    def mind_the_time(self, number: int, frame: FrameType | None) -> None:
        """Now and then: say that we live, and break off what runs too long."""
        self.live()
        mind_the_time()
        if takes_too_long(asked_since()):
            raise PropertyError(f"it takes longer than {TOO_LONG:g} s")


def _say(what: object, out: Out) -> None:
    out.say(as_json(what))


def _foresee(system: System, outcome: SearchResult, questions: Iterable[bytes], out: Out) -> None:
    """Say whether what may come is known; if so, answer whoever asks."""
    foresight = None
    if outcome.complete and not system.by_call:
        with contextlib.suppress(MemoryError):
            graph = whole_graph(system, KEPT)
            foresight = Foresight(graph, KEPT) if graph is not None else None
    _say(foresight is not None, out)
    if foresight is None:
        return
    signal.setitimer(signal.ITIMER_REAL, 0)  # nobody listens unless he has asked
    for line in questions:
        asked = msgspec.json.decode(line, type=Question)
        then = parse_schedule(asked.then)
        _say(Answer(foresight.foresee(asked.keep, then, asked.grain)), out)


def run(request: Request, questions: IO[bytes], out: Out) -> None:
    """Search, and tell how it goes; then answer questions."""
    began = time.monotonic()
    found = load(request.path, request.arguments, request.start_method)
    try:
        program = VirtualProgram(found)
        properties = unpack(request.properties)
        # The main process runs to its first operation as soon as there is a system.
        system = System(program.main(), by_call=request.by_call, eager=not properties)
        judge = Judge(system, properties, lambda: program.functions) if properties else None
        told = time.monotonic()
        outcome, frontier = SearchResult(request.search), 0
        for outcome, frontier in _searched(system, request, judge, began):
            if time.monotonic() - told > 0.2:
                told = time.monotonic()
                _say(_report(system, outcome, frontier, request), out)
        final = _report(system, outcome, frontier, request)
        # Time may be up before all that is still to be said of it is known.
        _say(replace(final, complete=False), out)
        judged = _judged(system, judge, request) if judge is not None else ()
        schedule = partial(schedule_of, system, by_call=request.by_call)
        beside = findings(system, outcome.endings, outcome.races, schedule)
        raced = raced_for(system, outcome.races)
        if chances:
            # Each was asked once, of all that it might have answered.
            doubt = f"what the program does may depend on {' and '.join(sorted(chances))}, too"
            hint = hints.WITH_A_SEED if NUMBERS in chances else ""
            final = replace(final, complete=False, doubt=doubt, hint=hint)
        asked = asked_of_main(system)
        final = replace(
            final,
            findings=tuple(beside),
            raced_for=raced,
            properties=judged,
            started=Verb.START in asked,
            touched=not asked <= ALONE,
            exits=tuple(sorted(outcome.endings.exits)),
        )
        _say(final, out)
        for at, path in enumerate(outcome.failures.values()):
            for better in _smaller(found, system, outcome, path, request):
                failures = (*final.failures[:at], better, *final.failures[at + 1 :])
                final = replace(final, failures=failures)
                _say(final, out)
        _say(replace(final, over=True), out)
    except PropertyError as error:
        _say(Report(over=True, wrong=str(error)), out)
    except NotVirtualError as error:
        site = error.site
        place = f" ({os.path.basename(site.file)}, line {site.line})" if site is not None else ""
        problem = f"it uses {error}{place}, which is not in the virtual world"
        _say(Report(over=True, problem=problem, hint=hints.ON_REAL_PROCESSES), out)
    except TooLongError:
        problem = f"it runs for {TOO_LONG:g} s without any operation"
        _say(Report(over=True, problem=problem, hint=hints.LESS_TO_COMPUTE), out)
    except MemoryError as error:
        limit = f"it needs more than {request.memory / (1 << 30):g} GB of memory"
        problem = f"{limit} ({type(error).__name__})"
        _say(Report(over=True, problem=problem, hint=hints.LESS_MEMORY), out)
    except broken():  # (last: to ask which it is may take memory)
        _say(Report(over=True, problem="one of the processes that searched it was ended"), out)
    else:
        if request.foresight:
            _foresee(system, outcome, questions, out)


def main() -> None:
    """Serve the one request that comes through stdin."""
    die_with_our_parent()
    questions = os.fdopen(os.dup(0), "rb")
    request = msgspec.json.decode(questions.readline(), type=Request)
    # What the program writes past us must not get between our lines, or fill a pipe.
    out, words = Out(os.dup(1), request.word), os.dup(2)
    with open(os.devnull, "r+b") as nothing:
        for stream in range(3):
            os.dup2(nothing.fileno(), stream)
    limit_memory(request.memory)
    collect_seldom()
    files.watch()
    births.refuse()
    out.live()
    signal.signal(signal.SIGALRM, out.mind_the_time)
    signal.setitimer(signal.ITIMER_REAL, _HEARTBEAT, _HEARTBEAT)
    try:
        run(request, questions, out)
    except BaseException as error:  # an error of ours: its last words are for our parent
        os.write(words, f"{type(error).__name__}: {error}\n".encode()[:1000])
        os._exit(1)
    os._exit(0)  # no process of the program is asked whether it wants to clean up
