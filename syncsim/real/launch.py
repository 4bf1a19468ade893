"""A run on this machine: its directory, the wire, the door, and the stage as a process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from pathlib import Path

from syncsim import instrument, wire
from syncsim.core.text import clean
from syncsim.instrument import guard
from syncsim.instrument.file_limit import make_room
from syncsim.program.source import Program
from syncsim.real import kernel

_BOOT = str(Path(instrument.__file__).resolve().with_name("boot.py"))
#: Bytes that the FIFO should hold (Linux; its default is 65,536, and its most, unprivileged, this).
_FIFO_SIZE = 1 << 20
#: So many of the last lines of what a stage that cannot start complains of are told.
_QUOTED = 6


class StageError(OSError):
    """The program could not be started: the sentences say what happened, where, and what to do."""


class Launch:
    """Starts the stage and holds everything of ours that the run uses, until ``close``."""

    def __init__(self, program: Program, *, controlled: bool, stdin: int) -> None:
        room = make_room()
        self.directory = tempfile.mkdtemp(prefix="syncsim-")
        fifo = f"{self.directory}/{wire.FIFO}"
        os.mkfifo(fifo, 0o600)
        self.fifo = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # the system's bound for pipes is reached
                fcntl.fcntl(self.fifo, fcntl.F_SETPIPE_SZ, _FIFO_SIZE)
        # A writer of our own, so that the FIFO never ends.
        self._writer = os.open(fifo, os.O_WRONLY)
        self._mode = os.open(f"{self.directory}/{wire.MODE}", os.O_RDWR | os.O_CREAT, 0o600)
        self.say(wire.SHUT if controlled else wire.OPEN)
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.door.bind(f"{self.directory}/{wire.GATE}")
        self.door.listen(128)
        self.door.settimeout(0.1)
        self.deaths = kernel.Deaths()
        self._poll = select.poll()
        self._on: dict[int, Callable[[], object]] = {}
        self._start(program, stdin, room, controlled=controlled)

    def _start(self, program: Program, stdin: int, room: int, *, controlled: bool) -> None:
        lifeline_end, self._lifeline = os.pipe()
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        #: What is written past ``sys.stdout`` and ``sys.stderr``.
        self.spills = {"stdout": out, "stderr": err}
        streams = f"stdout {wire.identity(out_end)}\nstderr {wire.identity(err_end)}\n"
        Path(self.directory, wire.STREAMS).write_text(streams, encoding="ascii")
        Path(self.directory, wire.METHOD).write_text(program.start_method, encoding="ascii")
        names = {
            wire.RUN_VARIABLE: self.directory,
            wire.LIFELINE_VARIABLE: str(lifeline_end),
            wire.ROOM_VARIABLE: str(room),
        }
        # A schedule determines the run, so the order of a set of strings must not be a matter of
        # chance: as ``python -R`` has it unless the variable says otherwise.
        fixed = {"PYTHONHASHSEED": "0"} if controlled else {}
        try:
            self.stage = subprocess.Popen(
                [sys.executable, _BOOT, *program.command, *program.arguments],
                stdin=stdin,
                stdout=out_end,
                stderr=err_end,
                pass_fds=(lifeline_end,),
                start_new_session=True,
                env=fixed | os.environ | names,
            )
        except OSError as error:
            self._abandon()
            raise StageError(not_started("the program", f"{error.strerror}")) from error
        finally:
            for fd in (lifeline_end, out_end, err_end):
                os.close(fd)

    def _abandon(self) -> None:
        """Release what was made for the stage, which did not start."""
        self.deaths.close()
        self.door.close()
        for fd in (self.fifo, self._writer, self._mode, self._lifeline, *self.spills.values()):
            os.close(fd)
        shutil.rmtree(self.directory, ignore_errors=True)

    def why_not_started(self, complaints: bytes) -> str:
        """Return why the stage, which has ended, never began the program."""
        return not_started("the program", how_it_ended(self.stage.wait()), complaints)

    def waiting(self) -> int:
        """Return how many bytes of records have been written and not read yet."""
        count: int = struct.unpack("i", fcntl.ioctl(self.fifo, termios.FIONREAD, bytes(4)))[0]
        return count

    @property
    def has_door(self) -> bool:
        """True if one can come to the door: the program may have removed the directory."""
        return os.path.exists(f"{self.directory}/{wire.GATE}")

    def say(self, mode: int) -> None:
        """Tell every process, at its next operation, how the gates stand: see ``wire.MODE``."""
        os.pwrite(self._mode, bytes([mode]), 0)

    def listen(self, fd: int, hear: Callable[[], object]) -> None:
        """Let ``wait`` call ``hear`` whenever ``fd`` is readable."""
        self._poll.register(fd, select.POLLIN)
        self._on[fd] = hear

    def ignore(self, fd: int) -> None:
        """Stop listening to the file descriptor."""
        self._poll.unregister(fd)

    def wait(self, seconds: float) -> bool:
        """Wait for something to be heard, at most so long; whether there was something."""
        events = self._poll.poll(seconds * 1000)
        for fd, _ in events:
            self._on[fd]()
        return bool(events)

    def close(self) -> None:
        """End the run: nothing of it is left, neither process nor file nor semaphore."""
        self.deaths.close()  # first: who looks for what is left needs files, too
        guard.end_run(self.directory, self.stage.pid)
        self.stage.wait()
        with contextlib.suppress(BrokenPipeError):  # the guard is gone with the rest
            os.write(self._lifeline, guard.DISMISSED)
        self.door.close()
        for fd in (self.fifo, self._writer, self._mode, self._lifeline, *self.spills.values()):
            os.close(fd)


def how_it_ended(code: int) -> str:
    """Return why a process with that exit code has not started what it should."""
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return f"it ended {how} before it began"


def not_started(what: str, why: str, complaints: bytes = b"") -> str:
    """Return what to tell of a process of ours that never began: where, why, and what may help."""
    lines = complaints.decode("utf-8", "backslashreplace").splitlines()
    said = " / ".join([told for line in lines if (told := clean(line).strip())][-_QUOTED:])
    return (
        f"{what} was not started: {sys.executable}: {why}"
        + (f"; it said: {said}" if said else "")
        + ". Try whether that Python starts, with the same environment"
    )
