"""The gate: inside each of the program's processes, the way every operation takes.

With the gates shut an operation is announced, waits until it is granted, and then is made
on the real primitive.  With the gates open it is made at once and recorded.
"""

from __future__ import annotations

import _thread
import ctypes
import errno
import itertools
import mmap
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from syncsim import wire
from syncsim.core.operation import ACQUIRE, Verb
from syncsim.instrument.anchor import thread_state
from syncsim.instrument.own_files import Held, held
from syncsim.program.safe_text import frames_as_json

_STDLIB = os.path.dirname(os.__file__)
_LIBRARY = (
    os.path.dirname(os.path.abspath(__file__)) + os.sep,
    f"{_STDLIB}/multiprocessing/",
    f"{_STDLIB}/concurrent/",
    f"{_STDLIB}/subprocess.py",
)
#: Where threads of the library's own begin.  (A thread that the program begins with a method of
#: a primitive, such as ``Queue.put``, is the program's.)
_SERVANTS = (
    "multiprocessing.managers",
    "multiprocessing.pool",
    "multiprocessing.resource_sharer",
    "concurrent.futures",
)
_FILES = (threading.__file__, "<frozen")
#: No mode holds that thread up.
_NEVER = 255


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


class Gate:
    """The connection of one process with its monitor; one for each process."""

    def __init__(self, directory: str) -> None:
        """Joins the run in ``directory``; raises OSError when it is over."""
        self.directory = directory
        self._fifo = self._open_wire()
        self._mode = _shared_byte(f"{directory}/{wire.MODE}")
        #: Which files stdout and stderr were when the run began.
        self.streams = dict(line.split() for line in _lines(f"{directory}/{wire.STREAMS}"))
        self.start_method = "".join(_lines(f"{directory}/{wire.METHOD}"))
        # Whether code is the library's, and a bottom; by id, which is faster than by code (which
        # is kept so that its id stays its own).
        self._library: dict[int, tuple[bool, CodeType, bool]] = {}
        self.active = False
        #: Where a process's own stack begins: below are our frames, or those of the parent that
        #: it was forked from.
        self.bottoms: list[CodeType] = []
        #: Whether this process is the server of a manager: nothing in it is ever held up.
        self.serving = False
        #: What to record as soon as this process takes part: it was done before.
        self.before_birth: list[Callable[[], None]] = []
        self._begin()
        os.register_at_fork(before=self._forking, after_in_child=self._forked)

    def _begin(self) -> None:
        self.pid = os.getpid()
        self.here = _Here()
        self._nameless = 0  # threads made past ``threading``
        self._points: dict[object, int] = {}
        self._numbers = itertools.count()
        # The commonest records, ready to send.
        self._wants: dict[tuple[int, int], bytes] = {}
        self._ops: dict[tuple[int, int, str], bytes] = {}
        self._lines: dict[object, bytes] = {}

    def _forking(self) -> None:
        if self.active:
            self.write(wire.Forking(self.pid))

    def _forked(self) -> None:
        """A forked child is outside until it turns out to be a ``Process``."""
        for inherited in [one for one in held.values() if one is not self._fifo]:
            inherited.close()
        parent = self.pid  # which may have ended by now: the kernel would name another one
        self._begin()
        self.write(wire.Forked(self.pid, parent))
        self.active = False

    # -- life ------------------------------------------------------------------------

    def born(self, name: str, parent: int, *, daemon: bool = False, method: str = "") -> None:
        """This process takes part from now on; ``parent`` is the pid of the one that started it."""
        self._begin()
        self.here.known = True
        self.active = True
        self.serving = False
        self.write(wire.Born(self.pid, 0, parent, name, daemon, "", thread_state(), method))
        for record in self.before_birth:
            record()
        self.before_birth.clear()

    def serve(self) -> None:
        """This process is the server of a manager from now on."""
        if self.applies() and not self.serving:
            self.serving = True
            self.here.library, self.here.held = True, _NEVER
            self.write(wire.Serves(self.pid))

    def write(self, record: wire.Record) -> None:
        """One record, whole."""
        self._put(wire.encode(record))

    def _put(self, line: bytes) -> None:
        try:
            os.write(self._fifo.fd, line)
        except BrokenPipeError:  # nobody watches any more
            self.active = False
        except OSError as error:
            # C code has closed our file, past ``os.close``.
            if error.errno != errno.EBADF or not os.path.exists(self.directory):
                self.active = False
                return
            self._fifo = self._open_wire()
            os.write(self._fifo.fd, line)

    def _open_wire(self) -> Held:
        return Held(os.open(f"{self.directory}/{wire.FIFO}", os.O_WRONLY))

    def _thread(self) -> bool:
        """Gets to know the current thread; false if it is not to be held up."""
        here = self.here
        here.known = True
        if threading.main_thread().ident != _thread.get_ident():
            # (``current_thread`` would make up a Thread where there is none, and leave it behind.)
            thread = vars(threading)["_active"].get(_thread.get_ident())
            here.tid = threading.get_native_id()
            if thread is None:
                self._nameless += 1
            name = thread.name if thread is not None else f"thread {self._nameless}"
            target = getattr(thread, "_target", None)
            module = getattr(target, "__module__", "") or ""
            feeds = name == "QueueFeederThread"
            here.library = (
                feeds
                or module.startswith(_SERVANTS)
                or type(thread).__module__.startswith(("multiprocessing.", "concurrent.futures"))
            )
            here.library = here.library or self.serving
            if feeds:
                here.held = wire.XRAY
            elif here.library:
                here.held = _NEVER
            if here.library and not (feeds or self.serving):
                self.write(wire.Helped(self.pid))
            elif not here.library:
                state = thread_state()
                self.write(wire.Born(self.pid, here.tid, self.pid, name, True, name, state))
        return not here.library

    def help(self, name: str) -> Helper:
        """The current thread is one of the library's own, of which we know what it owes."""
        here = self.here
        here.known = here.library = True
        here.held = _NEVER
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
        return (self._library.get(id(code)) or self._look_up(code))[0]

    def is_asked_by_library(self, above: int) -> bool:
        """Return whether the library makes the call; ``above`` is how many frames are ours.

        Where there are no more, the interpreter calls what the program has registered.
        """
        try:
            caller = sys._getframe(above + 1)
        except ValueError:
            return False
        return self.is_library(caller.f_code)

    def claim(self, code: CodeType) -> None:
        """The code is the library's, whatever its file says (it was made by ``exec``)."""
        self._library[id(code)] = (True, code, False)

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
            n = next(self._numbers)
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
            self._points[key] = n  # not before: another thread would refer to what is not declared
        return n

    def _withdraw(self, gated: bool) -> None:
        """A signal handler of the program has raised: the operation is not made."""
        here = self.here
        here.waiting = None
        if gated and here.gate is not None:
            here.gate.close()  # a grant that comes too late is for nobody
            here.gate = None
            here.knocked = False
        self.write(wire.Withdrawn(self.pid, here.tid))

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
        else:
            key = (n, self.here.tid, result)
            line = self._ops.get(key)
            if line is None:
                line = self._ops[key] = wire.encode(wire.Op(self.pid, key[1], n, result, ""))
            self._put(line)

    def _say(
        self,
        verb: Verb,
        atom: str,
        name: str,
        frame: FrameType | None,
        call: Call | None,
        tid: int,
        result: str,
    ) -> None:
        """Records an operation that was not announced and has no detail: in one look-up."""
        key: object
        if call is not None:
            key = (verb, atom, name, tid, result, call.key)
        elif frame is not None:
            key = (verb, atom, name, tid, result, id(frame.f_code), frame.f_lasti)
        else:
            key = (verb, atom, name, tid, result)
        line = self._lines.get(key)
        if line is None:
            n = self._point(verb, atom, name, frame)
            line = self._lines[key] = wire.encode(wire.Op(self.pid, tid, n, result, ""))
        self._put(line)

    # -- operations ------------------------------------------------------------------

    @property
    def shut(self) -> bool:
        """Whether operations have to wait for a grant."""
        return bool(self._mode[0] >= wire.SHUT)

    @property
    def xrayed(self) -> bool:
        """Whether what lies inside a call, and feeder threads, have to wait as well."""
        return bool(self._mode[0] == wire.XRAY)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """What the current thread does meanwhile is no operation."""
        here = self.here
        before, here.silent = here.silent, True
        try:
            yield
        finally:
            here.silent = before

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
        pid, tid = self.pid, here.tid
        gated = self._mode[0] >= here.held
        if not gated and (got := real(False)):
            self._say(ACQUIRE, atom, "", frame, call, tid, "True")
            return got
        n = self._point(ACQUIRE, atom, "", frame)
        if not gated and (not block or here.library or (timeout is not None and timeout <= 0)):
            got = False
            if block and here.library:
                self._want(n, False, block, timeout, "")
                got = real(block, timeout)
            self._op(n, "True" if got else "False")
            return got
        detail = call.detail if call is not None else ""
        self._want(n, gated, block, timeout, detail)
        try:
            grant = self._wait() if gated else wire.RUN_FREE
            if grant == wire.TIME_OUT:
                if call is not None:
                    call.waited(timeout)
                return False
            if grant != wire.RUN_FREE:
                # (The feeder that had the put lock may have said so before giving it back.)
                got = real(here.library and grant == wire.GO)
                if got is (grant == wire.GO):
                    return got
                self.write(wire.Did(pid, tid, str(got)))
            got = bool(self._really(lambda: real(block, timeout), n, block, timeout, detail))
            self.write(wire.Did(pid, tid, str(got)))
            return got
        except BaseException:
            self._withdraw(gated)
            raise

    def give(
        self,
        verb: Verb,
        atom: str,
        name: str = "",
        detail: str = "",
        *,
        sited: bool = True,
        inner: bool = False,
    ) -> bool:
        """Announces and records what is about to take effect; the caller then does it.

        Not ``sited``: no line of the program asks for it.  ``inner``: it lies inside a call and
        waits at the gate only under the X-ray.  The answer is whether it was recorded without the
        model's foretelling it: then an exception is to be recorded, too (``refused``).
        """
        here = self.here
        call = here.call
        frame = self.user_frame(3) if sited and call is None else None
        gated = self._mode[0] >= (max(here.held, wire.XRAY) if inner else here.held)
        if not (gated or detail):
            self._say(verb, atom, name, frame, call, here.tid, "None")
            return True
        n = self._point(verb, atom, name, frame)
        if gated:
            self._want(n, True, True, None, detail)
            try:
                if self._wait() != wire.RUN_FREE:
                    return False
                self.write(wire.Did(self.pid, here.tid, "None"))
            except BaseException:
                self._withdraw(True)
                raise
        else:
            self._op(n, "None", detail)
        return True

    def refused(self, verb: Verb, atom: str, error: Exception) -> None:
        """Records that what was just given was not given: it raised."""
        frame = self.user_frame(3) if self.here.call is None else None
        self._op(self._point(verb, atom, "", frame), type(error).__name__)

    def note(self, verb: Verb, atom: str, name: str = "", detail: str = "") -> None:
        """Records an operation that never waits at the gate."""
        frame = None if self.here.call is not None else self.user_frame()
        n = self._point(verb, atom, name, frame)
        self._op(n, "None", detail)

    @property
    def feeds(self) -> bool:
        """Whether the current thread is the feeder of a queue."""
        return bool(self.here.held == wire.XRAY)

    def rest(self) -> None:
        """A feeder thread has nothing to send."""
        if self.applies() and self.xrayed:
            self.write(wire.Fed(self.pid, self.here.tid))

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
        gated = self._mode[0] >= here.held
        self._want(n, gated, block, timeout, detail)
        try:
            grant = self._wait(ready) if gated else wire.RUN_FREE
        except BaseException:
            self._withdraw(gated)
            raise
        if grant == wire.TIME_OUT:
            if here.call is not None:
                here.call.waited(timeout)
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
                grant = os.read(gate.fd, 1)
                if grant == wire.INSPECT:
                    _send(gate, self._look())
                elif grant == wire.READY:
                    _send(gate, b"y" if ready is not None and ready() else b"n")
                else:
                    # Nobody is at the other end any more: the guard ends us in a moment.
                    return grant or wire.RUN_FREE
        except OSError as error:
            if self._is_of_the_program(error):
                raise
            # The run is over, C code has closed our file, or there are no more files to be had.
            here.gate, here.knocked = None, False
            return wire.RUN_FREE
        finally:
            here.waiting = None

    def _is_of_the_program(self, error: OSError) -> bool:
        """Whether one of its signal handlers has raised this, not a call of ours."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        return trace is not None and not self.is_library(trace.tb_frame.f_code)

    def _connect(self) -> Held:
        here = self.here
        gate = here.gate
        if gate is None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
                door.connect(f"{self.directory}/{wire.GATE}")
                gate = Held(door.detach())
            # A signal handler may have come between, and made a connection of its own.
            if here.gate is None:
                here.gate = gate
            else:
                gate.close()
                gate = here.gate
        if not here.knocked:
            _send(gate, f"{self.pid} {here.tid}\n".encode())
            here.knocked = True
        return gate

    def _look(self) -> bytes:
        with self.silence():
            return frames_as_json(self.user_frame(), _LIBRARY + _FILES, self.bottoms) + b"\n"


def _send(gate: Held, data: bytes) -> None:
    while data:
        data = data[os.write(gate.fd, data) :]


def _lines(file: str) -> list[str]:
    with open(file, encoding="ascii") as text:
        return text.read().splitlines()


def _shared_byte(file: str) -> Any:
    """The first byte of a file as it is now, in memory; no file stays open for it.

    (``mmap.mmap`` keeps a file of its own, at the lowest number there is.)
    """
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        *[ctypes.c_int] * 3,
        ctypes.c_longlong,  # off_t
    )
    fd = os.open(file, os.O_RDONLY)
    try:
        address = library.mmap(None, 1, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
    finally:
        os.close(fd)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), file)
    return (ctypes.c_ubyte * 1).from_address(address)
