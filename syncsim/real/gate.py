"""The gate: inside each of the program's processes, the way every operation takes.

With the gates shut an operation is announced, waits until it is granted, and then is made
on the real primitive.  With the gates open it is made at once and recorded.
"""

from __future__ import annotations

import _thread
import fcntl
import mmap
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from syncsim.core.operation import Verb
from syncsim.real import wire
from syncsim.real.anchor import thread_state
from syncsim.real.safe import frames_as_json

_STDLIB = os.path.dirname(os.__file__)
_LIBRARY = (
    os.path.dirname(os.path.abspath(__file__)) + os.sep,
    f"{_STDLIB}/multiprocessing/",
    f"{_STDLIB}/concurrent/",
)
_FILES = (threading.__file__, "<frozen")


class Call:
    """The user-level call a thread is inside of: its name, primitive, site and argument."""

    __slots__ = ("detail", "key", "name", "primitive", "site")

    def __init__(self, name: str, primitive: str, site: FrameType | None, detail: str = "") -> None:
        self.name = name
        self.detail = detail
        self.primitive = primitive
        self.site = site and (site.f_code, site.f_lineno)
        self.key = (name, primitive, id(site.f_code) if site else 0, site.f_lineno if site else 0)


class Helper:
    """A thread of the library's own that owes us something: how much it has dealt with."""

    __slots__ = ("dealt", "name", "told")

    def __init__(self, name: str) -> None:
        self.name = name
        self.dealt = 0
        self.told = 0


class _Here(threading.local):
    """What belongs to one thread."""

    known = False
    tid = 0
    library = False  # a thread of multiprocessing's own: recorded, never held up
    silent = False  # our own look at the program's objects is no operation
    call: Call | None = None
    making = False  # a primitive that is made meanwhile is a part of another
    employer = ""  # the processes that it starts are workers of that pool
    helper: Helper | None = None
    gate: socket.socket | None = None
    knocked = False  # has said at the door who it is
    # What it has announced, while it waits: to be said again when a signal handler has run.
    waiting: bytes | None = None


class Gate:
    """The connection of one process with its monitor; one for each process."""

    def __init__(self, directory: str) -> None:
        """Joins the run in ``directory``; raises OSError when it is over."""
        self.directory = directory
        self._fifo = _out_of_the_way(os.open(f"{directory}/{wire.FIFO}", os.O_WRONLY))
        with Path(directory, wire.MODE).open("rb") as file:
            self._mode = mmap.mmap(file.fileno(), 1, prot=mmap.PROT_READ)
        # Whether code is the library's, and a bottom; by id, which is faster than by code (which
        # is kept so that its id stays its own).
        self._library: dict[int, tuple[bool, CodeType, bool]] = {}
        self.active = False
        #: Where a process's own stack begins: below are our frames, or those of the parent that
        #: it was forked from.
        self.bottoms: list[CodeType] = []
        self._begin()
        os.register_at_fork(before=self._forking, after_in_child=self._forked)

    def _begin(self) -> None:
        self.pid = os.getpid()
        self.here = _Here()
        self._points: dict[object, int] = {}
        # The commonest records, ready to send.
        self._wants: dict[tuple[int, int], bytes] = {}
        self._ops: dict[tuple[int, int, str], bytes] = {}

    def _forking(self) -> None:
        if self.active:
            self.write(wire.Forking(self.pid))

    def _forked(self) -> None:
        """A forked child is outside until it turns out to be a ``Process``."""
        inherited = self.here.gate
        if inherited is not None:
            inherited.close()
        self._begin()
        self.write(wire.Forked(self.pid, os.getppid()))
        self.active = False

    # -- life ------------------------------------------------------------------------

    def born(self, name: str, parent: int, *, daemon: bool = False, method: str = "") -> None:
        """This process takes part from now on; ``parent`` is the pid of the one that started it."""
        self._begin()
        self.here.known = True
        self.active = True
        self.write(wire.Born(self.pid, 0, parent, name, daemon, "", thread_state(), method))

    def write(self, record: wire.Record) -> None:
        """One record, whole."""
        self._put(wire.encode(record))

    def _put(self, line: bytes) -> None:
        try:
            os.write(self._fifo, line)
        except BrokenPipeError:  # nobody watches any more
            self.active = False

    def _thread(self) -> bool:
        """Gets to know the current thread; false if it is not to be held up."""
        here = self.here
        here.known = True
        if threading.main_thread().ident != _thread.get_ident():
            thread = threading.current_thread()
            here.tid = threading.get_native_id()
            target = getattr(thread, "_target", None)
            module = getattr(target, "__module__", "") or ""
            feeds = thread.name == "QueueFeederThread"
            here.library = (
                feeds
                or module.startswith(("multiprocessing.", "concurrent.futures"))
                or type(thread).__module__.startswith(("multiprocessing.", "concurrent.futures"))
            )
            if here.library and not feeds:
                self.write(wire.Helped(self.pid))
            elif not here.library:
                name, state = thread.name, thread_state()
                self.write(wire.Born(self.pid, here.tid, self.pid, name, True, name, state))
        return not here.library

    def serve(self, name: str) -> Helper:
        """The current thread is one of the library's own, of which we know what it owes."""
        here = self.here
        here.known = here.library = True
        here.tid = threading.get_native_id()
        here.helper = helper = Helper(name)
        self.write(wire.Dealt(self.pid, here.tid, name, 0))
        return helper

    def dealt(self, helper: Helper) -> None:
        """The thread is going to wait for the next thing that it is given."""
        if helper.dealt != helper.told:
            helper.told = helper.dealt
            self.write(wire.Dealt(self.pid, self.here.tid, helper.name, helper.dealt))

    # -- where in the program --------------------------------------------------------

    def user_frame(self, above: int = 1) -> FrameType | None:
        """The innermost frame that is the program's own, not the library's and not ours.

        ``above`` is how many callers are known to be ours.
        """
        frame: FrameType | None = sys._getframe(above)
        known = self._library
        while frame is not None:
            code = frame.f_code
            found = known.get(id(code)) or self._look_up(code)
            if not found[0]:
                return frame
            if found[2]:
                return None
            frame = frame.f_back
        return None

    def is_library(self, code: CodeType) -> bool:
        """Whether the code is multiprocessing's or ours, and not the program's."""
        return self._look_up(code)[0]

    def _look_up(self, code: CodeType) -> tuple[bool, CodeType, bool]:
        library = code.co_filename.startswith(_LIBRARY + _FILES)
        found = self._library[id(code)] = (library, code, code in self.bottoms)
        return found

    def _point(self, verb: Verb, atom: str, name: str, frame: FrameType | None) -> int:
        call = self.here.call
        if call is not None:
            site = call.site
            key: object = (verb, atom, call.key)
        elif frame is not None:
            site = (frame.f_code, frame.f_lineno)
            key = (verb, atom, name, id(frame.f_code), frame.f_lineno)
        else:
            site = None
            key = (verb, atom, name)
        n = self._points.get(key)
        if n is None:
            n = self._points[key] = len(self._points)
            self.write(
                wire.Point(
                    self.pid,
                    n,
                    verb,
                    atom,
                    call.name if call else name,
                    call.primitive if call else "",
                    call is not None,
                    site[0].co_filename if site else "",
                    site[1] if site else 0,
                    site[0].co_name if site else "",
                )
            )
        return n

    def _want(self, n: int, gated: bool, block: bool, timeout: float | None, detail: str) -> None:
        here = self.here
        line: bytes | None
        if not gated or detail or not block or timeout is not None:
            line = wire.encode(wire.Want(self.pid, here.tid, n, gated, block, timeout, detail))
        else:
            key = (n, here.tid)
            line = self._wants.get(key)
            if line is None:
                line = wire.encode(wire.Want(self.pid, here.tid, n, True, True, None, ""))
                self._wants[key] = line
        here.waiting = line
        self._put(line)

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """What the current thread does meanwhile comes between: a signal handler of the program.

        It may make operations of its own while another one waits; that one is announced again.
        """
        here = self.here
        before = here.waiting, here.call, here.silent
        here.waiting, here.call, here.silent = None, None, False
        try:
            yield
        finally:
            here.waiting, here.call, here.silent = before
        if here.waiting is not None:
            self._put(here.waiting)

    def _really(
        self, real: Callable[[], Any], n: int, block: bool, timeout: float | None, detail: str
    ) -> Any:
        """Makes an operation that may block for real, after it was announced."""
        here = self.here
        here.waiting = wire.encode(wire.Want(self.pid, here.tid, n, False, block, timeout, detail))
        try:
            return real()
        finally:
            here.waiting = None

    def _op(self, n: int, result: str, detail: str = "") -> None:
        if detail:
            self.write(wire.Op(self.pid, self.here.tid, n, result, detail))
            return
        key = (n, self.here.tid, result)
        line = self._ops.get(key)
        if line is None:
            line = self._ops[key] = wire.encode(wire.Op(self.pid, key[1], n, result, ""))
        self._put(line)

    # -- operations ------------------------------------------------------------------

    @property
    def shut(self) -> bool:
        """Whether operations have to wait for a grant."""
        return self._mode[0] == wire.SHUT

    @contextmanager
    def silence(self) -> Iterator[None]:
        """What the current thread does meanwhile is no operation."""
        self.here.silent = True
        try:
            yield
        finally:
            self.here.silent = False

    def applies(self) -> bool:
        """Whether operations of the current thread are to be recorded."""
        here = self.here
        if not self.active or here.silent:
            return False
        if not here.known:
            self._thread()
        return True

    def acquire(
        self, atom: str, real: Callable[..., bool], block: bool, timeout: float | None
    ) -> bool:
        """An acquire of the semaphore ``atom`` whose real method is ``real``."""
        here = self.here
        call = here.call
        frame = None if call is not None else self.user_frame(3)
        n = self._point(Verb.ACQUIRE, atom, "", frame)
        pid, tid = self.pid, here.tid
        gated = self._mode[0] == wire.SHUT and not here.library
        if not gated:
            got = real(False)
            if got or not block or here.library or (timeout is not None and timeout <= 0):
                if not got and block and here.library:
                    self._want(n, False, block, timeout, "")
                    got = real(block, timeout)
                self._op(n, "True" if got else "False")
                return got
        detail = call.detail if call is not None else ""
        self._want(n, gated, block, timeout, detail)
        grant = self._wait() if gated else wire.RUN_FREE
        if grant == wire.TIME_OUT:
            return False
        if grant != wire.RUN_FREE:
            got = real(False)
            if got is (grant == wire.GO):
                return got
            self.write(wire.Did(pid, tid, str(got)))
        got = bool(self._really(lambda: real(block, timeout), n, block, timeout, detail))
        self.write(wire.Did(pid, tid, str(got)))
        return got

    def give(
        self, verb: Verb, atom: str, name: str = "", detail: str = "", *, sited: bool = True
    ) -> None:
        """Announces and records what is about to take effect; the caller then does it.

        Not ``sited``: no line of the program asks for it.
        """
        here = self.here
        frame = self.user_frame(3) if sited and here.call is None else None
        n = self._point(verb, atom, name, frame)
        if self._mode[0] == wire.SHUT and not here.library:
            self._want(n, True, True, None, detail)
            if self._wait() == wire.RUN_FREE:
                self.write(wire.Did(self.pid, here.tid, "None"))
        else:
            self._op(n, "None", detail)

    def note(self, verb: Verb, atom: str, name: str = "", detail: str = "") -> None:
        """Records an operation that never waits at the gate."""
        frame = None if self.here.call is not None else self.user_frame()
        n = self._point(verb, atom, name, frame)
        self._op(n, "None", detail)

    def take(
        self,
        verb: Verb,
        atom: str,
        real: Callable[[], Any],
        name: str = "",
        detail: str = "",
        *,
        timeout: float | None = None,
        block: bool = True,
        in_vain: Any = None,
        label: Callable[[Any], str] = str,
        ready: Callable[[], bool] | None = None,
    ) -> Any:
        """Announces, makes and then records an operation that may have to wait.

        ``in_vain`` is the answer when it times out instead; ``label`` gives the text of
        the result.  ``ready`` looks whether it would block, for what the model cannot know: the
        other end was closed.
        """
        here = self.here
        frame = None if here.call is not None else self.user_frame()
        n = self._point(verb, atom, name, frame)
        gated = self._mode[0] == wire.SHUT and not here.library
        self._want(n, gated, block, timeout, detail)
        grant = self._wait(ready) if gated else wire.RUN_FREE
        if grant == wire.TIME_OUT:
            return in_vain
        try:
            if grant == wire.RUN_FREE and verb is not Verb.START:
                result = self._really(real, n, block, timeout, detail)
            else:
                result = real()
        except BaseException as error:
            self.write(wire.Did(self.pid, here.tid, type(error).__name__))
            raise
        self.write(wire.Did(self.pid, here.tid, label(result)))
        return result

    def _wait(self, ready: Callable[[], bool] | None = None) -> bytes:
        """Waits at the gate for the grant; answers what it is asked meanwhile."""
        here = self.here
        gate = here.gate
        try:
            if gate is None or not here.knocked:
                gate = self._connect()
            while True:
                grant = gate.recv(1)
                if grant == wire.INSPECT:
                    gate.sendall(self._look())
                elif grant == wire.READY:
                    gate.sendall(b"y" if ready is not None and ready() else b"n")
                else:
                    # Nobody is at the other end any more: the guard ends us in a moment.
                    return grant or wire.RUN_FREE
        except ConnectionError:
            return wire.RUN_FREE
        finally:
            here.waiting = None

    def _connect(self) -> socket.socket:
        here = self.here
        gate = here.gate
        if gate is None:
            gate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            gate.connect(f"{self.directory}/{wire.GATE}")
            gate = socket.socket(fileno=_out_of_the_way(gate.detach()))
            # A signal handler may have come between, and made a connection of its own.
            if here.gate is None:
                here.gate = gate
            else:
                gate.close()
                gate = here.gate
        if not here.knocked:
            gate.sendall(f"{self.pid} {here.tid}\n".encode())
            here.knocked = True
        return gate

    def _look(self) -> bytes:
        with self.silence():
            return frames_as_json(self.user_frame(), _LIBRARY + _FILES, self.bottoms) + b"\n"


def _out_of_the_way(fd: int) -> int:
    """The same file under a high number, so that the program sees the numbers it expects."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(fd)
    return moved
