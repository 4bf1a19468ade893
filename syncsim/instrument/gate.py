"""The gate: inside each of the program's processes, the way every operation takes.

With the gates shut an operation is announced, waits until it is granted, and then is made
on the real primitive.  With the gates open it is made at once and recorded.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from syncsim import wire
from syncsim.core.operation import ACQUIRE, Verb
from syncsim.instrument.anchor import thread_state
from syncsim.instrument.own_code import LIBRARY, CodeOwnership
from syncsim.instrument.own_files import Held, held
from syncsim.instrument.record_writer import RecordWriter
from syncsim.instrument.threads import NEVER, Threads
from syncsim.program.safe_text import frames_as_json


class Gate:
    """The connection of one process with its monitor; one for each process."""

    def __init__(self, directory: str) -> None:
        """Join the run in ``directory``; raises OSError when it is over."""
        self.directory = directory
        self._writer = RecordWriter(directory, self._leave)
        self.write = self._writer.write
        self._mode = _shared_byte(f"{directory}/{wire.MODE}")
        #: Which files stdout and stderr were when the run began.
        self.streams = dict(line.split() for line in _lines(f"{directory}/{wire.STREAMS}"))
        self.start_method = "".join(_lines(f"{directory}/{wire.METHOD}"))
        self.code = CodeOwnership()
        self.active = False
        #: Whether this process is the server of a manager: nothing in it is ever held up.
        self.serving = False
        #: What to record as soon as this process takes part: it was done before.
        self.before_birth: list[Callable[[], None]] = []
        self._begin()
        os.register_at_fork(before=self._forking, after_in_child=self._forked)

    def _begin(self) -> None:
        self._writer.begin()
        self.pid = self._writer.pid
        self.threads = Threads(self._writer)
        self.here = self.threads.here

    def _leave(self) -> None:
        self.active = False

    def _forking(self) -> None:
        if self.active:
            self.write(wire.Forking(self.pid))

    def _forked(self) -> None:
        """A forked child is outside until it turns out to be a ``Process``."""
        for inherited in [one for one in held.values() if one is not self._writer.fifo]:
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
            self.here.library, self.here.held = True, NEVER
            self.write(wire.Serves(self.pid))

    # -- announcements -----------------------------------------------------------------

    def _announce(
        self, n: int, gated: bool, block: bool, timeout: float | None, detail: str
    ) -> None:
        here = self.here
        line = self._writer.want(here.tid, n, gated, block, timeout, detail)
        here.waiting = line
        self._writer.put(line)

    def _withdraw(self, gated: bool) -> None:
        """A signal handler of the program has raised: the operation is not made."""
        here = self.here
        here.waiting = None
        if gated and here.gate is not None:
            here.gate.close()  # a grant that comes too late is for nobody
            here.gate = None
            here.knocked = False
        self.write(wire.Withdrawn(self.pid, here.tid))

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Let what the current thread does meanwhile come between: it is a signal handler's.

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
            self._writer.put(here.waiting)

    def _really(
        self, real: Callable[[], Any], n: int, block: bool, timeout: float | None, detail: str
    ) -> Any:
        """Make an operation that may block for real, after it was announced."""
        here = self.here
        here.waiting = self._writer.want(here.tid, n, False, block, timeout, detail)
        try:
            return real()
        finally:
            here.waiting = None

    # -- operations ------------------------------------------------------------------

    @property
    def shut(self) -> bool:
        """True if operations have to wait for a grant."""
        return bool(self._mode[0] >= wire.SHUT)

    @property
    def xrayed(self) -> bool:
        """True if what lies inside a call, and feeder threads, have to wait as well."""
        return bool(self._mode[0] == wire.XRAY)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Take nothing that the current thread does meanwhile for an operation."""
        here = self.here
        before, here.silent = here.silent, True
        try:
            yield
        finally:
            here.silent = before

    def applies(self) -> bool:
        """Return whether operations of the current thread are to be recorded."""
        here = self.here
        if not self.active or here.silent:
            return False
        if not here.known:
            self.threads.introduce(serving=self.serving)
        return True

    def acquire(
        self, atom: str, real: Callable[..., bool], block: bool, timeout: float | None
    ) -> bool:
        """An acquire of the semaphore ``atom`` whose real method is ``real``."""
        here = self.here
        call = here.call
        frame = None if call is not None else self.code.user_frame(3)
        pid, tid = self.pid, here.tid
        gated = self._mode[0] >= here.held
        if not gated and (got := real(False)):
            self._writer.say(ACQUIRE, atom, "", frame, call, tid, "True")
            return got
        n = self._writer.point(ACQUIRE, atom, "", frame, call)
        if not gated and (not block or here.library or (timeout is not None and timeout <= 0)):
            got = False
            if block and here.library:
                self._announce(n, False, block, timeout, "")
                got = real(block, timeout)
            self._writer.op(tid, n, "True" if got else "False")
            return got
        detail = call.detail if call is not None else ""
        self._announce(n, gated, block, timeout, detail)
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
        """Announce and record what is about to take effect; the caller then does it.

        Not ``sited``: no line of the program asks for it.  ``inner``: it lies inside a call and
        waits at the gate only under the X-ray.  The answer is whether it was recorded without the
        model's foretelling it: then an exception is to be recorded, too (``refused``).
        """
        here = self.here
        call = here.call
        frame = self.code.user_frame(3) if sited and call is None else None
        gated = self._mode[0] >= (max(here.held, wire.XRAY) if inner else here.held)
        if not (gated or detail):
            self._writer.say(verb, atom, name, frame, call, here.tid, "None")
            return True
        n = self._writer.point(verb, atom, name, frame, call)
        if gated:
            self._announce(n, True, True, None, detail)
            try:
                if self._wait() != wire.RUN_FREE:
                    return False
                self.write(wire.Did(self.pid, here.tid, "None"))
            except BaseException:
                self._withdraw(True)
                raise
        else:
            self._writer.op(here.tid, n, "None", detail)
        return True

    def refused(self, verb: Verb, atom: str, error: Exception) -> None:
        """Record that what was just given was not given: it raised."""
        here, writer = self.here, self._writer
        frame = self.code.user_frame(3) if here.call is None else None
        n = writer.point(verb, atom, "", frame, here.call)
        writer.op(here.tid, n, type(error).__name__)

    def note(self, verb: Verb, atom: str, name: str = "", detail: str = "") -> None:
        """Record an operation that never waits at the gate."""
        here, writer = self.here, self._writer
        frame = None if here.call is not None else self.code.user_frame()
        n = writer.point(verb, atom, name, frame, here.call)
        writer.op(here.tid, n, "None", detail)

    @property
    def feeds(self) -> bool:
        """True if the current thread is the feeder of a queue."""
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
        """Announce, make and then record an operation that may have to wait.

        ``in_vain`` is the answer when it times out instead; ``label`` gives the text of
        the result.  ``ready`` looks whether it would block, for what the model cannot know: the
        other end was closed.
        """
        here = self.here
        frame = None if here.call is not None else self.code.user_frame()
        n = self._writer.point(verb, atom, name, frame, here.call)
        gated = self._mode[0] >= here.held
        self._announce(n, gated, block, timeout, detail)
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
        """Wait at the gate for the grant; answer what is asked meanwhile."""
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
        """Return whether one of its signal handlers has raised this, not a call of ours."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        return trace is not None and not self.code.is_library(trace.tb_frame.f_code)

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
            return frames_as_json(self.code.user_frame(), LIBRARY, self.code.bottoms) + b"\n"


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
