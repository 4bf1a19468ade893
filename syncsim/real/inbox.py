"""The inbox: reads the FIFO of a run, and hands the records on in their order."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence

import msgspec

from syncsim import wire
from syncsim.core.recorder import DivergenceError
from syncsim.real.conduct import Conduct
from syncsim.real.launch import Launch

#: Bytes of records that may be read ahead of what is applied, and how many to apply at once.
_BACKLOG, _SLICE = 8 << 20, 1 << 16


class Inbox:
    """Reads ahead of what is applied; ``apply`` is given the records of one slice."""

    def __init__(
        self, conduct: Conduct, launch: Launch, apply: Callable[[Sequence[wire.Record]], None]
    ) -> None:
        self._conduct = conduct
        self._launch = launch
        self._apply = apply
        #: What was read from the FIFO and is not applied yet.
        self.backlog = bytearray()
        #: How many bytes of the FIFO were applied up to now.
        self.applied = 0
        launch.listen(launch.fifo, self.read)

    def read(self) -> None:
        """Read what is in the FIFO, and apply it up to a slice's end.

        Reading is much faster than applying: so that the program is not held up by us, what
        there is is read first.  (A full backlog holds it up; nothing is ever lost.)
        """
        if self._conduct.interrupted():
            return
        backlog = self.backlog
        while len(backlog) < _BACKLOG:
            try:
                data = os.read(self._launch.fifo, 1 << 18)
            except BlockingIOError:
                break
            backlog += data
            if len(data) < 1 << 16:  # all there was, or nearly
                break
        if not backlog:
            return
        self._conduct.note_news()
        # Records are written whole, and so arrive whole unless our buffer was full.
        end = backlog.rfind(b"\n", 0, _SLICE) + 1
        lines = bytes(backlog[:end])
        del backlog[:end]
        self.applied += end
        try:
            records = wire.decode(lines)
        except msgspec.DecodeError as error:
            raise DivergenceError(f"a record on the wire cannot be read: {error}") from error
        self._apply(records)

    def drain(self) -> None:
        """Apply all that was reported so far, however long that takes."""
        while not self._conduct.interrupted():
            self.read()
            if not self.backlog:
                return

    def catch_up(self) -> None:
        """Apply what is in the FIFO now, also where more and more is written."""
        end = self.applied + len(self.backlog) + self._launch.waiting()
        while self.applied < end and not self._conduct.interrupted():
            self.read()


class Complaints:
    """Output written past ``sys.stdout`` and ``sys.stderr``: by C code, or by another program.

    ``on_print`` hears the stream and the text.
    """

    def __init__(self, launch: Launch, on_print: Callable[[str, str], None]) -> None:
        self._launch = launch
        self._on_print = on_print
        #: What the stage has complained of before the program began; None once it has.
        self.before_start: bytes | None = b""
        for stream in launch.spills:
            self._listen(stream)

    def begin(self) -> None:
        """The program has begun: what Python itself has complained of before is not the reason."""
        complaints, self.before_start = self.before_start, None
        if complaints:
            self._on_print("stderr", complaints.decode("utf-8", "backslashreplace"))

    def _listen(self, stream: str) -> None:
        fd = self._launch.spills[stream]
        os.set_blocking(fd, False)

        def hear() -> None:
            with contextlib.suppress(BlockingIOError):
                data = os.read(fd, 1 << 16)
                if data:
                    if stream == "stderr" and self.before_start is not None:
                        self.before_start += data
                        return
                    self._on_print(stream, data.decode("utf-8", "backslashreplace"))
                else:
                    self._launch.ignore(fd)

        self._launch.listen(fd, hear)
