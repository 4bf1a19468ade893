"""Those who ask the checker: its process, its reports, and its foresight afterwards.

The process ends with us, however we end.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from syncsim.core.outlook import Foreseen
from syncsim.core.schedule import Choice, Grain, format_schedule
from syncsim.core.text import as_json
from syncsim.core.words.lineage import signal_name
from syncsim.explore import hints
from syncsim.explore.ahead import Process, end, start
from syncsim.explore.request import Answer, Question, Report, Request

#: Seconds that the process may take longer than it was given: to begin, to learn what a process
#: does next while it looks at no clock, to come to an end.
_GRACE = 2.0
#: Seconds without a sign of life of it after which we give up.
_SILENCE = 10.0
#: Seconds for what it does after the search.
_LOOKING = 60.0


class CheckError(Exception):
    """The check itself failed: a sentence."""


class NotStartedError(CheckError):
    """What is needed for it could not be started: nothing was checked."""


class _EndedError(Exception):
    """The process has ended."""


class _SilentError(Exception):
    """The process gives no sign of life."""


class Checker:
    """A process in which one program is searched; ``close`` may be called from any thread.

    It lives no longer than the thread that has started it.  ``process`` is one that was started
    ahead of its request.
    """

    def __init__(self, request: Request, process: Process | None = None) -> None:
        self._request = request = replace(request, word=os.urandom(8).hex())
        self._word = request.word.encode()
        self._buffer = b""
        self._heard = False
        self._asked: tuple[Choice, ...] = ()
        try:
            self._process = process or start()
        except OSError as error:
            from syncsim.real.launch import not_started

            raise NotStartedError(not_started("the check", f"{error.strerror}")) from error
        self._say(as_json(request))

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *error: object) -> None:
        end(self._process)

    def close(self) -> None:
        """End the process at once; who listens is told that it has ended."""
        self._process.kill()

    def search(self, on_progress: Callable[[Report], None]) -> Report:
        """What came of the search; raises ``CheckError`` if that it ended is our fault."""
        seconds = self._request.seconds
        deadline = time.monotonic() + seconds + _GRACE
        newest = Report()
        while True:
            try:
                line = self._line(deadline)
            except _EndedError:
                why, hint = self._why(), hints.ON_REAL_PROCESSES
                return replace(newest, over=True, problem=why, hint=hint)
            except _SilentError:
                why, hint = "it is inside a call that does not come back", hints.ON_REAL_PROCESSES
                return replace(newest, over=True, problem=why, hint=hint)
            if line is None:
                limit = f"{seconds:g} seconds"
                self.close()  # it has no more to say
                if newest.search:
                    hint = hints.about(limit, self._request)
                    return replace(newest, over=True, limit=limit, hint=hint)
                why = f"it was not ready to be searched after {seconds:g} s"
                return replace(newest, over=True, problem=why, hint=hints.MORE_TIME)
            newest = msgspec.json.decode(line, type=Report)
            if newest.over:
                return newest
            on_progress(newest)

    def foresees(self) -> bool:
        """Whether it can answer, once it knows."""
        # (What it had still to say when its time was up is no answer.)
        with contextlib.suppress(_EndedError, _SilentError, msgspec.ValidationError):
            line = self._line(time.monotonic() + _LOOKING)
            return line is not None and msgspec.json.decode(line, type=bool)
        return False

    def ask(self, choices: Sequence[Choice], grain: Grain) -> Foreseen | None:
        """What may come after those choices; None where nothing is known."""
        before, now = self._asked, tuple(choices)
        keep = 0
        for one, other in zip(before, now, strict=False):
            if one != other:
                break
            keep += 1
        self._asked = now
        self._say(msgspec.json.encode(Question(keep, format_schedule(now[keep:]), grain)))
        with contextlib.suppress(_EndedError):
            line = self._line(time.monotonic() + _LOOKING, silence=_LOOKING)
            return msgspec.json.decode(line, type=Answer).foreseen if line is not None else None
        return None

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: who listens will notice
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def _line(self, deadline: float, silence: float = _SILENCE) -> bytes | None:
        """The next line that it says; None where there is none in time."""
        stream = self._process.stdout
        assert stream is not None
        while True:
            while b"\n" in self._buffer:
                line, _, self._buffer = self._buffer.partition(b"\n")
                if line.startswith(self._word):  # (else a sign of life, or the program's)
                    return line[len(self._word) :]
            left = deadline - time.monotonic()
            # (On a busy machine it may take its time until it has begun.)
            patience = min(left, silence) if self._heard else left
            if left <= 0 or not select.select([stream], [], [], patience)[0]:
                if left > patience:
                    raise _SilentError
                return None
            data = os.read(stream.fileno(), 1 << 16)
            if not data:
                raise _EndedError
            self._heard = True
            self._buffer += data

    def _why(self) -> str:
        """Why it has ended without a word; raises ``CheckError`` if it is not the program's."""
        assert self._process.stderr is not None
        said = self._process.stderr.read()
        words = said.decode("utf-8", "replace").strip().splitlines()
        code = self._process.wait()
        if not self._heard:
            from syncsim.real.launch import how_it_ended, not_started

            raise NotStartedError(not_started("the check", how_it_ended(code), said))
        if code < 0:
            return f"it ends the process in which it is checked, by {signal_name(-code)}"
        raise CheckError(f"the checker broke off: {words[-1] if words else f'exit code {code}'}")
