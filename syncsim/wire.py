"""The wire: what the program's processes report, one line of JSON a record, through one FIFO.

Every record is one ``os.write`` of at most ``PIPE_BUF`` bytes, so it is atomic, never torn
by a signal, and the order in the FIFO is one total order.  What an operation gives is
recorded before it takes effect, what it takes after.  Long constant parts (where in the
source, which call) are declared once as a ``Point`` and referred to by number.
"""

from __future__ import annotations

import os
import select
from typing import TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from syncsim.core.text import as_json

#: Where a process finds its run directory; inherited by all of the program's processes.
RUN_VARIABLE = "SYNCSIM_RUN"
#: The number of the file descriptor of the lifeline (see ``guard``).
LIFELINE_VARIABLE = "SYNCSIM_LIFELINE"
#: How many files the program may have open (see ``file_limit``).
ROOM_VARIABLE = "SYNCSIM_ROOM"
FIFO = "records"
GATE = "gate"
MODE = "mode"
STREAMS = "streams"
#: What is in this file is the default start method; nothing: as Python has it.
METHOD = "method"
#: How a file is called that says that the run has made a block of shared memory.
BLOCK = "block-"

#: In the command of a new interpreter of ours: the call by which it joins the run, and what comes
#: last of that, before the library's own.
JOINS, JOINED = "child.join_run(", "child.hide_prelude(); "

#: The first byte of the mode file: are the gates open, are they shut, and are the feeder threads
#: of queues and what lies inside a put and a send held up as well?
OPEN, SHUT, XRAY = 0, 1, 2

#: What comes through a gate, from us to a waiting process.
#: (A try that is going to be in vain is granted, too.)
GO, IN_VAIN, TIME_OUT, RUN_FREE, INSPECT, READY = b"g", b"n", b"t", b"o", b"i", b"r"

#: One record is at most this many bytes (4096 on Linux, 512 on macOS).
LIMIT = select.PIPE_BUF
#: So many characters fit into a record, whatever they are (a control character takes six bytes).
CHARACTERS = (LIMIT - 150) // 6


def identity(fd: int) -> str:
    """What tells one open file from another; raises OSError where there is none."""
    found = os.fstat(fd)
    return f"{found.st_dev}:{found.st_ino}"


class Born(Struct, array_like=True, frozen=True, tag="born"):
    """A process of the program has begun (``thread`` names a thread inside one)."""

    pid: int
    tid: int
    parent: int
    name: str
    daemon: bool
    thread: str
    #: The address of its ``PyThreadState``.
    state: int = 0
    method: str = ""


class Point(Struct, array_like=True, frozen=True, tag="point"):
    """Declares what is constant of an operation at one place of one process."""

    pid: int
    n: int
    verb: str
    atom: str
    call: str
    primitive: str
    compound: bool
    file: str
    line: int
    function: str


class Want(Struct, array_like=True, frozen=True, tag="want"):
    """A process (or thread) has announced an operation and not made it yet."""

    pid: int
    tid: int
    point: int
    gated: bool
    blocking: bool
    timeout: float | None
    detail: str


class Did(Struct, array_like=True, frozen=True, tag="did"):
    """The announced operation took effect."""

    pid: int
    tid: int
    result: str


class Withdrawn(Struct, array_like=True, frozen=True, tag="withdrawn"):
    """The announced operation is not made: a signal handler of the program has raised."""

    pid: int
    tid: int


class Op(Struct, array_like=True, frozen=True, tag="op"):
    """An operation took effect that was not announced: the gates are open."""

    pid: int
    tid: int
    point: int
    result: str
    detail: str


class Back(Struct, array_like=True, frozen=True, tag="back"):
    """A compound call has returned, or raised the exception named."""

    pid: int
    tid: int
    result: str


class Part(Struct, array_like=True, frozen=True, tag="part"):
    """One atom of the primitive that is going to be ``Made``, with what it begins with."""

    pid: int
    primitive: str
    role: str
    atom: str
    #: "semaphore", "recursive", "channel", "cell", "sleepers", "block", "work" or "outcome"
    form: str
    value: int = 0
    maximum: int = 0
    text: str = ""
    #: Where a semaphore lies in the memory of the process that makes it.
    address: int = 0


class Made(Struct, array_like=True, frozen=True, tag="made"):
    """The program has created a primitive, by the expression at that position.

    Its parts were sent before.
    """

    pid: int
    id: str
    kind: str
    capacity: int | None
    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Text(Struct, array_like=True, frozen=True, tag="text"):
    """A process wrote this to its stdout or stderr."""

    pid: int
    stream: str
    text: str


class Error(Struct, array_like=True, frozen=True, tag="error"):
    """An exception that nobody caught ends the process."""

    pid: int
    exception: str
    message: str
    file: str
    line: int
    assertion: bool


class Reaped(Struct, array_like=True, frozen=True, tag="reaped"):
    """A parent has taken notice of the end of its child."""

    pid: int
    child: int
    exitcode: int


class Forking(Struct, array_like=True, frozen=True, tag="forking"):
    """A process is going to fork."""

    pid: int


class Forked(Struct, array_like=True, frozen=True, tag="forked"):
    """A process was forked; unless it is ``Born`` next, it is untracked (``os.fork``).

    With the pid 0 there is none: the system had no room for another one.
    """

    pid: int
    parent: int


class Joined(Struct, array_like=True, frozen=True, tag="joined"):
    """A new interpreter has joined the run: who is forked from it will be seen.

    (Or it is our guard, which does nothing.)
    """

    pid: int


class Launched(Struct, array_like=True, frozen=True, tag="launched"):
    """A process has started a ``program`` (its file), or is going to become it.

    The pid is 0 where nobody knows it.  An empty command takes it back.
    """

    pid: int
    parent: int
    program: str
    command: str


class Missing(Struct, array_like=True, frozen=True, tag="missing"):
    """A part of the library is not there: what is not seen for that reason, in a sentence."""

    pid: int
    sentence: str


class Helped(Struct, array_like=True, frozen=True, tag="helped"):
    """A thread of the library's own works in this process, and is no feeder and no ``Helper``."""

    pid: int


class Alarm(Struct, array_like=True, frozen=True, tag="alarm"):
    """A process is going to ask for an alarm, or to take that back."""

    pid: int
    asked: bool


class Fed(Struct, array_like=True, frozen=True, tag="fed"):
    """A feeder thread, under the X-ray, has nothing to send."""

    pid: int
    tid: int


class Serves(Struct, array_like=True, frozen=True, tag="serves"):
    """From here on this process is the server of a manager: it only answers calls."""

    pid: int


class Shows(Struct, array_like=True, frozen=True, tag="shows"):
    """What is in a cell now, as the one who keeps it tells; ``fresh``: it has just been made."""

    pid: int
    atom: str
    text: str
    fresh: bool = False


class Woken(Struct, array_like=True, frozen=True, tag="woken"):
    """One who sleeps in a Condition inside this server was woken, and whose sleep that was."""

    pid: int
    atom: str
    sleeper: int
    tid: int


class LinesUp(Struct, array_like=True, frozen=True, tag="linesup"):
    """A feeder that nobody holds up is next in line for its lock, or has it."""

    pid: int
    lock: str


class Helper(Struct, array_like=True, frozen=True, tag="helper"):
    """From here on a thread of the library's own is at work, of which we know what it has to do.

    It has to deal with everything that it is given: tasks, results, the ends of workers.  Its
    ``name`` is that of the outcome which is its end.
    """

    pid: int
    name: str


class Gave(Struct, array_like=True, frozen=True, tag="gave"):
    """Something is being given to that thread."""

    pid: int  # 0: by another process than its own
    name: str


class Dealt(Struct, array_like=True, frozen=True, tag="dealt"):
    """The thread has dealt with so many things, and waits for the next; with -1 it has ended."""

    pid: int
    tid: int
    name: str
    n: int


Record: TypeAlias = (
    Born
    | Point
    | Want
    | Did
    | Withdrawn
    | Op
    | Back
    | Part
    | Made
    | Text
    | Error
    | Reaped
    | Forking
    | Forked
    | Joined
    | Launched
    | Missing
    | Helped
    | Alarm
    | Serves
    | Shows
    | Woken
    | Fed
    | LinesUp
    | Helper
    | Gave
    | Dealt
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    """The record as one line; its longest texts are cut in the middle until it fits."""
    line = _line(record)
    longest = LIMIT
    while len(line) > LIMIT:
        longest //= 2
        fields = msgspec.structs.asdict(record).items()
        record = replace(record, **{name: _cut(value, longest) for name, value in fields})
        line = _line(record)
    return line


def _line(record: Record) -> bytes:
    try:
        return _encoder.encode(record) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, as in the name of a file that is no UTF-8
        return as_json(record) + b"\n"


def _cut(value: object, longest: int) -> object:
    if isinstance(value, str) and len(value) > longest:
        half = longest // 2
        return f"{value[:half]}…{value[-half:]}" if half else ""
    return value


def decode(lines: bytes) -> list[Record]:
    """The records in some whole lines; raises ``msgspec.DecodeError`` for anything else."""
    return _decoder.decode_lines(lines)
