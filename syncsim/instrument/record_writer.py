"""The record writer: one record, one ``os.write`` to the FIFO of the run."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from syncsim import wire
from syncsim.core.operation import Verb
from syncsim.instrument.own_files import Held

if TYPE_CHECKING:
    from syncsim.instrument.threads import Call


class RecordWriter:
    """Writes the records of one process; ``lost`` is called when nobody reads them any more."""

    def __init__(self, directory: str, lost: Callable[[], None]) -> None:
        """Open the FIFO; raises OSError when the run is over."""
        self._directory = directory
        self._lost = lost
        self.fifo = self._open()

    def begin(self) -> None:
        """Begin anew, in a process of its own."""
        self.pid = os.getpid()
        self._points: dict[object, int] = {}
        self._numbers = itertools.count()
        # The commonest records, ready to send.
        self._wants: dict[tuple[int, int], bytes] = {}
        self._ops: dict[tuple[int, int, str], bytes] = {}
        self._lines: dict[object, bytes] = {}

    def _open(self) -> Held:
        return Held(os.open(f"{self._directory}/{wire.FIFO}", os.O_WRONLY))

    def write(self, record: wire.Record) -> None:
        """Write one record, whole."""
        self.put(wire.encode(record))

    def put(self, line: bytes) -> None:
        """Write a record that is encoded already."""
        try:
            os.write(self.fifo.fd, line)
        except BrokenPipeError:  # nobody watches any more
            self._lost()
        except OSError as error:
            # C code has closed our file, past ``os.close``.
            if error.errno != errno.EBADF or not os.path.exists(self._directory):
                self._lost()
                return
            self.fifo = self._open()
            os.write(self.fifo.fd, line)

    # -- operations ------------------------------------------------------------------

    def point(
        self, verb: Verb, atom: str, name: str, frame: FrameType | None, call: Call | None
    ) -> int:
        """Return the number of that operation at that place; it is declared once."""
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

    def want(
        self, tid: int, n: int, gated: bool, block: bool, timeout: float | None, detail: str
    ) -> bytes:
        """Return the announcement of an operation, to be put."""
        if not gated or detail or not block or timeout is not None:
            return wire.encode(wire.Want(self.pid, tid, n, gated, block, timeout, detail))
        key = (n, tid)
        line = self._wants.get(key)
        if line is None:
            line = self._wants[key] = wire.encode(wire.Want(self.pid, tid, n, True, True, None, ""))
        return line

    def op(self, tid: int, n: int, result: str, detail: str = "") -> None:
        """Record an operation that was not announced."""
        if detail:
            self.write(wire.Op(self.pid, tid, n, result, detail))
            return
        key = (n, tid, result)
        line = self._ops.get(key)
        if line is None:
            line = self._ops[key] = wire.encode(wire.Op(self.pid, tid, n, result, ""))
        self.put(line)

    def say(
        self,
        verb: Verb,
        atom: str,
        name: str,
        frame: FrameType | None,
        call: Call | None,
        tid: int,
        result: str,
    ) -> None:
        """Record an operation that was not announced and has no detail: in one look-up."""
        key: object
        if call is not None:
            key = (verb, atom, name, tid, result, call.key)
        elif frame is not None:
            key = (verb, atom, name, tid, result, id(frame.f_code), frame.f_lasti)
        else:
            key = (verb, atom, name, tid, result)
        line = self._lines.get(key)
        if line is None:
            n = self.point(verb, atom, name, frame, call)
            line = self._lines[key] = wire.encode(wire.Op(self.pid, tid, n, result, ""))
        self.put(line)
