"""A process of the virtual world: its code in a greenlet, suspended at each operation.

The stand-ins of the library (``semlock``, ``queues``, ``shared_memory`` ...) ask ``here()`` who
is running, and make their operations by ``ProcessBody.operate``.  A body that is grown to a place
in its life gets the first results from a list: it runs straight through without a switch.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Hashable, Iterator
from types import FrameType
from typing import Any, NamedTuple, NoReturn, Protocol

from greenlet import GreenletExit, getcurrent, greenlet
from msgspec.structs import replace

from syncsim.core.atoms import Atom
from syncsim.core.operation import Operation, Site, Verb
from syncsim.core.state import Primitive
from syncsim.program.ownership import root
from syncsim.virtual.errors import NotVirtualError, refused
from syncsim.virtual.model.automaton import (
    AWAITED,
    Back,
    Ended,
    Event,
    Made,
    Request,
    Said,
    Seed,
    Told,
    Wrote,
)
from syncsim.virtual.process.fingerprint import Fingerprint, Fingerprints
from syncsim.virtual.process.library_threads import Helped, LibraryThreads
from syncsim.virtual.process.private_memory import PrivateMemory
from syncsim.virtual.process.process_state import ProcessState
from syncsim.virtual.process.stacks import position_of, program_stack, site_in, site_of, user_frame
from syncsim.virtual.stopwatch import Stopwatch

_here: list[ProcessBody] = []


_began: list[Stopwatch] = []
#: What was left where it was is kept: to collect it would unwind it, and it might catch that, too.
_left: list[greenlet] = []
#: More operations than a process may begin while it is unwound, if it does not catch its end.
_ENOUGH = 100
#: What has been asked for that no order of operations decides: the clock, a random number.
chances: set[str] = set()


def running_since() -> Stopwatch | None:
    """Since when a process has been running without an operation."""
    return _began[-1] if _began else None


def break_off(error: BaseException) -> None:
    """Raise that outside of the process that is running, which cannot catch it."""
    outside = getcurrent()
    _left.append(outside)
    while outside.parent is not None:
        outside = outside.parent
    outside.throw(error)


def here() -> ProcessBody:
    """The process whose code is running."""
    return _here[-1]


def current() -> ProcessBody | None:
    """The same, where it may be none."""
    return _here[-1] if _here else None


@contextlib.contextmanager
def running(body: ProcessBody) -> Iterator[None]:
    """Count what runs meanwhile as code of that process."""
    _here.append(body)
    try:
        yield
    finally:
        _here.pop()


class Who(NamedTuple):
    """The identity of a process: its key in every interleaving, its name, the pids."""

    key: tuple[int, ...]
    name: str
    daemon: bool
    pid: int
    parent_pid: int


class Seeds(Protocol):
    """Makes the seed of a child, and says which ends of pipes it is given."""

    def __call__(self, body: ProcessBody, process_obj: Any, method: str) -> tuple[Seed, Hashable]:
        """That of ``process_obj``, which the body is about to start."""
        ...


class ProcessBody:
    """One run of one process.

    ``main`` runs the process from birth to its exit code; ``memory`` is what it has of its own.
    """

    _syncsim_shared = True

    def __init__(self, who: Who, memory: PrivateMemory, identity: Any, seeds: Seeds) -> None:
        self.who = who
        self.memory = memory
        self.identity = identity
        self._seeds = seeds
        self.events: list[Event] = []
        #: What belongs to the process and not to the program's memory.
        self.state = ProcessState()
        #: Whether what runs is the code of an item, which the feeder thread pickles.
        self.pickling = False
        #: The library's own threads.
        self.helpers = LibraryThreads()
        #: What ``print`` writes to; made when it is first used.
        self._results: tuple[Hashable, ...] = ()
        self._at = 0
        self._dying = False
        self._unwound = 0  # how many operations it has begun since
        self._greenlet: greenlet | None = None
        self._fingerprints = Fingerprints()
        self._fingerprint: Fingerprint | None = None
        #: What it asks for, while its helpers get answers; whether that is there by now.
        self._request: Request | None = None
        self._ready: Callable[[], bool] | None = None

    def _syncsim_key(self) -> str:
        """One of the same process is the same: what it has of its own is written beside."""
        return ""

    # -- being run ----------------------------------------------------------------------

    def grow(self, main: Callable[[], int], results: tuple[Hashable, ...]) -> Told:
        """Run from birth to the operation after those results."""
        self._results = results
        self._greenlet = greenlet(lambda _: self._live(main))
        return self._switch(None)

    def answer(self, result: Hashable) -> Told:
        """Go on with that result, to the next operation."""
        if type(result) is Helped:
            return self._run(self._help, result)
        return self._switch(result)

    @property
    def pid(self) -> int:
        """Its pid."""
        return self.who.pid

    @property
    def parent_pid(self) -> int:
        """The pid of the process that started it."""
        return self.who.parent_pid

    def seed_of(self, process_obj: Any, method: str) -> tuple[Seed, Hashable]:
        """Return the seed of a child, and the ends of pipes that it is given."""
        return self._seeds(self, process_obj, method)

    def finish(self, code: int) -> None:
        """End at once: what is on the stack is never run."""
        assert self._greenlet is not None
        assert self._greenlet.parent is not None
        self._greenlet.parent.switch(Told(tuple(self.events), Ended(code, self.state.raised, True)))
        raise GreenletExit

    def _switch(self, value: Hashable) -> Told:
        assert self._greenlet is not None
        self._greenlet.parent = getcurrent()
        return self._run(self._greenlet.switch, value)

    def _run(self, go_on: Callable[[Any], Told], value: Hashable) -> Told:
        """Let code of the process run, up to its next operation."""
        if not _began:
            refused.clear()
        _here.append(self)
        _began.append(Stopwatch.now())
        self.identity.enter()
        try:
            told = go_on(value)
        except NotVirtualError as error:
            error.site = error.site or site_in(error.__traceback__)
            raise
        finally:
            self.identity.leave()
            _began.pop()
            _here.pop()
        if refused:  # and the program has caught it
            first = refused[0]
            first.site = first.site or site_in(first.__traceback__)
            raise first
        return told

    def _help(self, answer: Helped) -> Told:
        """A helper gets an answer; the process itself goes on to ask for the same."""
        assert self._request is not None
        assert self._greenlet is not None
        self._let_help(answer)
        self._request = self._beside(self._request)
        told = Told(tuple(self.events), self._request)
        self.events = []
        if self._fingerprint is not None:
            frame: FrameType | None = self._greenlet.gr_frame
            while frame is not None and frame.f_code is not ProcessBody.operate.__code__:
                frame = frame.f_back
            # (That it can be read was seen when it asked.)
            self._take_fingerprint(self._request, frame and frame.f_back, trusted=True)
        return told

    def _let_help(self, answer: Helped | None) -> None:
        """Let the helpers run until each waits."""
        before, self.state.call = self.state.call, None
        try:
            if answer is None:
                self.helpers.run()
            else:
                self.helpers.answer(answer)
        finally:
            self.state.call = before

    def _beside(self, request: Request) -> Request:
        """The request, with what the helpers ask for, and whether it is there."""
        if self._ready is None and not self.helpers:
            return request
        ready = self._ready() if self._ready is not None else None
        return replace(request, beside=self.helpers.asking, ready=ready)

    def _take_fingerprint(
        self, request: Request, frame: FrameType | None, *, trusted: bool = False
    ) -> None:
        verb = request.operation.verb
        if verb is Verb.START or request.operation.call == AWAITED:
            self._fingerprint = None  # nobody comes there again, and the next place tells as much
            return
        if verb is Verb.EXIT:  # none of its code runs any more
            self._fingerprint = Fingerprint(request.operation, None, (), self._own())
            return
        stacks = [(frame, trusted)]
        asks: tuple[Hashable, ...] = ()
        if self.helpers:
            for helper in self.helpers.waiting:
                stacks.append((helper.frame(ProcessBody.operate.__code__), True))
            asks = tuple((n, one.operation.verb, one.payload) for n, one in request.beside)
        modules, itself = self.memory.modules, self.identity.current
        if self.state.over:
            modules, itself = {}, None
        image = self._fingerprints.of(stacks, modules, itself, self._own())
        self._fingerprint = None
        if image is not None:
            self._fingerprint = Fingerprint(verb, request.payload, asks, image)

    @root
    def _live(self, main: Callable[[], int]) -> Told:
        code = main()
        return Told(tuple(self.events), Ended(code, self.state.raised))

    def close(self) -> None:
        """Unwind the stack; what the program does on the way has no effect."""
        self._dying = True
        if self._greenlet is not None and self._greenlet:
            self._greenlet.parent = getcurrent()
            _here.append(self)
            with contextlib.suppress(BaseException):  # the program's own, on its way out
                self._greenlet.throw(GreenletExit)
            self.helpers.close()
            _here.pop()
        self._greenlet = None

    def _unwind(self) -> NoReturn:
        """On its way out it makes no operation."""
        self._unwound += 1
        current = getcurrent()
        if self._unwound > _ENOUGH and current.parent is not None:
            _left.append(current)
            current.parent.switch()
        raise GreenletExit

    def fingerprint(self) -> Hashable | None:
        """All that its future depends on; None where that cannot be said."""
        return self._fingerprint

    def _own(self) -> Hashable:
        """Return what belongs to the process and not to the program's memory."""
        environment = self.memory.environment
        return (
            self.who.name,
            self.who.daemon,
            self.state.key(),
            self.identity.key(),
            environment and tuple(environment.items()),
        )

    @property
    def is_running(self) -> bool:
        """Return whether code of the process runs, and not only to come to an end."""
        return bool(_here) and _here[-1] is self and not self._dying

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Count what runs meanwhile as the feeder's: it makes no operation of the process."""
        before, self.pickling, clock = self.pickling, True, self.state.clock
        try:
            yield
        finally:
            self.pickling, self.state.clock = before, clock

    def now(self) -> float:
        """Return the seconds since its birth; a little more each time: time never stands still."""
        state = self.state
        state.looked_at_clock = True
        chances.add("the clock")
        state.clock += 1e-6
        return state.clock

    def waited(self, seconds: float) -> None:
        """Note that the process waited so long, in vain."""
        self.state.clock += seconds
        self.state.patience += seconds

    # -- operations ---------------------------------------------------------------------

    @property
    def replaying(self) -> bool:
        """Return whether the process is on its way to the place where it is of interest."""
        return self._at < len(self._results)

    def operate(
        self,
        verb: Verb,
        atom: str = "",
        *,
        payload: Hashable = None,
        name: str = "",
        detail: str = "",
        block: bool = True,
        timeout: float | None = None,
        child: Seed | None = None,
        silent: bool = False,
        inner: bool = False,
        sited: bool = True,
        ready: Callable[[], bool] | None = None,
        until: Callable[[], bool] | None = None,
        work: str = "",
    ) -> Any:
        """Ask for the operation; its result.

        ``name`` is the call, if the operation is no part of a marked one; it is not ``sited``
        where no line of the program asks for it.  ``ready`` says of an outcome whether it is
        there; a helper may be content before the operation is made, when ``until`` is true.
        """
        if self._dying:
            self._unwind()
        if self.pickling:
            if verb in (Verb.SLEEP, Verb.OUTPUT):
                return None  # nobody steps the feeder while it pickles
            raise NotVirtualError(f"an item that needs {name or verb} to be pickled")
        helps = self.helpers.current is not None
        if not helps:
            if self.helpers:
                self._repeat_help()
            if self._at < len(self._results):
                result = self._results[self._at]
                self._at += 1
                self.events.clear()
                return result
        frame, stack = program_stack(sys._getframe(1))
        site = site_of(frame) if sited else None
        operation = self._operation(verb, atom, name, detail, site, block, timeout)
        raised, work = self.state.raised, work or self.state.work
        request = Request(operation, payload, child, silent, raised, inner, stack, work=work)
        if helps:
            answer = self.helpers.wait(request, until)
            return answer.result if answer is not None else None
        self._ready = ready
        self._request = request = self._beside(request)
        told = Told(tuple(self.events), request)
        self._take_fingerprint(request, sys._getframe(1))
        self.events = []
        parent = self._greenlet.parent if self._greenlet is not None else None
        assert parent is not None
        result = parent.switch(told)
        if self._dying:
            raise GreenletExit
        return result

    def _repeat_help(self) -> None:
        """Let the helpers run, and give them the answers that they got before."""
        self._let_help(None)
        while self._at < len(self._results):
            helped = self._results[self._at]
            if not isinstance(helped, Helped):
                break
            self._at += 1
            self.events.clear()
            self._let_help(helped)

    def _operation(
        self,
        verb: Verb,
        atom: str,
        name: str,
        detail: str,
        site: Site | None,
        block: bool,
        timeout: float | None,
    ) -> Operation:
        """Return the operation as a part of the call that the process is inside of, if any."""
        memory, call = self.memory, self.state.call
        primitive, role = memory.belongs.get(atom, ("", ""))
        if call is not None:
            primitive = call.primitive or primitive
            site, name, detail = call.site, call.name, detail or call.detail
            role = memory.roles.get((primitive, atom), role)
        if not name:
            owner = memory.primitives.get(primitive)
            name = f"{owner.kind}.{verb}" if owner is not None else str(verb)
        return Operation(
            verb, atom, name, primitive, role, site, call is not None, block, timeout, detail
        )

    # -- where in the program -----------------------------------------------------------

    def site(self) -> Site | None:
        """Return where the program is."""
        return site_of(user_frame(sys._getframe(1)))

    # -- primitives ---------------------------------------------------------------------

    def new_atom(self) -> str:
        """A name for an atom that it makes."""
        self.state.made += 1
        return f"{'.'.join(map(str, self.who.key))}/{self.state.made}"

    def make(
        self,
        identity: str,
        kind: str,
        parts: dict[str, tuple[str, Atom, Hashable]],
        capacity: int | None = None,
    ) -> None:
        """Reports a primitive that the program makes: its atoms by role, with their contents.

        A content is what the virtual atom begins with, None where that is the atom itself.
        """
        memory = self.memory
        file, line, position = position_of(user_frame(sys._getframe(1)))
        name = memory.namer.name(memory.text_of(file), position, kind)
        primitive = Primitive(
            id=identity,
            kind=kind,
            name=name,
            parts={role: atom for role, (atom, _, _) in parts.items()},
            capacity=capacity,
            file=file,
            line=line,
        )
        memory.primitives[identity] = primitive
        for role, (atom, _, _) in parts.items():
            memory.belongs.setdefault(atom, (identity, role))
            memory.roles[identity, atom] = role
        atoms = tuple((atom, value) for atom, value, _ in parts.values())
        contents = tuple(
            (atom, content) for atom, _, content in parts.values() if content is not None
        )
        self.events.append(Made(primitive, atoms, contents))

    def returned(self, result: str) -> None:
        """A marked call has returned."""
        self.events.append(Back(result))

    def said(self, result: str) -> None:
        """Note the result of the last operation, as text."""
        self.events.append(Said(result))

    def wrote(self, stream: str, text: str) -> None:
        """Note what the process wrote without a step."""
        self.events.append(Wrote(stream, text))
