"""The threads of one process: whether each is the program's, and what it is in the middle of."""

from __future__ import annotations

import _thread
import threading
from types import FrameType

from syncsim import wire
from syncsim.instrument.anchor import thread_state
from syncsim.instrument.own_files import Held
from syncsim.instrument.record_writer import RecordWriter

#: Where threads of the library's own begin.  (A thread that the program begins with a method of
#: a primitive, such as ``Queue.put``, is the program's.)
_SERVANTS = (
    "multiprocessing.managers",
    "multiprocessing.pool",
    "multiprocessing.resource_sharer",
    "concurrent.futures",
)
#: No mode holds that thread up.
NEVER = 255


class Call:
    """The user-level call a thread is inside of: its name, primitive, site and argument."""

    __slots__ = ("detail", "key", "looked", "name", "patience", "primitive", "site")

    def __init__(self, name: str, primitive: str, site: FrameType | None, detail: str = "") -> None:
        self.name = name
        self.detail = detail
        self.primitive = primitive
        self.site = site and (site.f_code, site.f_lineno)
        self.key = (name, primitive, id(site.f_code) if site else 0, site.f_lineno if site else 0)
        #: Seconds that have passed in it, and when somebody last looked (see ``probes.clock``).
        self.patience = 0.0
        self.looked = 0.0

    def waited(self, seconds: float | None) -> None:
        """It waited so long in vain."""
        self.patience += seconds or 0.0


class Helper:
    """A thread of the library's own that has reports outstanding: how much it has dealt with."""

    __slots__ = ("dealt", "name", "told")

    def __init__(self, name: str) -> None:
        self.name = name
        self.dealt = 0
        self.told = 0


class Here(threading.local):
    """The state of one thread, kept by itself."""

    known = False
    tid = 0
    library = False  # a thread of multiprocessing's own: recorded, held up as ``held`` says
    held = wire.SHUT  # the mode from which on its operations wait at the gate
    silent = False  # our own look at the program's objects is no operation
    call: Call | None = None
    making = False  # a primitive that is made meanwhile is a part of another
    employer = ""  # the processes that it starts are workers of that pool
    helper: Helper | None = None
    gate: Held | None = None
    knocked = False  # has said at the door who it is
    # What it has announced, while it waits: to be said again when a signal handler has run.
    waiting: bytes | None = None


class Threads:
    """Gets to know the threads of one process; anew in each process."""

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer
        self.here = Here()
        self._nameless = 0  # threads made past ``threading``

    def introduce(self, *, serving: bool) -> None:
        """Get to know the current thread; ``serving``: its process is the server of a manager."""
        here, writer = self.here, self._writer
        here.known = True
        if threading.main_thread().ident == _thread.get_ident():
            return
        # (``current_thread`` would make up a Thread where there is none, and leave it behind.)
        thread = vars(threading)["_active"].get(_thread.get_ident())
        here.tid = threading.get_native_id()
        if thread is None:
            self._nameless += 1
        name = thread.name if thread is not None else f"thread {self._nameless}"
        feeds = name == "QueueFeederThread"
        here.library = feeds or serving or _is_of_library(thread)
        if feeds:
            here.held = wire.XRAY
        elif here.library:
            here.held = NEVER
        if not here.library:
            pid, state = writer.pid, thread_state()
            writer.write(wire.Born(pid, here.tid, pid, name, True, name, state))
        elif not (feeds or serving):
            writer.write(wire.Helped(writer.pid))

    def help(self, name: str) -> Helper:
        """The current thread is one of the library's own, of which we know what it is given."""
        here = self.here
        here.known = here.library = True
        here.held = NEVER
        here.tid = threading.get_native_id()
        here.helper = helper = Helper(name)
        self._writer.write(wire.Dealt(self._writer.pid, here.tid, name, 0))
        return helper

    def dealt(self, helper: Helper) -> None:
        """The thread is going to wait for the next thing that it is given."""
        if helper.dealt != helper.told:
            helper.told = helper.dealt
            pid, tid = self._writer.pid, self.here.tid
            self._writer.write(wire.Dealt(pid, tid, helper.name, helper.dealt))


def _is_of_library(thread: threading.Thread | None) -> bool:
    module = getattr(getattr(thread, "_target", None), "__module__", "") or ""
    kind = type(thread).__module__
    return module.startswith(_SERVANTS) or kind.startswith(
        ("multiprocessing.", "concurrent.futures")
    )
